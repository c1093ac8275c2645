"""A jugfile that raises."""

from taskgraph import TaskGenerator


@TaskGenerator
def f(x):
    return x


f(1)
raise KeyError("nothing here")
