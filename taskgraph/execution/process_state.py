"""What a task may change of its process, and the next one must not find changed."""

from __future__ import annotations

import os
from contextlib import suppress


class ProcessState:
    """The working directory, and the mode of new files, as they are now.

    The store is written with them, and a relative path means the same to every task.
    """

    def __init__(self) -> None:
        self._folder = ""
        with suppress(OSError):  # somebody removed it
            self._folder = os.getcwd()  # noqa: PTH109 - as short as it is fast
        self._mask = os.umask(0o077)
        os.umask(self._mask)

    def restore(self) -> None:
        """Put them back."""
        os.umask(self._mask)
        try:  # noqa: SIM105 - after each task: twice as fast as suppress()
            os.chdir(self._folder)
        except OSError:  # it was removed
            pass
