"""The types that users of the public names see; read by mypy, never run.

A line that stops to hold is a change for every user who checks types.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import segkit
import segkit.io
import segkit.pipeline
import segkit.workflows
import taskgraph
from taskgraph.testing import Trial


@taskgraph.TaskGenerator
def double(x: int) -> int:
    return 2 * x


@taskgraph.TaskGenerator(version=2, retries=1)
def triple(x: int) -> int:
    return 3 * x


def calls() -> None:
    # Any, and not Task: a task may stand wherever its value may.
    assert_type(double(3), Any)
    assert_type(triple(double(3)), Any)
    assert_type(taskgraph.value(double(3)), Any)


def files() -> None:
    assert_type(taskgraph.Directory(Path("in")).content, str)
    assert_type(taskgraph.Output("out/a.tif", outside=True).path, str)


def tasks() -> None:
    task = taskgraph.Task(abs, -1)
    assert_type(task, taskgraph.Task)
    assert_type(task[0], taskgraph.Tasklet)
    assert_type(task.hash(), bytes)
    assert_type(task.can_load(), bool)
    assert_type(task.dependencies(), tuple[taskgraph.Task, ...])
    assert_type(task.name, str)


def names_of_jug() -> None:
    import taskgraph.barrier
    from taskgraph.backends.select import select
    from taskgraph.hash import hash_one
    from taskgraph.hooks.exit_checks import exit_after_n_tasks
    from taskgraph.io import NoLoad, write_task_out
    from taskgraph.mapreduce import currymap
    from taskgraph.unsafe import NoHash
    from taskgraph.utils import CustomHash, cached_glob, timed_path

    task = taskgraph.CompoundTask(abs, -1)
    assert_type(task, taskgraph.Task)
    task.name = "mine"
    assert_type(write_task_out(task, "out.npy"), taskgraph.Task)
    assert_type(NoLoad(task).base, Any)
    assert_type(currymap(divmod, [(7, 2)]), list[Any])
    assert_type(cached_glob("*.tif"), list[str])
    assert_type(timed_path("a.tif"), CustomHash)
    assert_type(hash_one(NoHash(3)), bytes)
    assert_type(select("dict_store"), taskgraph.Results)
    exit_after_n_tasks(3)
    taskgraph.barrier()


def square(x: int) -> int:
    return x * x


def remembered() -> None:
    memo = taskgraph.memory("memory://")
    assert_type(memo(square)(3), int)
    assert_type(taskgraph.show(memo(ignore="x")(square)(3)), taskgraph.Shown)


def runs() -> None:
    report = taskgraph.run("jugfile.py", workers=2, check=False, progress=True)
    assert_type(report.states, dict[bytes, str])
    assert_type(taskgraph.undo("jugfile.py"), int)
    with taskgraph.in_store() as results:
        assert_type(results, taskgraph.Results)
    trial = Trial("jugfile.py", "--small")
    assert_type(trial.run(), dict[str, int])
    assert_type(report, taskgraph.Report)
    assert_type(report.done, int)
    assert_type(report.exit_code, taskgraph.ExitCode)
    assert_type(taskgraph.status("jugfile.py"), taskgraph.Report)
    assert_type(report.counts["work.f"]["done"], int)
    assert_type(report.errors, list[taskgraph.FailedTask])
    assert_type(taskgraph.invalidate("jugfile.py", name="f"), int)
    taskgraph.run([taskgraph.Task(abs, -1)], options=taskgraph.WorkerOptions())
    assert_type(taskgraph.barrier(), None)
    assert_type(taskgraph.is_jug_running(), bool)


def sweeps() -> None:
    tried = taskgraph.sweep(abs, {"x": [1, 2]})
    assert_type(tried, taskgraph.Sweep)
    assert_type(tried[0], taskgraph.Task)
    assert_type(tried[:1], taskgraph.Sweep)
    assert_type(tried.best("abs"), dict[str, Any])
    assert_type(taskgraph.table("abs", tried), taskgraph.Table)
    assert_type(tried.table()["abs"], list[Any])
    assert_type(tried.to_csv("t.csv"), Path)
    points = taskgraph.random_points({"x": (1, 9)}, 3)
    assert_type(points, list[dict[str, Any]])
    rounds = taskgraph.halving(abs, points, budget="n", budgets=[1, 2], score="abs")
    assert_type(rounds, list[taskgraph.Sweep])


def faults(error: taskgraph.UnhashableError) -> None:
    known: taskgraph.TaskgraphError = error
    raise known


def arrays(image: NDArray[np.uint8]) -> None:
    assert_type(segkit.gaussian(image, 1.5), NDArray[Any])
    assert_type(segkit.threshold(image), float)
    assert_type(segkit.ndnt(image, (16, 16)), NDArray[np.bool_])
    assert_type(segkit.label(image > 3), NDArray[Any])
    assert_type(segkit.segment_nuclei(image), NDArray[np.int32])
    assert_type(segkit.scores(image, image), dict[str, float])


def tables(image: NDArray[np.uint8]) -> None:
    table = segkit.region_properties(segkit.label(image > 3))
    assert_type(table["area"], NDArray[Any])
    assert_type(segkit.save_table("objects.csv", table), Path)
    judge = segkit.bounds_classifier("cell", area=(100, 300))
    assert_type(judge, segkit.BoundsClassifier)


def tiles(image: NDArray[np.uint8]) -> None:
    cut = segkit.tiles((100, 100), 64)
    assert_type(cut, list[segkit.Tile])
    assert_type(cut[0].read, segkit.Box)
    assert_type(cut[0].write.shape, tuple[int, ...])


def images() -> None:
    image = segkit.open_image("image.tif")
    assert_type(image, segkit.Image)
    assert_type(image.read(), NDArray[Any])
    assert_type(image.shape, tuple[int, ...])
    assert_type(segkit.save("labels.tif", image.read()), Path)
    writer = segkit.create_image("out.zarr", shape=(8, 8), dtype="u2")
    assert_type(writer, segkit.ImageWriter)


def invert(image: NDArray[Any], most: int) -> NDArray[Any]:
    return most - image


def pipelines() -> None:
    step = segkit.pipeline.label()
    assert_type(step, segkit.pipeline.Step)
    assert_type(segkit.pipeline.ndnt(shape=(8, 8)), segkit.pipeline.Step)
    assert_type(segkit.florinate(invert)(5), segkit.pipeline.Step)
    pipeline = segkit.Pipeline(step, segkit.pipeline.save("labels.tif"))
    assert_type(pipeline.run("image.tif").table, dict[str, NDArray[Any]] | None)
    assert_type(pipeline.run(["a.tif", "b.tif"])[0].saved, list[Path])
    outputs = segkit.workflows.pipeline_tasks(pipeline, "image.tif", out="out")
    assert_type(outputs, segkit.workflows.Outputs)
    assert_type(segkit.explore("image.tif", pipeline, preset="nuclei").address, str)
