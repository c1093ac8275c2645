"""A process that has loaded `tg` and forks for each call: quick, and without threads.

A line of JSON on its standard input says in which folder, with which arguments, which
environment and which standard input, and to which files goes what `tg` says; a line
with its exit code comes back. A fork of the process that runs the tests could find
locks that a thread held.
"""

import gc
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages


def call_tg(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run `tg` in a folder; return its exit code and what it said."""
    said = folder / "said"
    code = _call(folder, arguments, said, said)
    return code, said.read_text(errors="replace")


def run_tg(
    folder: Path,
    *arguments: str,
    said: Path,
    env: Mapping[str, str],
    stdin: str = "",
) -> "subprocess.CompletedProcess[str]":
    """Run `tg` in a folder, and return what `subprocess.run` does.

    What it says goes through files in the folder `said`.
    """
    (said / "in").write_text(stdin)
    out, err = said / "out", said / "err"
    code = _call(folder, arguments, out, err, said / "in", env)
    texts = [path.read_text(errors="replace") for path in (out, err)]
    return subprocess.CompletedProcess(["tg", *arguments], code, *texts)


def _call(
    folder: Path,
    arguments: tuple[str, ...],
    out: Path,
    err: Path,
    given: Path = Path(os.devnull),
    env: Mapping[str, str] | None = None,
) -> int:
    process = _forker()
    assert process.stdin is not None
    assert process.stdout is not None
    files = [str(path) for path in (given, out, err)]
    request = [str(folder), arguments, files, env and dict(env)]
    print(json.dumps(request), file=process.stdin, flush=True)
    return int(process.stdout.readline())


@cache
def _forker() -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _serve() -> None:
    for name in ("numpy", *_modules()):
        import_module(name)
    gc.freeze()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _run(*json.loads(line))
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        sys.stdout.write(f"{code}\n")
        sys.stdout.flush()


def _modules() -> list[str]:
    """Return the names of ours that a call may need, so that no fork imports them."""
    found = []
    for top in ("taskgraph", "backends.filesystem"):
        within = walk_packages(import_module(top).__path__, f"{top}.")
        found += [module.name for module in within if ".testing" not in module.name]
    return found


def _run(
    folder: str, arguments: list[str], files: list[str], env: dict[str, str] | None
) -> None:
    code = 70
    try:
        os.chdir(folder)
        if env is not None:
            os.environ.clear()
            os.environ.update(env)
            sys.pycache_prefix = env.get("PYTHONPYCACHEPREFIX")
        _redirect(*files)
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


def _redirect(given: str, out: str, err: str) -> None:
    with Path(given).open() as file:
        os.dup2(file.fileno(), 0)
    with Path(out).open("wb") as file:
        os.dup2(file.fileno(), 1)
    if out == err:
        os.dup2(1, 2)
    else:
        with Path(err).open("wb") as file:
            os.dup2(file.fileno(), 2)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(0),
        os.fdopen(1, "w"),
        os.fdopen(2, "w"),
    )


if __name__ == "__main__":
    _serve()
