"""A program that reads a jugfile and runs some of its tasks, publishing nothing.

It is told by its standard input what to run, and tells by its standard output what came
of each; what tasks print goes to its standard error. The results are put into a scratch
store beside, for whoever asked. Started by `taskgraph.verification.passes`.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgpack

from backends.errors import DamagedError
from backends.interface import Row
from backends.opening import open_backend
from taskgraph.errors import MissingResultError, TaskgraphError
from taskgraph.execution.runner import Runner
from taskgraph.execution.writing.needed import NotRunError
from taskgraph.records import Failure
from taskgraph.results.batch import Batch
from taskgraph.results.results import Results
from taskgraph.tasks.jugfile import Jugfile
from taskgraph.verification.unseeded import MADE, Watch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgraph.tasks.graph import Graph
    from taskgraph.tasks.task import Task


def main() -> None:
    """Do what is asked on standard input."""
    order = json.load(sys.stdin)
    with os.fdopen(os.dup(1), "w") as told:
        os.dup2(2, 1)
        results = Results(open_backend(order["store"], create=False))
        watch = Watch()
        try:
            jugfile = Jugfile(Path(order["jugfile"]), order["arguments"])
            with watch:
                graph = jugfile.load(results).graph
        except TaskgraphError as error:
            told.write(json.dumps({"error": str(error)}) + "\n")
            return
        made = [what for what in watch.found if what in MADE]
        told.write(json.dumps({"made": made}) + "\n")
        keys = list(map(bytes.fromhex, order["keys"]))
        recompute(graph, keys, Path(order["folder"]), told)


def recompute(graph: Graph, keys: Iterable[bytes], folder: Path, told: IO[str]) -> None:
    """Run tasks one after the other; tell what came of each in a line of JSON.

    Parameters
    ----------
    graph : Graph
        Has the tasks, and their results are known to it.
    keys : iterable of bytes
        Which.
    folder : Path
        For the scratch store, and the payloads by key.
    told : text file
        Where to tell.
    """
    scratch = Results(open_backend(str(folder / "scratch")))
    runner = Runner(scratch)
    for key in keys:
        print(json.dumps({"key": key.hex(), "begun": True}), file=told, flush=True)
        about: dict[str, Any] = {"key": key.hex()}
        if key not in graph:
            about["cause"] = "the jugfile does not list it any more"
        else:
            about |= _run(graph[key], runner, folder)
        print(json.dumps(about), file=told, flush=True)


def _run(task: Task, runner: Runner, folder: Path) -> dict[str, Any]:
    batch = Batch()
    watch = Watch()
    try:
        with watch:
            runner.run(task, lambda: batch, str)
    except (MissingResultError, DamagedError, NotRunError) as error:
        return {"cause": f"what it needs cannot be had: {error}"}
    if batch.rows[0] == Row.FAILURE:
        failure = Failure(*msgpack.unpackb(batch.payloads[0]))
        return {"cause": f"{failure.error}: {failure.message}", "failed": True}
    (folder / task.key.hex()).write_bytes(batch.payloads[0])
    return {"unseeded": watch.found}


if __name__ == "__main__":
    main()
