"""Tasks that end in other ways than by returning; the argument says which."""

import os
import signal
import sys
import time
from pathlib import Path

from taskgraph import TaskGenerator


@TaskGenerator
def killed():
    with Path("killed.log").open("a") as file:
        file.write("x")
    os.kill(os.getpid(), signal.SIGKILL)


@TaskGenerator
def vanishes():
    with Path("vanishes.log").open("a") as file:
        file.write("x")
    os._exit(0)


@TaskGenerator(timeout=0.3)
def soft():
    time.sleep(30)


@TaskGenerator(timeout=0.3)
def hard():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM, signal.SIGTERM})
    time.sleep(30)


@TaskGenerator(retries=2)
def flaky():
    path = Path("flaky.log")
    tries = len(path.read_text()) if path.exists() else 0
    path.write_text("x" * (tries + 1))
    if tries < 2:
        raise OSError(f"try {tries}")
    return tries


@TaskGenerator
def nested():
    return other(1)


@TaskGenerator
def other(x):
    return x


@TaskGenerator
def changes(items):
    items.append(1)
    return len(items)


@TaskGenerator
def unstorable():
    return lambda: 1


def changed():
    items = [1]
    changes(items)
    items.append(2)


kind = sys.argv[1]
if kind == "changed":
    changed()
else:
    globals()[kind]()
