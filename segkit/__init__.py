"""Learning-free segmentation of images and volumes larger than memory.

Names load their modules on first use: `import segkit` imports no array library.
"""

from importlib import import_module as _import_module

import lazy_loader as _lazy

__version__ = "0.1.0"

_listed, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
_FACES = ("io", "methods", "pipeline", "workflows")


def __getattr__(name: str) -> object:
    """Return a public name, or a package that has more of them: `segkit.pipeline`."""
    if name in _FACES:
        return _import_module(f"segkit.{name}")
    try:
        return _listed(name)
    except AttributeError as error:
        from segkit.other_names import hint_for

        raise AttributeError(f"{error}{hint_for(name, __all__)}", name=name) from None
