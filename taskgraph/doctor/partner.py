"""Takes part in the examination of a store: ``python -m taskgraph.doctor.partner``.

`tg doctor` starts some on its own machine, and one on each ``--peer`` by ssh.
"""

from __future__ import annotations

import sys

from backends.errors import BackendError
from taskgraph.doctor.meeting import partner
from taskgraph.exit_codes import ExitCode


def main(store: str, name: str) -> int:
    """Take part; return the exit code."""
    try:
        partner(store, name)
    except BackendError as error:
        print(error, file=sys.stderr)  # noqa: T201 - who started it reads and shows it
        return ExitCode.STORE_FAILED
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
