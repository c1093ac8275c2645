"""Runs many jugfiles under one engine, each in a process of its own.

``python engine.py jug|taskgraph WORKERS FOLDER...`` runs the ``work.py`` in each folder
and writes ``values.json`` there: the text of each value, by name. If there are two
workers, one is killed, unless it is jug's.
"""

import contextlib
import importlib
import json
import os
import signal
import sys
import threading
import time
import traceback
import types
from pathlib import Path

import numpy as np

np.random.default_rng  # noqa: B018 - loaded once, for all that are forked


def execute(engine, workers):
    """Run the jugfile, as the command does."""
    if engine == "jug":
        from jug.jug import main

        options = ["--keep-going", "--nr-wait-cycles=1", "--wait-cycle-time=0"]
        command = [
            "jug",
            "execute",
            "work.py",
            "--jugdir=store",
            "--will-cite",
            *options,
        ]
    else:
        from taskgraph.cli import main

        command = ["tg", "execute", "work.py", "--store=store", "-q", f"-j{workers}"]
    sys.argv = command
    main()


def values(engine):
    """Return the value of each public name of the jugfile, as text."""
    module = importlib.import_module(engine)
    os.environ.pop("_TASKGRAPH_STORE", None)
    sys.modules.pop("work", None)
    if engine == "jug":
        importlib.import_module("jug.task").alltasks.clear()
        importlib.import_module("jug.hooks").reset_all_hooks()
    _, space = module.init("work.py", "store", on_error="propagate")
    return {
        name: text_of(module, found)
        for name, found in space.items()
        if not (name.startswith("_") or isinstance(found, types.ModuleType | type))
        and getattr(type(found), "__name__", "") not in ("function", "TaskGenerator")
        and not (callable(found) and not hasattr(found, "can_load"))
    }


def text_of(module, found):
    try:
        return repr(module.value(found))
    except Exception as error:  # noqa: BLE001 - one that has none, of whatever class
        return f"no value: {type(error).__name__ in NONE}"


NONE = {"AssertionError", "NoResultError", "MissingResultError", "RuntimeError"}


def kill_a_worker(of, pause):
    """Kill a worker of a process, some seconds after it has one."""
    children = Path(f"/proc/{of}/task/{of}/children")
    with contextlib.suppress(OSError):
        while children.exists() and not children.read_text():
            time.sleep(0.001)
        time.sleep(pause)
        for worker in children.read_text().split()[:1]:
            os.kill(int(worker), signal.SIGKILL)


def in_child(do, meanwhile=None):
    """Do something in a process of its own."""
    child = os.fork()
    if not child:
        code = 1
        try:
            do()
            code = 0
        except BaseException:  # noqa: BLE001 - told, and no test of this process
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)
    if meanwhile is not None:
        threading.Thread(target=meanwhile, args=(child,), daemon=True).start()
    os.waitpid(child, 0)


def run(engine, workers, folder):
    os.chdir(folder)
    sys.path.insert(0, str(folder))

    def run_it():
        with Path("said.txt").open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        execute(engine, workers)

    def keep_values():
        with contextlib.redirect_stdout(sys.stderr):
            found = values(engine)
        Path("values.json").write_text(json.dumps(found))

    pause = len(folder.name) % 7 * 0.03  # some other moment in each
    kill = engine != "jug" and workers != "1"
    in_child(run_it, (lambda of: kill_a_worker(of, pause)) if kill else None)
    in_child(keep_values)


if __name__ == "__main__":
    engine, workers, *folders = sys.argv[1:]
    importlib.import_module(engine)
    for folder in folders:
        in_child(lambda folder=folder: run(engine, workers, Path(folder)))
