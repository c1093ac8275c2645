"""What can go wrong between a worker and where its results live.

The class says whose fault it is, so that a caller can decide without reading
messages: the URL (`OpenError`), the machine (`UnavailableError`), the stored bytes
(`DamagedError`), or two programs of different age (`FormatError`).
"""

import sys


class BackendError(Exception):
    """Base of every error that a backend raises."""


class OpenError(BackendError):
    """The URL names no store that can be opened."""


class NoStoreError(OpenError):
    """There is no store in the directory that the URL names; there may be one later."""


class FormatError(BackendError):
    """The store was written by an older or a newer format than this program reads."""


class UnavailableError(BackendError):
    """The store cannot be read or written now: disk full, no permission, I/O error."""


class RewoundError(BackendError):
    """The journal lost segments that this process had read: its state is void."""

    def __init__(self, url: str) -> None:
        super().__init__(
            f"the store {url} has lost results: its journal is not what this process "
            "read before (an older copy was put in its place, a server lost or threw "
            "away what it had confirmed, or files of it were removed); start again, "
            "what is missing is computed again"
        )
        self.url = url

    def __reduce__(self) -> tuple[type["RewoundError"], tuple[str]]:
        return type(self), (self.url,)


class DamagedError(BackendError):
    """Stored bytes do not have the checksum that they were stored with.

    Attributes
    ----------
    what : str
        The segment or blob that is damaged.
    """

    def __init__(
        self,
        what: str,
        why: str,
        advice: str = "run `tg fsck --repair`, then `tg execute` computes it again",
    ) -> None:
        super().__init__(f"{what} is damaged ({why}); {advice}")
        self.what = what
        self.why = why
        self.advice = advice

    def __reduce__(self) -> tuple[type["DamagedError"], tuple[str, str, str]]:
        return type(self), (self.what, self.why, self.advice)


def pip_install(*packages: str) -> str:
    """Return the command that installs packages for the Python that runs.

    It works wherever there is a pip, also if this environment has none of its own, as
    those of uv.

    Examples
    --------
    >>> print(pip_install("redis>=5.0.1"))
    pip --python ... install 'redis>=5.0.1'
    """
    import shlex  # rarely needed, and this module at each start

    python = sys.executable or "python3"
    return shlex.join(("pip", "--python", python, "install", *packages))
