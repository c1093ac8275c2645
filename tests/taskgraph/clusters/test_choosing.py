"""How many jobs `tg submit` finds useful, and to which system it gives them."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager

from backends.opening import open_backend
from taskgraph import WorkerOptions
from taskgraph.resources import Resources

from .test_submitting import use


def test_jobs_are_useful_that_may_run_what_is_ready(tg):
    use(tg, "lsf")
    tg.write(
        "job.py",
        "from taskgraph import TaskGenerator\n"
        "@TaskGenerator(resources={'gpu': 1})\n"
        "def on_gpu(n):\n"
        "    return n\n"
        "@TaskGenerator\n"
        "def anywhere(n):\n"
        "    return n\n"
        "for n in range(3):\n"
        "    on_gpu(n), anywhere(n)\n"
        "anywhere(3)\n",
    )

    def useful(*given):
        said = tg("submit", "job.py", "-n", "50", "--top-up", *given, "--dry-run")
        sizes = re.findall(r"\[1-(\d+)\]", said.stdout)
        return int(sizes[0]) if sizes else 0

    assert useful() == 4
    assert useful("--resources", "gpu=2") == 7
    assert useful("--resources", "gpu=1", "--name", "on_gpu") == 3
    assert useful("--name", "on_gpu") == 0
    with worker_with(tg.folder / "job.tgdata", "gpu=1"):
        assert useful("--name", "on_gpu", "--resources", "gpu=1") == 2
        assert useful() == 3
    with worker_with(tg.folder / "job.tgdata", ""):
        assert useful("--name", "on_gpu", "--resources", "gpu=1") == 3


@contextmanager
def worker_with(store, has):
    """Let a worker be there that has some resources."""
    backend = open_backend(store)
    options = WorkerOptions(resources=Resources.of(has))
    backend.members.beat("w", options.identity(os.getpid(), 120.0))
    try:
        yield
    finally:
        backend.members.leave("w")


def test_of_two_systems_none_is_chosen(tg):
    use(tg, "pbs", "lsf")
    tg.jugfile("slow.py")

    for given in (("--lsf", "--pbs"), ("--pbs", "--lsf", "--dry-run")):
        said = tg("submit", "slow.py", *given, code=2).stderr
        assert f"{given[0]} and {given[1]} are two ways: give one" in said
    assert "#BSUB" in tg("submit", "slow.py", "--lsf", "--lsf", "--dry-run").stdout
    tg.write("tg.toml", "[submit]\nsystem = 'pbs'\n")
    assert "#PBS" in tg("submit", "slow.py", "--dry-run").stdout
    assert "#BSUB" in tg("submit", "slow.py", "--lsf", "--dry-run").stdout
