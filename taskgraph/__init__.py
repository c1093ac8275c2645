"""A memoized task graph, run by independent workers that share only a store.

Names load their modules on first use: start-up stays short. So do jug's modules, such
as `taskgraph.utils`, which scripts may ask for without importing them by name.
"""

from typing import Any

__version__ = "0.1.0"
_MODULES = (
    *("backends", "compound", "hash", "hooks", "io", "mapreduce", "task", "unsafe"),
    *("dict_store", "file_store", "redis_store", "utils"),
)


def __getattr__(name: str) -> Any:
    """Read the list of public names when one is first asked for; `tg` asks for none."""
    if name in _MODULES:
        return _module(name)
    import lazy_loader

    face = lazy_loader.attach_stub(__name__, __file__)
    found = dict(zip(("__getattr__", "__dir__", "__all__"), face, strict=True))
    globals().update({key: found[key] for key in ("__dir__", "__all__")})
    of_face = found["__getattr__"]

    def attribute(name: str) -> Any:
        return _module(name) if name in _MODULES else of_face(name)

    globals()["__getattr__"] = attribute
    return found[name] if name in found else of_face(name)


def _module(name: str) -> Any:
    from importlib import import_module

    home = f"{__name__}.backends" if name.endswith("_store") else __name__
    return import_module(f"{home}.{name}")


def __dir__() -> list[str]:
    """Return the public names."""
    return __getattr__("__all__")
