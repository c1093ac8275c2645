"""All values that a store has of a jugfile, by name, as one number.

A program, too, for machines that share nothing but a directory with the tests:
`python -m tests.clusters.digest JUGFILE STORE`.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from taskgraph.context import open_store
from taskgraph.upkeep.snapshot import load

if TYPE_CHECKING:
    from collections.abc import Iterator


def digest_of(jugfile: Path, store: str) -> str:
    """Return how many values there are, and a digest of their names and themselves.

    It asks the store, and does not run the jugfile. A value that is not there is an
    error, as is one for which the store has not what the graph names.
    """
    results = open_store(store, create=False)
    results.backend.poll()
    graph = load(results.backend, jugfile)
    assert graph is not None, f"{jugfile} never ran with {store}"
    assert graph.complete, f"{jugfile} was not read to its end"
    whole = hashlib.sha256()
    for key, name in sorted(graph.named().items()):
        for part in (name.encode(), key, *parts(results.load(key, name))):
            whole.update(b"%d:" % len(part) + part)
    assert results.backend.locks() == []
    return f"{len(graph)} {whole.hexdigest()}"


def parts(value: object) -> Iterator[bytes]:
    """Yield what a value consists of, each part with its type.

    It is written down here once more, so that no mistake of the package hides itself.
    """
    yield type(value).__name__.encode()
    if isinstance(value, np.ndarray):
        yield repr((value.dtype.str, value.shape)).encode()
        yield value.tobytes()
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from (*parts(key), *parts(each))
    elif isinstance(value, (list, tuple, set)):
        for each in sorted(value) if isinstance(value, set) else value:
            yield from parts(each)
    else:
        yield repr(value).encode()


if __name__ == "__main__":
    sys.stdout.write(digest_of(Path(sys.argv[1]), sys.argv[2]))
