"""Workers that share resources, by real processes, also while they are killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from backends.errors import BackendError
from backends.opening import open_backend
from taskgraph import TaskGenerator, WorkerOptions, run, status, value
from taskgraph.errors import GaveUpError, OptionError
from taskgraph.execution.options import offered_by

from ...rough import ENVIRONMENT, TG, assert_sound, tg

GPUS = 3
JOB = f"""
import fcntl
import random
import time
from contextlib import ExitStack
from pathlib import Path

from taskgraph import TaskGenerator

HERE = Path(__file__).parent

def use(count, seconds):
    '''Lock as many files as there are devices to use; the system frees the dead's.'''
    with ExitStack() as stack:
        got = 0
        for number in range({GPUS}):
            file = stack.enter_context(open(HERE / f"gpu-{{number}}", "w"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            got += 1
            if got == count:
                break
        if got < count:
            with open(HERE / "exceeded", "a") as log:
                log.write(f"{{got}} of {{count}}\\n")
        time.sleep(seconds)
    return count

@TaskGenerator(resources={{"gpu": 1, "mem": "1G"}})
def small(number, *needs):
    return use(1, 0.01 + number % 5 / 100)

@TaskGenerator(resources={{"gpu": 2}})
def middle(number, *needs):
    return use(2, 0.02)

@TaskGenerator(resources={{"gpu": {GPUS}}})
def whole(number, *needs):
    return use({GPUS}, 0.02)

@TaskGenerator
def plain(number, *needs):
    time.sleep(0.01)
    return number

for number in range(ROUNDS):
    first = small(number)
    plain(number, whole(number, first), middle(number, plain(-number, first)))
"""
ROUNDS = 6


def at_work(folder, supervisor):
    """Return the processes of workers that a process has started and that took tasks.

    Of those that only read the jugfile some have to live, or the run is given up.
    """
    with suppress(OSError, BackendError):
        path = Path(f"/proc/{supervisor}/task/{supervisor}/children")
        children = {int(child) for child in path.read_text().split()}
        members = open_backend(str(folder / "job.tgdata"), create=False).members
        return sorted(children & {each.identity["pid"] for each in members.all()})
    return []


def storm(folder, rounds, *, kills=0.0, seed=1):
    """Run the job on eight workers, some of which are killed now and then."""
    (folder / "job.py").write_text(JOB.replace("ROUNDS", str(rounds)))
    words = ["execute", "job.py", "-q", "-j", "8", "--resources", f"gpu={GPUS},mem=2G"]
    rng, killed = random.Random(seed), 0
    running = subprocess.Popen([TG, *words], cwd=folder, env=ENVIRONMENT)
    while running.poll() is None:
        time.sleep(kills * rng.uniform(0.5, 1.5))
        if victims := at_work(folder, running.pid):
            with suppress(ProcessLookupError):
                os.kill(rng.choice(victims), signal.SIGKILL)
                killed += 1
    tg(folder, *words, "--retry")  # a task that was hit three times has failed
    assert_sound(folder / "job.tgdata", 5 * rounds)
    assert not (folder / "exceeded").exists()
    return killed


def test_eight_workers_never_use_more_than_there_is_and_none_starves(tmp_path):
    assert storm(tmp_path, ROUNDS, kills=0.3) > 0


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_neither_do_they_when_they_are_killed_for_a_minute(tmp_path, seed):
    assert storm(tmp_path, 150, kills=0.4, seed=seed) > 10


@TaskGenerator(resources={"gpu": 1})
def train(number):
    return number


@TaskGenerator
def score(trained):
    return 10 * trained


def test_tasks_run_where_their_resources_are(tmp_path):
    tasks = [score(train(number)) for number in range(4)]
    run(tasks, store=str(tmp_path / "s"), workers=2, resources={"gpu": 1})
    assert value(tasks) == [0, 10, 20, 30]


@pytest.mark.parametrize("workers", [0, 2])
def test_what_nobody_can_run_ends_a_run_with_its_name(tmp_path, workers):
    tasks = [score(train(number)) for number in range(4)]
    told = r"4 tasks of \S*train wait for gpu=1, .* have mem=1G.*run\(resources="
    with pytest.raises(GaveUpError, match=told):
        run(
            [*tasks, score(5)],
            store=str(tmp_path / "s"),
            workers=workers,
            resources="mem=1G",
            options=WorkerOptions(max_wait=0.3),
        )
    assert status([*tasks, score(5)], store=str(tmp_path / "s")).done == 1


def test_resources_that_make_no_sense_are_refused():
    with pytest.raises(OptionError, match=r"run: resources=.*gpu=-1 is no amount"):
        run(train(1), resources={"gpu": -1})


def test_a_command_without_them_leaves_the_tasks_to_one_that_has_them(tmp_path):
    (tmp_path / "job.py").write_text(
        "import time\n"
        "from taskgraph import TaskGenerator\n"
        "@TaskGenerator(resources={'gpu': 1})\n"
        "def train(n):\n    time.sleep(0.3)\n    return n\n"
        "@TaskGenerator\ndef score(n):\n    return n\n"
        "for n in range(3):\n    score(train(n))\n"
    )
    words = ("execute", "job.py", "--max-wait", "0.5")
    done = tg(tmp_path, *words, code=5)
    told = "3 tasks of job.train wait for gpu=1, and no worker that is alive has it"
    assert told in done.stderr
    assert "`tg execute job.py --resources gpu=1`" in done.stderr
    seen = tg(tmp_path, "status", "job.py")
    assert "3 tasks of job.train wait for gpu=1: no worker has it" in seen.stderr
    why = tg(tmp_path, "explain", "job.py", "train").stdout
    assert "it waits for a worker that has gpu=1" in why
    other = subprocess.Popen(
        [TG, "execute", "job.py", "-q"],
        cwd=tmp_path,
        env=ENVIRONMENT | {"TG_EXECUTE_RESOURCES": "gpu=1"},
    )
    backend, names = open_backend(str(tmp_path / "job.tgdata")), set()
    while not (names or other.poll() is not None):
        names = backend.members.names()
    offers = [str(offered_by(x.identity)) for x in backend.members.some(names)]
    tg(tmp_path, "execute", "job.py", "-q")  # waits for the other one
    assert other.wait() == 0
    assert offers == ["gpu=1"]


def test_settings_and_submitted_jobs_have_them(tmp_path):
    (tmp_path / "job.py").write_text("from taskgraph import Task\nTask(abs, -1)\n")
    (tmp_path / "tg.toml").write_text('[submit]\nresources = {gpu = 1, mem = "32G"}\n')
    words = ("submit", "job.py", "--local", "--dry-run")
    assert "--resources gpu=1,mem=32G" in tg(tmp_path, *words).stdout
    refused = tg(tmp_path, *words, "--resources", "gpu=1,gpu=2", code=2)
    assert "'gpu' is there twice" in refused.stderr
