"""What the barrier waits for fails."""

from taskgraph import TaskGenerator, barrier


@TaskGenerator
def boom():
    raise RuntimeError("boom")


@TaskGenerator
def after():
    return 1


boom()
barrier()
after()
