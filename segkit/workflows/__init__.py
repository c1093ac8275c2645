"""Pipelines as task graphs: memoized, resumable, run by any number of workers.

Turns the plan of a pipeline into tasks of `taskgraph`, one for each step and block of
the image. It is the only part of segkit that knows tasks.

In a jugfile:

.. code-block:: python

    from segkit.workflows import pipeline_tasks

    outputs = pipeline_tasks("pipeline.toml", "image.tif", out="out")
    count = count_cells(outputs.table)  # a task like any other

``tg execute jugfile.py -j 8`` runs it; so does ``segkit run pipeline.toml image.tif``
without a jugfile. Start either again, here or in a job of Slurm or Grid Engine or under
``mpiexec``, with the same store, and the workers share the work: each process is a
worker of its own and they meet in the store only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segkit.workflows.inputs import FileStamp as FileStamp
    from segkit.workflows.pipelines import Outputs as Outputs
    from segkit.workflows.pipelines import pipeline_tasks as pipeline_tasks
    from segkit.workflows.running import PipelineJugfile as PipelineJugfile
    from segkit.workflows.stored import StoredArray as StoredArray

_HOMES = {
    "FileStamp": "inputs",
    "Outputs": "pipelines",
    "PipelineJugfile": "running",
    "StoredArray": "stored",
    "pipeline_tasks": "pipelines",
}
__all__ = ["FileStamp", "Outputs", "PipelineJugfile", "StoredArray", "pipeline_tasks"]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: start-up stays short."""
    from importlib import import_module

    if name in _HOMES:
        return getattr(import_module(f"segkit.workflows.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'segkit.workflows' has no attribute {name!r}")
