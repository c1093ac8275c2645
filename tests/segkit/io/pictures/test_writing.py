"""A picture is written so that it is read as it was, or not at all."""

import numpy as np
import pytest

import segkit
from segkit.io import ImageRequestError
from segkit.pipeline import Pipeline, PipelineError, binarize, label, save

MASK = np.zeros((40, 40), bool)
MASK[3:9, 4:11] = MASK[12:30, 15:33] = True
SMOOTH = np.add.outer(np.arange(40), np.arange(40)).astype(np.uint8)


@pytest.mark.parametrize("name", ["a.jpg", "a.jpeg", "a.webp"])
@pytest.mark.parametrize(
    ("array", "options"),
    [
        (MASK, {}),
        (MASK.astype(np.uint8), {}),
        (MASK * np.uint8(255), {}),
        (SMOOTH // 10, {}),
        (SMOOTH, {"labels": True}),
        (SMOOTH.astype(np.int32), {}),
    ],
    ids=["booleans", "0 and 1", "0 and 255", "classes", "labels", "int32"],
)
def test_no_mask_and_no_labels_where_details_are_lost(tmp_path, name, array, options):
    with pytest.raises(ImageRequestError, match=r"save \.png or \.tif"):
        segkit.save(tmp_path / name, array, **options)
    assert list(tmp_path.iterdir()) == []


def test_pictures_for_people_may_lose_details(tmp_path):
    for array in (SMOOTH, np.dstack([SMOOTH] * 3)):
        path = segkit.save(tmp_path / f"{array.ndim}.jpg", array)
        read = segkit.open_image(path).read()
        assert np.abs(read.astype(int) - array).max() < 10


@pytest.mark.parametrize("steps", [[binarize("otsu")], [binarize("otsu"), label()]])
def test_a_pipeline_refuses_objects_where_details_are_lost_before_it_runs(
    tmp_path, steps
):
    pipeline = Pipeline(*steps, save("mask.jpg"))
    with pytest.raises(PipelineError, match=r"loses details of (mask|labels); save"):
        pipeline.plan(SMOOTH)
    with pytest.raises(PipelineError):
        pipeline.run(SMOOTH, out=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_16_bits_of_colour_are_written(tmp_path):
    deep = np.dstack([SMOOTH.astype(np.uint16) * 300] * 3)
    path = segkit.save(tmp_path / "a.png", deep)
    np.testing.assert_array_equal(segkit.open_image(path).read(), deep)


@pytest.mark.parametrize("name", ["a.jpg", "a.webp"])
def test_a_picture_that_is_too_long_for_its_format_is_refused(tmp_path, name):
    long = np.dstack([(np.arange(70_000) % 251).astype(np.uint8)[None]] * 3)
    with pytest.raises(ImageRequestError, match=r"cannot hold shape \(1, 70000, 3\)"):
        segkit.save(tmp_path / name, long)
    assert list(tmp_path.iterdir()) == []
