"""What jugfiles often need, by the names of jug's module ``utils``."""

from taskgraph.utils.commands import jug_execute
from taskgraph.utils.hashed import CustomHash, hash_with_mtime_size, timed_path
from taskgraph.utils.identical import identity
from taskgraph.utils.paths import cached_glob, glob_sort, sync_move

__all__ = [
    "CustomHash",
    "cached_glob",
    "glob_sort",
    "hash_with_mtime_size",
    "identity",
    "jug_execute",
    "sync_move",
    "timed_path",
]
