"""Opened images as arguments of tasks: known by content and by what was chosen."""

import numpy as np
import pytest

import segkit
import taskgraph
from taskgraph import TaskGenerator


@TaskGenerator
def total(image):
    return int(image.read().sum())


def test_cubes_that_are_said_are_not_those_that_nobody_said(tmp_path):
    path = segkit.save(tmp_path / "a.tif", np.zeros((3, 8, 9), np.uint8), axes="zyx")
    unsaid = segkit.open_image(path)
    said = segkit.open_image(path, spacing=(1, 1, 1))
    assert (unsaid.spaced, said.spaced, unsaid.spacing) == (False, True, said.spacing)
    assert not segkit.open_image(path).respaced().spaced
    assert said.respaced().spaced
    assert said.respaced(units="um").spaced
    assert segkit.open_image(path, spacing=(2, 1, 1)).spaced
    assert total(unsaid).key != total(said).key


@pytest.fixture(params=["a.tif", "a.npy", "a.png"])
def picture(request, tmp_path):
    path = tmp_path / request.param
    write(path, 1)
    return path


def write(path, value):
    voxels = np.full((8, 9), value, np.uint8)
    if path.suffix == ".npy":
        np.save(path, voxels)
    else:
        segkit.save(path, voxels, overwrite=True)


def test_other_content_is_another_task_and_the_same_is_not(picture, tmp_path):
    first = total(segkit.open_image(picture))
    assert total(segkit.open_image(picture)).key == first.key
    taskgraph.run([first], store=tmp_path / "store.tgdata", workers=0)
    assert first.value() == 72
    picture.unlink()
    write(picture, 2)
    assert total(segkit.open_image(picture)).key != first.key


def test_what_was_chosen_of_a_file_is_part_of_the_key(tmp_path):
    path = tmp_path / "stack.tif"
    segkit.save(path, np.ones((3, 8, 9), np.uint8), axes="zyx")
    opened = [
        segkit.open_image(path),
        segkit.open_image(path, spacing=(2, 1, 1)),
        segkit.open_image(path, axes="tyx"),
        segkit.open_image(path, select={"z": 0}),
        segkit.open_image(path, select={"z": 1}),
    ]
    assert len({total(image).key for image in opened}) == len(opened)


def test_an_image_that_changed_after_the_call_is_refused(picture, tmp_path):
    task = total(segkit.open_image(picture))
    picture.unlink()
    write(picture, 2)
    with pytest.raises(taskgraph.TaskgraphError, match="was changed"):
        taskgraph.run([task], store=tmp_path / "store.tgdata", workers=0)


def test_a_table_has_one_column_for_an_image_that_says_which(tmp_path):
    path = segkit.save(tmp_path / "a.tif", np.ones((3, 8, 9), np.uint8), axes="zyx")
    images = [segkit.open_image(path), segkit.open_image(path, select={"z": 1})]
    tasks = [total(image) for image in images]
    taskgraph.run(tasks, store=tmp_path / "store.tgdata", workers=0)

    rows = list(taskgraph.table(tasks))

    assert [list(row) for row in rows] == [["image", "total", "state"]] * 2
    assert [row["image"] for row in rows] == [str(path), f"{path}, 1 of axis 0"]
