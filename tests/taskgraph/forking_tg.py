"""A process that has loaded `tg` and forks for each call: quick, and without threads.

A line of JSON on its standard input says in which folder and with which arguments; what
`tg` says goes to the file `said` in that folder, and a line with its exit code back. A
fork of the process that runs the tests could find locks that a thread held.
"""

import json
import os
import subprocess
import sys
import traceback
from functools import cache
from importlib import import_module
from pathlib import Path


def call_tg(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run `tg` in a folder; return its exit code and what it said."""
    process = _forker()
    assert process.stdin is not None
    assert process.stdout is not None
    print(json.dumps([str(folder), *arguments]), file=process.stdin, flush=True)
    code = int(process.stdout.readline())
    return code, (folder / "said").read_text(errors="replace")


@cache
def _forker() -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _serve() -> None:
    import_module("numpy")  # what nearly every call needs
    import_module("taskgraph.cli")
    for line in sys.stdin:
        folder, *arguments = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _run(folder, arguments)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        sys.stdout.write(f"{code}\n")
        sys.stdout.flush()


def _run(folder: str, arguments: list[str]) -> None:
    code = 70
    try:
        os.chdir(folder)
        with Path("said").open("wb") as file, Path(os.devnull).open() as nothing:
            os.dup2(nothing.fileno(), 0)
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        sys.argv = ["tg", *arguments]
        from taskgraph.cli import main

        main()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 0
    except BaseException:  # noqa: BLE001 - who called is to see it
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
