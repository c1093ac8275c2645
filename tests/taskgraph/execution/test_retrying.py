"""What raised is tried again once per run; what killed or took too long if asked."""

from __future__ import annotations

import os
import subprocess
import time

import pytest

from backends.interface import Row
from backends.liveness import worker_identity
from backends.opening import open_backend
from taskgraph import open_store
from taskgraph.cli.running import retry_failures
from taskgraph.execution.options import RunOptions
from taskgraph.execution.retrying import judge
from taskgraph.records import Failure
from taskgraph.results.batch import Batch
from taskgraph.results.failures import discard_failures
from taskgraph.tasks.jugfile import Jugfile

from ..rough import ENVIRONMENT, tg

JOB = """
from taskgraph import TaskGenerator

@TaskGenerator
def fail(number):
    with open("ran", "a") as file:
        file.write(f"{number} ")
    raise ValueError(number)

fail(1), fail(2)
"""


@pytest.fixture
def folder(tmp_path):
    """Return a folder in which two tasks failed."""
    (tmp_path / "job.py").write_text(JOB)
    return tmp_path


@pytest.fixture
def environment(monkeypatch):
    def be(**variables):
        for name, text in variables.items():
            monkeypatch.setitem(ENVIRONMENT, name, text)

    return be


def runs(folder):
    return len((folder / "ran").read_text().split())


def execute(folder, *options):
    return tg(folder, "execute", "-q", "job.py", *options, code=1).stderr


def loaded_of(folder):
    loaded = Jugfile(folder / "job.py").load(open_store(folder / "job.tgdata"))
    loaded.results.backend.poll()
    return loaded


def record_failures(folder, *, cause="exception", array="", worker="early"):
    """Let a worker record that both tasks failed; return its backend."""
    loaded = loaded_of(folder)
    backend = open_backend(folder / "job.tgdata", worker=worker)
    keys = list(loaded.graph)
    token = backend.claim(keys).token
    batch = Batch()
    for key in keys:
        about = ("", time.time(), 0.0, 0.0, 0)
        batch.add(key, Failure(cause, "ValueError", "x", ""), ("job.fail", ""), about)
    body = batch.encode({"array": array}, backend.places)
    assert backend.publish(keys, bytes([Row.FAILURE] * 2), body, since=token) == 2
    return backend


def failed(folder):
    return len(loaded_of(folder).results.backend.failures())


def test_the_next_run_tries_again_what_raised(folder):
    assert "tried again" not in execute(folder)
    assert "2 tasks that failed before are tried again" in execute(folder)
    assert runs(folder) == 4


def test_no_retry_leaves_them(folder):
    execute(folder)
    assert "tried again" not in execute(folder, "--no-retry")
    assert runs(folder) == 2


def test_an_array_tries_once(folder, environment):
    execute(folder)
    environment(SLURM_JOB_ID="72", SLURM_ARRAY_JOB_ID="71", SLURM_ARRAY_TASK_ID="1")
    assert "2 tasks that failed before are tried again" in execute(folder)
    environment(SLURM_JOB_ID="73", SLURM_ARRAY_TASK_ID="2")  # the next element
    told = execute(folder)
    assert "2 tasks failed in this run (slurm:71); `tg execute job.py --retry` " in told
    assert runs(folder) == 4
    environment(SLURM_JOB_ID="90", SLURM_ARRAY_JOB_ID="90")
    assert "2 tasks that failed before are tried again" in execute(folder)
    assert runs(folder) == 6


SYSTEMS = [
    {"SLURM_JOB_ID": "7"},
    {"JOB_ID": "7", "SGE_TASK_ID": "3"},
    {"PBS_JOBID": "7[3].host", "PBS_ARRAY_INDEX": "3"},
    {"LSB_JOBID": "7", "LSB_JOBINDEX": "3"},
]
NAMES = ["slurm:7", "sge:7", "pbs:7[].host", "lsf:7"]


@pytest.mark.parametrize(("environ", "name"), list(zip(SYSTEMS, NAMES, strict=True)))
def test_failures_of_the_own_array_are_of_this_run(folder, environ, name):
    record_failures(folder, array=name)
    verdict = judge(loaded_of(folder), environ)
    assert (len(verdict.same_run), verdict.because) == (2, name)
    assert len(judge(loaded_of(folder), {"SLURM_JOB_ID": "8"}).again) == 2


def test_who_joins_others_at_work_leaves_their_failures(folder):
    backend = record_failures(folder)
    with subprocess.Popen(["sleep", "60"]) as early:
        backend.members.beat("early", worker_identity(early.pid, 120.0))
        verdict = judge(loaded_of(folder), {})
        early.kill()
    assert (len(verdict.same_run), verdict.because) == (2, "early is at work")
    backend.members.leave("early")
    assert len(judge(loaded_of(folder), {}).again) == 2


def test_workers_of_the_own_supervisor_are_no_others(folder):
    backend = record_failures(folder)
    for pid, supervisor in ((os.getpid(), None), (1, os.getppid())):
        backend.members.beat("early", worker_identity(pid, 120.0, supervisor))
        assert len(judge(loaded_of(folder), {}).again) == 2
        backend.members.leave("early")


@pytest.mark.parametrize("cause", ["killed", "timeout"])
def test_what_kills_or_takes_too_long_is_run_again_if_asked(folder, cause):
    record_failures(folder, cause=cause)
    told = execute(folder)
    assert "2 tasks killed a worker or took too long" in told
    assert not (folder / "ran").exists()
    assert "2 tasks that failed before are tried again" in execute(folder, "--retry")
    assert runs(folder) == 2


UNSTORABLE = """
from pathlib import Path
from taskgraph import TaskGenerator

def returned(number):
    return RETURNED

@TaskGenerator(files=True)
def write(number):
    with open("ran", "a") as file:
        file.write(f"{number} ")
    Path(f"out-{number}").touch()
    return returned(number)

write(1), write(2)
"""


@pytest.mark.parametrize("returned", ["None", "Path('gone.tif')", "(x for x in 'a')"])
def test_what_returned_what_cannot_be_stored_is_tried_again_once_a_run(
    tmp_path, returned
):
    job = tmp_path / "job.py"
    job.write_text(UNSTORABLE.replace("RETURNED", returned))
    told = tg(tmp_path, "execute", "job.py", code=1).stderr
    assert "tries once more what raised an exception or returned what cannot" in told
    told = execute(tmp_path)
    assert "2 tasks that failed before are tried again" in told
    assert "killed a worker" not in told
    assert runs(tmp_path) == 4
    mended = "return Path(f'out-{number}')"
    job.write_text(job.read_text().replace(f"return {returned}", mended))
    tg(tmp_path, "execute", "job.py", code=0)  # its own code is what it was
    assert runs(tmp_path) == 6


def test_workers_that_start_together_leave_each_other_s_fresh_failures(folder):
    record_failures(folder)
    anna, bert = loaded_of(folder), loaded_of(folder)
    began = [one.results.backend.claim([]).token for one in (anna, bert)]
    retry_failures(anna, RunOptions(), began[0])
    assert failed(folder) == 0
    record_failures(folder, worker="anna")  # as soon as that, and gone again

    retry_failures(bert, RunOptions(), began[1])

    assert failed(folder) == 2


def test_of_two_that_decide_at_once_one_discards(folder):
    record_failures(folder)
    anna, bert = loaded_of(folder), loaded_of(folder)
    began = bert.results.backend.claim([]).token
    verdict = judge(bert, {})
    assert len(verdict.again) == 2  # bert has decided, and has not yet written

    retry_failures(anna, RunOptions(), began)
    record_failures(folder, worker="anna")
    backend = bert.results.backend

    assert (
        discard_failures(backend, verdict.again, reason="retry", before=began) is None
    )
    assert failed(folder) == 2


def test_a_damaged_failure_is_run_again_and_stops_nobody(folder):
    execute(folder)
    logs = sorted((folder / "job.tgdata" / "log" / "000000").iterdir())
    path = max(logs, key=lambda log: log.stat().st_size)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)

    assert "why is lost" in tg(folder, "errors", "job.py").stderr
    tg(folder, "retry", "job.py")
    execute(folder, "--no-retry")

    assert runs(folder) == 4
    assert tg(folder, "errors", "job.py").stdout.count("ValueError") >= 2


HELPED = """
import helpers
from taskgraph import TaskGenerator

def {name}(x):
    return x + {number}

class Tool:
    factor = 1
    def use(self, x):
        return x * {factor}

@TaskGenerator
def work(x):
    return {name}(x) + Tool().use(x) + helpers.more(x)

@TaskGenerator
def other(x):
    return x

work(1), other(1)
"""
HELPERS = "def more(x):\n    return deep(x) + 1\ndef deep(x):\n    return x - {depth}\n"
SAME = {"name": "add", "number": 1, "factor": 2, "depth": 3}


def write(folder, **change):
    values = {**SAME, **change}
    (folder / "job.py").write_text(HELPED.format(**values))
    (folder / "helpers.py").write_text(HELPERS.format(**values))


@pytest.mark.parametrize("change", [{"number": 5}, {"factor": 5}, {"depth": 5}, {}])
def test_a_changed_helper_is_told(tmp_path, change):
    write(tmp_path)
    tg(tmp_path, "execute", "-q", "job.py")
    write(tmp_path, **change)
    told = tg(tmp_path, "execute", "-q", "job.py").stderr
    assert ("code of `work`" in told) == bool(change)
    assert "`other`" not in told
