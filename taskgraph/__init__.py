"""A memoized task graph, run by independent workers that share only a store.

Names load their modules on first use: start-up stays short.
"""

from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Read the list of public names when one is first asked for; `tg` asks for none."""
    import lazy_loader

    face = lazy_loader.attach_stub(__name__, __file__)
    found = dict(zip(("__getattr__", "__dir__", "__all__"), face, strict=True))
    globals().update(found)
    return found[name] if name in found else found["__getattr__"](name)


def __dir__() -> list[str]:
    """Return the public names."""
    return __getattr__("__all__")
