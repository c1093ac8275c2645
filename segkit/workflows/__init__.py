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

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
