"""Results that are hard to print: a long one, and one that no encoding has."""

from taskgraph import TaskGenerator


@TaskGenerator
def many():
    return [f"{number:040}" for number in range(50_000)]


@TaskGenerator
def strange():
    return "a\udc80b"


many()
strange()
