"""What somebody writes on the first day is refused with what to write instead."""

import subprocess
import sys

import numpy as np
import pytest

import segkit
from segkit.features import Intensities, VesselMaps, region_features
from segkit.learning import train_pixels
from segkit.partitions import grid_regions
from segkit.pipeline import Pipeline, PipelineError, label
from segkit.pipeline.steps import written

IMAGE = np.arange(64, dtype=np.uint8).reshape(8, 8)


@pytest.mark.parametrize(
    ("asked", "ours"),
    [
        ("eccentricty", "eccentricity"),
        ("depth_um", "depth_physical"),
        ("width_nm", "width_physical"),
        ("mean_intensity", "intensity_mean"),
    ],
)
def test_of_an_unknown_property_the_nearest_is_named_and_not_all(asked, ours):
    with pytest.raises(ValueError, match=f"{asked}' is unknown .*{ours}") as found:
        segkit.region_properties(IMAGE // 32, IMAGE, properties=[asked])
    assert len(str(found.value)) < 90


def test_where_none_is_near_all_properties_are_listed():
    with pytest.raises(ValueError, match=r"'zzz' is unknown; there are label, .*q95"):
        segkit.region_properties(IMAGE // 32, IMAGE, properties=["zzz"])


@pytest.mark.parametrize("connectivity", [-3, 0, 9])
def test_a_connectivity_of_no_image_is_refused_when_it_is_written(connectivity):
    with pytest.raises(PipelineError, match=r"step 1 \(label\): connectivity is"):
        Pipeline(label(connectivity=connectivity))


def test_a_connectivity_of_volumes_is_refused_for_a_picture_before_it_is_read():
    corners = Pipeline(label(connectivity=3))
    with pytest.raises(PipelineError, match=r"an image of 2 axes has 1 .* to 2"):
        corners.run(IMAGE > 9)
    assert corners.run(np.ones((3, 4, 5), bool)).labels.max() == 1


def test_a_step_that_counts_voxels_says_so_if_it_is_given_a_spacing():
    words = r"which load\(spacing=\.\.\.\) takes .*; it takes sig.* in voxels, one"
    with pytest.raises(PipelineError, match=words):
        Pipeline(written("gaussian", (1,), spacing=(2, 1, 1)))


def test_a_family_without_brackets_is_told():
    regions = grid_regions(IMAGE.shape, 4)
    with pytest.raises(TypeError, match=r"is a class; write Intensities\(\)"):
        region_features(IMAGE, regions, [Intensities])
    with pytest.raises(TypeError, match=r"is a class; write VesselMaps\(\)"):
        train_pixels([IMAGE], [IMAGE % 3], families=[VesselMaps], seed=0)


def test_scribbles_of_another_shape_are_told_with_what_to_do():
    drawn = np.stack([IMAGE % 3] * 3, axis=-1)
    with pytest.raises(ValueError, match="a picture in colours: make each colour a nu"):
        train_pixels([IMAGE], [drawn], seed=0)
    with pytest.raises(ValueError, match="draw on the image as it is"):
        train_pixels([IMAGE], [IMAGE[:4] % 3], seed=0)


def test_of_channels_it_is_said_how_they_are_called_and_put_together(tmp_path):
    two = segkit.save(
        tmp_path / "a.tif", np.stack([IMAGE] * 2), axes="cyx", channels=["1", "2"]
    )
    with pytest.raises(ValueError, match=r"to rename them, .*--channels"):
        segkit.open_image(two, channel="DAPI")
    with pytest.raises(ValueError, match=r"\(did you mean DAPI\?\); it has.*'GFP'$"):
        segkit.open_image(two, channels=["DAPI", "GFP"], channel="DAPi")
    one = segkit.save(tmp_path / "w1.tif", IMAGE)
    with pytest.raises(
        ValueError,
        match=r"file of its own.*--pattern NAMES` with {ch",
    ):
        Pipeline(written("gaussian", (1,)).having(channel="DAPI")).run(one)


STEPS = """
format = 1
[[step]]
run = "segment_nuclei"
channel = "DAPI"
[[step]]
run = "regionprops"
[[step]]
run = "save"
arguments = ["{name}-labels.tif"]
"""


def told(folder, steps, *words):
    """Return what `segkit run` of some steps tells, of its end the exit code."""
    (folder / "cells.toml").write_text(steps)
    command = [sys.executable, "-m", "segkit", "run", "cells.toml", *words]
    done = subprocess.run(
        command, check=False, cwd=folder, text=True, capture_output=True
    )
    return done.returncode, done.stderr


def test_a_table_that_no_step_saves_is_told_and_one_that_is_saved_is_not(tmp_path):
    segkit.save(tmp_path / "a.tif", np.zeros((30, 40), np.uint8))
    steps = STEPS.replace('channel = "DAPI"', "")
    code, said = told(tmp_path, steps, "a.tif", "-o", "out")
    assert code == 0
    assert "step 2 (regionprops) measures objects, and no step saves the table" in said
    table = steps + '[[step]]\nrun = "save"\narguments = ["{name}.csv"]\n'
    code, said = told(tmp_path, table, "a.tif", "-o", "out")
    assert (code, "no step saves" in said) == (0, False)
    (tmp_path / "plate").mkdir()
    segkit.save(tmp_path / "plate" / "A1_s1.tif", np.zeros((30, 40), np.uint8))
    plate = ("plate", "--pattern", "{well}_s{field}.tif", "-o", "wells")
    code, said = told(tmp_path, steps, *plate)
    assert (code, "no step saves" in said) == (0, False)


def test_of_a_folder_the_advice_comes_before_what_is_wrong_as_one_image(tmp_path):
    (tmp_path / "scan").mkdir()
    for name in ("A1_w1.tif", "A1_w2.tif", "A2_w1.tif"):
        segkit.save(tmp_path / "scan" / name, IMAGE)
    _, said = told(tmp_path, STEPS, "scan", "-o", "out")
    assert said.startswith("segkit: scan: is a folder, and that is one image: for a")
    assert "named. As one image: does not say which of its 3 axes is which" in said
