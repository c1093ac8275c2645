"""Lists of tasks, and what is warned of, say which image is meant."""

import warnings

import numpy as np
import pytest

import segkit
import taskgraph
from segkit.pipeline import Pipeline, save, segment_nuclei
from segkit.workflows import pipeline_tasks
from taskgraph.description import describe


@pytest.fixture
def dark(tmp_path):
    """Return two pictures of the same dark discs, which want another polarity."""
    y, x = np.mgrid[:96, :96]
    discs = (y % 32 - 16) ** 2 + (x % 32 - 16) ** 2 < 64
    noise = np.random.default_rng(0).normal(0, 4, discs.shape)
    voxels = (200 - 120 * discs + noise).astype(np.uint8)
    return [segkit.save(tmp_path / f"{name}.tif", voxels, axes="yx") for name in "ab"]


def test_a_task_of_a_pipeline_says_its_image_and_its_steps(dark, tmp_path):
    pipeline = Pipeline(segment_nuclei(depth=0.5), save(str(tmp_path / "out.tif")))
    outputs = pipeline_tasks(pipeline, dark[0])
    tasks = [task for stage in outputs.tasks for task in stage]
    task = next(task for task in tasks if task.name.endswith("run_whole"))

    told = describe(task.name, task.args, task.kwargs, 400)

    assert "segment_nuclei(depth=0.5" in told
    assert str(dark[0]) in told


def test_each_image_is_warned_of_by_its_name(dark, tmp_path):
    tasks = [
        task
        for path in dark
        for stage in pipeline_tasks(Pipeline(segment_nuclei()), path).tasks
        for task in stage
    ]

    with warnings.catch_warnings(record=True, action="default") as told:
        taskgraph.run(tasks, store=tmp_path / "store.tgdata", workers=0)

    assert [str(one.message).partition(": ")[0] for one in told] == [*map(str, dark)]
    assert {one.filename for one in told} == {"segkit"}
