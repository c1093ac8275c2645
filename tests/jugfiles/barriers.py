"""How many tasks there are is known only when others are done."""

from taskgraph import TaskGenerator, barrier, bvalue


@TaskGenerator
def count():
    return 3


@TaskGenerator
def item(i):
    return 10 * i


@TaskGenerator
def total(xs):
    return sum(xs)


n = bvalue(count())
items = [item(i) for i in range(n)]
barrier()
result = total(items)
