"""A lambda has no name."""

from taskgraph import Task

Task(lambda: 1)
