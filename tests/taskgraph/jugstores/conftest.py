"""Stores that jug has left, and importing them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from taskgraph import open_store
from taskgraph.jugstores.adopting import adopt
from taskgraph.jugstores.digests import JugDigests
from taskgraph.jugstores.looking import read_jugfile, written_down
from taskgraph.jugstores.opening import open_jug_store
from taskgraph.tasks.jugfile import Jugfile

from ..forking_tg import call_tg

EVERYTHING = (Path(__file__).parent / "everything.txt").read_text()
BY_JUG = "import sys; from jug.jug import main; sys.argv[0] = 'jug'; main()"


def everything(engine, count):
    return EVERYTHING.replace("ENGINE", engine).replace("COUNT", str(count))


def jug(folder, *words):
    """Run jug in a folder."""
    command = [sys.executable, "-c", BY_JUG, *words, "--will-cite"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def jug_ran(top, count, *more):
    """Let jug execute everything there; return the folder with the script for `tg`."""
    for engine in ("jug", "taskgraph"):
        (top / engine).mkdir()
        (top / engine / "work.py").write_text(everything(engine, count))
    (top / "file").write_text("x")
    jug(top / "jug", "execute", "work.py", *more)
    return top / "taskgraph"


class Imported:
    """A jugfile, the results that jug has of it, and importing them.

    The results are put where jug looks for them, by jug itself.
    """

    def __init__(self, folder):
        self.folder = folder
        self.jugdir = folder / "work.jugdata"

    def write(self, *lines):
        head = "from taskgraph import *", "@TaskGenerator", "def f(*a, **k): return a"
        self.script = self.folder / "work.py"
        self.script.write_text("\n".join([*head, *lines]))

    def loaded_with(self, store):
        """Return the names of the jugfile, as it is read with a store."""
        return Jugfile(self.script).load(open_store(store)).space

    def left_by_jug(self, **named):
        """Let jug have values for tasks that the jugfile names so; return their files.

        A function is one that gives the value, of the jugfile's names.
        """
        from jug.backends.file_store import file_store

        space = self.loaded_with("memory://")
        digests = {name: JugDigests().of(space[name]) for name in named}
        store = file_store(str(self.jugdir))
        for name, digest in digests.items():
            left = named[name]
            store.dump(left(space) if callable(left) else left, digest.encode())
        return {name: self.path(digest) for name, digest in digests.items()}

    def path(self, digest):
        return self.jugdir / digest[:2] / digest[2:]

    def __call__(self, store="own", *, dry_run=False):
        """Import into a store; return what became of it."""
        results = open_store(self.folder / store)
        results.backend.refresh()
        jug = open_jug_store(str(self.jugdir))
        loaded, looking = read_jugfile(Jugfile(self.script), results, jug)
        tasks = written_down(loaded, looking)
        adopted = adopt(tasks, looking, self.folder, dry_run=dry_run)
        self.loaded, self.results = loaded, results
        return adopted

    def known(self, *names):
        """Return which of the tasks of these names have a result now."""
        space = Jugfile(self.script).load(self.results).space
        return [self.results.has(space[name].key) for name in names]

    def tg(self, *words, code=0):
        found, said = call_tg(self.folder, *words)
        assert found == code, said
        assert "UserWarning" not in said  # as of an option that is there twice
        return said

    def json(self, *words, code=0):
        said = self.tg(*words, "--json", code=code)
        found, _ = json.JSONDecoder().raw_decode(said[said.index("{") :])
        return found


@pytest.fixture
def imported(tmp_path):
    return Imported(tmp_path)
