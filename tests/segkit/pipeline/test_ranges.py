"""A number that is right for no image is refused when a pipeline is read."""

import numpy as np
import pytest

import segkit
from segkit.pipeline import (
    Pipeline,
    PipelineError,
    array_steps,
    binarize_local,
    canny,
    equalize_adapthist,
    gaussian,
    label,
    median,
    segment_nuclei,
    slic,
)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (median(radius=-3), r"step 2 \(median\): radius is -3 .*at least 0"),
        (median(radius=[1, -3]), r"radius is -3 on axis 1"),
        (gaussian(-1), "sigma is -1"),
        (canny(low=1, high=2, sigma=0), "sigma is 0, but must be .*above 0"),
        (binarize_local(shape=0), "shape is 0 on axis 0"),
        (
            equalize_adapthist(clip_limit=15),
            "clip_limit is 15, .* fraction from 0 to 1",
        ),
        (segment_nuclei(radius=-1), "radius is -1"),
        (slic(n_segments=0), "n_segments is 0"),
    ],
)
def test_a_number_out_of_its_range_is_refused_before_any_image_is_known(step, message):
    with pytest.raises(PipelineError, match=message):
        Pipeline(gaussian(1), step)


@pytest.mark.parametrize(
    "step",
    [
        median(radius=[1, 2, 3]),  # of a volume
        array_steps.local_maxima(connectivity=3),
        array_steps.fill_holes(connectivity=3, max_size=10**6),
        slic(n_segments=10**5, channel_axis=-3),
        array_steps.subtract_background(radius=200),
    ],
)
def test_a_number_that_is_right_for_some_image_is_not(step):
    Pipeline(step)


def test_the_line_of_a_file_is_named(tmp_path):
    file = Pipeline(gaussian(1), median(radius=3), label()).save(tmp_path / "p.toml")
    file.write_text(file.read_text().replace("radius = 3", "radius = -3"))
    lines = file.read_text().splitlines()
    number = [k for k, line in enumerate(lines, 1) if line == "[[step]]"][1]
    with pytest.raises(
        PipelineError, match=rf"p\.toml:{number}: step 2 \(median\): rad"
    ):
        Pipeline.load(file)


def test_what_is_refused_when_read_is_refused_when_run():
    """The words are those of the function: nothing says it a second time."""
    image = np.zeros((9, 9), np.uint8)
    with pytest.raises(ValueError, match="radius") as run:
        segkit.median(image, -3)
    with pytest.raises(PipelineError) as read:
        Pipeline(median(-3))
    assert str(read.value) == f"step 1 (median): {run.value}"
