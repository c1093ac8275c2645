"""Tasks that spoil the process they run in: they answer for it, nobody else."""

import faulthandler
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from backends import OpenError
from backends.interface import Cause
from taskgraph import TaskGenerator, open_store, run, value
from taskgraph.execution.observer import Observer
from taskgraph.execution.options import RunOptions
from taskgraph.execution.processes.worker_process import HasRead
from taskgraph.execution.supervisor import Supervisor
from taskgraph.tasks.jugfile import Jugfile
from taskgraph.tasks.recording import Recording, recorded_in


@TaskGenerator
def spoil(how, folder):
    {
        "low descriptors": lambda: os.closerange(0, 21),
        "high descriptors": lambda: os.closerange(3, 1024),
        "descriptors": lambda: os.closerange(0, 1024),
        "standard output": lambda: os.dup2(os.open(os.devnull, os.O_WRONLY), 1),
        "streams": lambda: (sys.stdout.close(), setattr(sys, "stderr", None)),
        "folder": lambda: os.chdir("/"),
        "mask": lambda: os.umask(0o777),
        "signals": lambda: [
            signal.signal(number, signal.SIG_IGN)
            for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGALRM)
        ],
    }[how]()
    return how


@TaskGenerator(timeout=30)
def behave(before):
    print(f"after {before}")  # noqa: T201 - what is tested
    os.write(2, b"!\n")
    mask = os.umask(0)
    os.umask(mask)
    return str(Path.cwd()), mask


class Unpicklable:
    def __reduce__(self):
        raise ValueError("not this one")


@TaskGenerator
def end_strangely(how):
    if how == "unpicklable":
        return Unpicklable()
    if how == "surrogates":
        raise ValueError("file-\udcff\ud800.tif")
    if how == "long":
        raise ValueError("x" * 10_000_000)
    raise OpenError("the store of somebody else")


@TaskGenerator
def noise(count):
    return np.random.default_rng(1).random(count)


@TaskGenerator
def cut_own_argument(array, store, folder):
    """Cut the file behind an argument, the first time, and read on."""
    faulthandler.disable()
    first = Path(folder, "first")
    if not first.exists():
        first.touch()
        (blob,) = Path(store).glob("blobs/*/*.npy")
        os.truncate(blob, 4096)
    return float(array.sum())


@TaskGenerator
def strike():
    faulthandler.disable()
    os.kill(os.getpid(), signal.SIGBUS)


@TaskGenerator
def remove(store):
    shutil.rmtree(store)


@TaskGenerator
def end_a_child(number):
    """Fork, end the child by the signal that a pool uses, and say what it died of."""
    pid = os.fork()
    if not pid:
        while True:
            time.sleep(0.1)
    os.kill(pid, signal.SIGTERM)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


@TaskGenerator
def call_true():
    return subprocess.run(["true"], check=True).returncode


@TaskGenerator
def leave_a_thread():
    threading.Thread(target=time.sleep, args=(60,)).start()


@TaskGenerator
def quick(number):
    return number


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def recording(store):
    with recorded_in(Recording(open_store(store))) as recording:
        yield recording


def supervise(recording, *, workers=1):
    """Run what was written down; return the exit code and what was said."""
    from taskgraph.interactive.sources import Fixed

    source, said = Fixed(recording.tasks), []
    loaded = source.load(recording.results)
    options, observer = RunOptions(workers=workers), Observer(note=said.append)
    what = HasRead(source, loaded, "")
    return Supervisor(what, options, observer=observer).run(), said


@pytest.mark.parametrize(
    "how",
    [
        "low descriptors",
        "high descriptors",
        "descriptors",
        "standard output",
        "streams",
        "folder",
        "mask",
        "signals",
    ],
)
def test_what_a_task_spoils_is_put_back_for_the_next(recording, tmp_path, how):
    task = behave(spoil(how, tmp_path))
    mask = os.umask(0)
    os.umask(mask)

    assert supervise(recording) == (0, [])

    recording.results.backend.poll()
    assert value(task) == (str(Path.cwd()), mask)
    assert recording.results.record(task.key).output == f"after {how}\n!\n"


@pytest.mark.parametrize(
    ("how", "cause", "message"),
    [
        ("unpicklable", "unstorable", "not this one"),
        ("surrogates", "exception", r"file-\udcff\ud800.tif"),
        ("long", "exception", "xxx...xxx"),
        ("backend", "exception", "somebody else"),
    ],
)
def test_a_strange_end_is_a_failure_of_its_own(recording, how, cause, message):
    bad, good = end_strangely(how), quick(1)

    report = run(recording.tasks, check=False)

    assert (report.done, report.failed) == (1, 1)
    assert value(good) == 1
    failure = recording.results.record(bad.key).failure
    assert failure.cause == cause
    assert message in failure.message
    assert len(failure.message) + len(failure.traceback) < 100_000
    assert (failure.message + failure.traceback).encode()


def test_a_worker_that_breaks_over_a_task_gives_it_up_after_three(
    recording, monkeypatch
):
    def broken(*_what):
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr("taskgraph.execution.runner.summary", broken)
    task = quick("text")

    code, said = supervise(recording)

    recording.results.backend.poll()
    assert recording.results.record(task.key).failure.cause == "killed"
    assert len([words for words in said if "nobody thought of this" in words]) == 1
    assert [words for words in said if "exit code 70 while it ran" in words]
    assert code == 0


def test_a_mapped_file_that_is_cut_is_computed_again_and_nobody_blamed(
    recording, store, tmp_path
):
    task = cut_own_argument(noise(100_000), str(store), str(tmp_path))

    code, said = supervise(recording)

    recording.results.backend.poll()
    assert code == 0
    assert value(task) == np.random.default_rng(1).random(100_000).sum()
    (sentence,) = said
    assert "SIGBUS" in sentence
    assert "has 4096 bytes instead of" in sentence
    assert recording.results.backend.deaths(task.key) == {}


def test_a_bus_error_of_the_task_itself_is_blamed_on_it(recording):
    task = strike()

    _, said = supervise(recording)

    recording.results.backend.poll()
    assert recording.results.backend.deaths(task.key) == {Cause.KILLED: 3}
    assert all("cut short or cannot be read; `tg fsck`" in words for words in said)


def test_signals_to_processes_of_a_task_mean_them_alone(recording):
    tasks = [end_a_child(number) for number in range(3)]
    assert supervise(recording) == (0, [])
    recording.results.backend.poll()
    assert value(tasks) == [-signal.SIGTERM] * 3


def test_children_are_waited_for_by_those_who_were_told_to_ignore_them(recording):
    task = call_true()
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert supervise(recording) == (0, [])
        assert signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGCHLD, before)
    recording.results.backend.poll()
    assert value(task) == 0


@pytest.mark.parametrize("workers", [1, 3])
def test_a_store_that_a_task_removes_ends_the_run_with_one_sentence(
    recording, store, workers
):
    remove(str(store))
    for number in range(20):
        quick(number)

    code, said = supervise(recording, workers=workers)

    assert code == 4
    assert [words for words in said if "start again" in words]
    assert len(said) == len(set(said)) <= 2
    assert not [words for words in said if "Traceback" in words]


def test_names_of_files_that_are_not_text_do_no_harm(tg):
    folder = tg.folder / os.fsdecode(b"b\xffd")
    folder.mkdir()
    path = folder / os.fsdecode(b"j\xffb.py")
    path.write_text("from taskgraph import TaskGenerator\n@TaskGenerator\n"
                    "def f(x): return x\nf(1)\n")  # fmt: skip

    report = run(path)

    assert report.done == 1
    backend = report.store.backend
    assert Jugfile(path).load(report.store).space["f"].name.encode(errors="replace")
    assert report.store.record(next(iter(backend.keys()))).name.endswith(".f")
    assert tg.json("status", path)["total"]["done"] == 1


def test_a_worker_whose_threads_do_not_end_is_ended(recording, monkeypatch):
    monkeypatch.setattr("taskgraph.execution.processes.child._LINGER", 0.5)
    leave_a_thread()

    code, said = supervise(recording)

    assert code == 0
    assert len(said) == 1
    assert "does not end" in said[0]
