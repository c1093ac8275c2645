"""Many calls in few tasks, and what they come to, by the names of jug's module.

The steps are numbers that the jugfile says, or fixed ones: steps by how long things
took would be others in each worker, and so would be the tasks.
"""

from taskgraph.mapreduce.building import (
    currymap,
    map,  # noqa: A004 - jug's name
    mapreduce,
    reduce,
)
from taskgraph.mapreduce.mapped import Mapped

__all__ = ["Mapped", "currymap", "map", "mapreduce", "reduce"]
