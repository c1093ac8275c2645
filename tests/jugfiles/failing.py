"""Some tasks fail, others wait for them, others do not care."""

from taskgraph import TaskGenerator


@TaskGenerator
def load(i):
    print("loading", i)
    if i % 2:
        raise ValueError(f"bad file {i}")
    return i


@TaskGenerator
def merge(items):
    return sum(items)


@TaskGenerator
def leave():
    raise SystemExit("the task wants to leave")


items = [load(i) for i in range(6)]
whole = merge(items)
some = merge(items[::2])
leave()
