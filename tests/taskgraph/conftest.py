"""Real `tg` processes on jugfiles that are copied into a folder of their own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .forking_tg import run_tg

JUGFILES = Path(__file__).parent.parent / "jugfiles"
TG = Path(sys.executable).with_name("tg")


class Tg:
    """Runs `tg` in a folder; `folder` is also where the jugfiles are put."""

    def __init__(self, folder, cache=None):
        self.folder = folder
        self.cache = cache
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("TG_")}
        # Compiling every module in each of some hundred processes takes minutes.
        self.env.pop("PYTHONDONTWRITEBYTECODE", None)
        self.env["PYTHONPYCACHEPREFIX"] = str((cache or folder) / "pyc")
        self.started = []
        self.script = TG

    def jugfile(self, name, *, to=None):
        source = JUGFILES / name
        target = self.folder / (to or name.removesuffix(".txt"))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
        return target

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def __call__(self, *args, code=0, env=None, stdin="", prepare=None):
        done = subprocess.run(
            [TG, *map(str, args)],
            cwd=self.folder,
            env={**self.env, **(env or {})},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=100,
            preexec_fn=prepare,
            check=False,
        )
        return checked(done, args, code)

    def ran(self, name, *, code=0):
        """Put a jugfile here together with the store of a run that was made before."""
        folder = self.cache / name.removesuffix(".py")
        if not folder.exists():
            folder.mkdir()
            before = Tg(folder, self.cache)
            before.jugfile(name)
            before("execute", "-q", name, code=code)
        shutil.copytree(folder, self.folder, dirs_exist_ok=True)
        return self.folder / name

    def json(self, command, *args, code=0):
        return json.loads(self(command, "--json", *args, code=code).stdout)

    def start(self, *args):
        """Start `tg` in a process group of its own."""
        process = subprocess.Popen(
            [TG, *map(str, args)],
            cwd=self.folder,
            env=self.env | {"PYTHONFAULTHANDLER": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def wait_for(self, pattern, number=1):
        """Return when there are so many files of a name or pattern."""
        end = time.monotonic() + 60
        while len(found := list(self.folder.glob(pattern))) < number:
            assert time.monotonic() < end, (pattern, len(found), self._aborted())
            time.sleep(0.05)

    def _aborted(self):
        """End what runs; return what it said, and where each thread was."""
        for process in self.started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGABRT)
        return [process.communicate()[0] for process in self.started]

    def stop(self):
        for process in self.started:
            if process.poll() is None:
                os.killpg(process.pid, 9)
            process.communicate()


class ForkedTg(Tg):
    """Runs `tg` in forks of a process that has loaded it: a third of the time.

    What is promised of a fresh process (imports, start-up, `prepare`) needs `Tg`.
    """

    def __call__(self, *args, code=0, env=None, stdin="", prepare=None):
        if prepare is not None:
            return super().__call__(
                *args, code=code, env=env, stdin=stdin, prepare=prepare
            )
        said = self.cache / "said"
        said.mkdir(exist_ok=True)
        env = {**self.env, **(env or {})}
        done = run_tg(self.folder, *map(str, args), said=said, env=env, stdin=stdin)
        return checked(done, args, code)


def checked(done, args, code):
    """Return what `tg` said, if it ended as it should."""
    said = f"tg {' '.join(map(str, args))}\n{done.stdout}\n{done.stderr}"
    assert done.returncode == code, said
    assert "Traceback" not in done.stderr or "execute" in args, said
    return done


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """Return where the stores of finished runs are kept."""
    folder = tmp_path_factory.mktemp("runs")
    if "PYTEST_XDIST_WORKER" in os.environ:  # who has compiled a module, has for all
        shared = tmp_path_factory.getbasetemp().parent / "pyc"
        shared.mkdir(exist_ok=True)
        (folder / "pyc").symlink_to(shared)
    return folder


@pytest.fixture
def tg(fresh_tg):
    """Run `tg` in an empty folder."""
    return fresh_tg


@pytest.fixture
def fresh_tg(tmp_path, runs):
    """Run `tg` in an empty folder, each time in a fresh process."""
    runner = Tg(tmp_path, runs)
    yield runner
    runner.stop()


@pytest.fixture
def forked_tg(tmp_path, runs):
    """Run `tg` in an empty folder, in forks; a file of tests makes it its `tg`."""
    runner = ForkedTg(tmp_path, runs)
    yield runner
    runner.stop()
