"""For tests of one's own jugfiles, and of one's own backends."""

from typing import TYPE_CHECKING

from taskgraph.testing.trial import Trial

if TYPE_CHECKING:
    from backends.testing import BackendContract

__all__ = ["BackendContract", "Trial"]


def __getattr__(name: str) -> object:
    """Load what needs pytest when somebody asks for it."""
    if name == "BackendContract":
        from backends.testing import BackendContract

        return BackendContract
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
