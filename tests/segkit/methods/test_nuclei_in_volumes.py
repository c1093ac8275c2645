"""Crowded nuclei in volumes, whose planes may be farther apart than pixels."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from segkit import Pipeline, open_image, pipeline, save
from segkit.evaluation.matching import average_precision
from segkit.filters.smoothing import gaussian
from segkit.io import as_image
from segkit.methods.background import apparent_step
from segkit.methods.nuclei import segment_nuclei
from segkit.methods.splitting import (
    heights,
    radius_of_objects,
    split_by_shape,
    typical_radius,
    without_waists,
)
from segkit.overlaps.contingency_table import contingency
from segkit.pipeline import load


def balls(places, radii, shape, step=1):
    """Return labels of balls, in planes so many pixels apart; the deeper one wins."""
    z, y, x = np.indices(shape)
    deepest, drawn = np.zeros(shape), np.zeros(shape, np.int32)
    for number, ((a, b, c), radius) in enumerate(zip(places, radii, strict=True), 1):
        apart = np.sqrt((z * step - a) ** 2 + (y - b) ** 2 + (x - c) ** 2)
        mine = 1 - apart / radius > deepest
        drawn[mine], deepest[mine] = number, (1 - apart / radius)[mine]
    return drawn


def touching(step, *, radius=8, across=3, apart=14):
    places = [20 + apart * np.array(place) for place in np.ndindex((across,) * 3)]
    side = 40 + apart * (across - 1)
    return balls(places, [radius] * len(places), (side // step, side, side), step)


def seen(drawn, seed=0, bright=None):
    rng = np.random.default_rng(seed)
    if bright is None:
        bright = 100 * rng.uniform(0.7, 1.3, int(drawn.max()) + 1)
    bright[0] = 0
    return 20 + gaussian(bright[drawn], 1) + rng.normal(0, 4, drawn.shape)


def precision(found, drawn):
    return average_precision(contingency(found, drawn), [0.5])[0].average_precision


@pytest.mark.parametrize("step", [1, 2, 3])
def test_planes_seem_as_far_apart_as_they_are(step):
    assert apparent_step(touching(step) > 0, 0) == pytest.approx(step, rel=0.2)


def test_planes_never_seem_nearer_than_pixels():
    columns = np.zeros((8, 60, 60), bool)
    columns[:, 10:20, 10:20] = columns[:, 30:50, 30:50] = True
    assert apparent_step(columns, 0) == 1


def test_touching_balls_are_parted_without_a_spacing():
    drawn = touching(2)
    image = seen(drawn)
    with pytest.warns(UserWarning, match=r"spacing=\(1\.\d+, 1\.0, 1\.0\)"):
        assert precision(segment_nuclei(image, axes="zyx"), drawn) > 0.9
    with pytest.warns(UserWarning, match=r"spacing=\(1\.0, 1\.0, 1\.\d+\)"):
        swapped = segment_nuclei(np.moveaxis(image, 0, 2), axes="yxz")
    assert precision(np.moveaxis(swapped, 2, 0), drawn) > 0.9


def test_planes_of_all_times_are_as_far_apart():
    """One of them alone would be taken for cubes."""
    thick = np.zeros((16, 68, 68), np.int32)
    thick[:, 20:30, 20:30] = 1
    movie = np.stack([seen(touching(2)[:16]), seen(touching(2)[:16], 1), seen(thick)])
    with pytest.warns(UserWarning, match="by the outlines") as told:
        labels = segment_nuclei(movie, axes="tzyx")
    step = float(str(told[0].message).partition("spacing=(")[2].partition(",")[0])
    said = segment_nuclei(movie, axes="tzyx", spacing=(step, 1, 1))
    assert len(told) == 1
    assert precision(labels, said) > 0.9


@pytest.fixture(params=["image", "file", "saved", "pipeline"])
def count(request, tmp_path):
    """Return how many nuclei are found, of what is opened in one of many ways."""

    def counted(volume, **said):
        if request.param == "image":
            return int(segment_nuclei(as_image(volume, axes="zyx", **said)).max())
        path = tmp_path / "volume.tif"
        if request.param == "saved":
            save(path, volume, axes="zyx")
        else:
            tifffile.imwrite(path, volume, metadata={"axes": "ZYX"})
        if request.param == "pipeline":
            steps = Pipeline(load(**said), pipeline.segment_nuclei())
            return int(steps.run(path).array.max())
        return int(segment_nuclei(open_image(path, **said)).max())

    return counted


@pytest.fixture(scope="module")
def few():
    """A volume, and how many nuclei of it are found as an array and as cubes."""
    image = seen(touching(2, across=2)).astype(np.float32)
    with pytest.warns(UserWarning, match="by the outlines"):
        found = int(segment_nuclei(image, axes="zyx").max())
    return image, found, int(segment_nuclei(image, spacing=1).max())


def test_what_says_no_spacing_is_as_an_array(count, few):
    image, found, _ = few
    with pytest.warns(UserWarning, match="by the outlines"):
        assert count(image) == found


def test_cubes_that_are_said_are_taken(count, few):
    image, _, cubes = few
    assert count(image, spacing=(1, 1, 1)) == cubes != 8


def test_a_spacing_that_is_said_is_taken():
    image = seen(touching(2))
    said = segment_nuclei(image, spacing=1)
    stated = as_image(image, axes="zyx", spacing=(2, 2, 2), units=("micrometer",) * 3)
    np.testing.assert_array_equal(segment_nuclei(stated), said)
    with pytest.warns(UserWarning, match="by the outlines"):
        assert (said != segment_nuclei(image, axes="zyx")).any()


def test_one_large_nucleus_hides_no_small_ones_beside_it():
    """They touch: the largest of a cluster is not the size of its others."""
    ring = [(30 + 26 * np.sin(t), 30, 30 + 26 * np.cos(t)) for t in np.arange(0, 6, 1)]
    drawn = balls([(30, 30, 30), *ring], [18] + [9] * 6, (60, 60, 68))
    assert typical_radius(drawn > 0, (1.0,) * 3) > 17
    row = [(12, 12, 12 + 14 * i) for i in range(8)]
    many = balls([*row, (26, 26, 116)], [8] * 8 + [16], (52, 52, 136))
    assert radius_of_objects(many > 0, (1.0,) * 3) < 17
    assert segment_nuclei(seen(drawn), spacing=1).max() == 7


def bar(tall, wide):
    """Return a long box of 41 by 41, half as tall and wide as is said in the middle."""
    z, y, x = np.indices((56, 56, 150))
    middle = np.abs(x - 75) < 25
    high = np.abs(z - 28) <= np.where(middle, tall, 20)
    broad = np.abs(y - 28) <= np.where(middle, wide, 20)
    return high & broad & (np.abs(x - 75) < 65)


@pytest.mark.parametrize(("tall", "wide", "parts"), [(18, 22, 1), (18, 18, 2)])
def test_a_part_is_cut_where_it_is_narrow_and_not_where_it_is_flat(tall, wide, parts):
    """The ball inside is smaller in both; the slices across are so in one."""
    flat, cubes = bar(tall, wide), (1.0,) * 3
    _, height = heights(flat, cubes, 1, None)
    cut = split_by_shape(flat, cubes, smoothing=1, depth=0.05)
    assert cut.max() == 2
    assert without_waists(cut, height, cubes, depth=0.15).max() == parts
    assert without_waists(cut, height, cubes, depth=0.05).max() == 2


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 1.0, 1.0)])
def test_of_three_in_a_row_those_without_a_waist_are_joined(spacing):
    """They lie aslant, so that the line through their middles crosses their faces."""
    z, y, x = np.indices((20, 20, 90))
    row = np.int32(1 + (x + y // 2 > 35) + (x + y // 2 > 65))
    row[(z < 3) | (z > 16) | (y < 3) | (y > 16)] = 0
    narrow = (np.abs(x - 65) < 5) & ((z < 7) | (z > 12))
    height = np.where(row > 0, 1.0, 0.0)
    joined = without_waists(np.where(narrow, 0, row), height, spacing, depth=0.1)
    assert joined.max() == 2
    assert np.unique(joined[10, 10, 4:50]).tolist() == [1]
    nothing = np.zeros((4, 5, 6), np.int32)
    assert without_waists(nothing, nothing * 1.0, spacing, depth=0.1).max() == 0


def test_a_dim_nucleus_between_bright_ones_is_found():
    drawn = touching(1)
    bright = np.full(28, 100.0)
    bright[14] = 45
    found = segment_nuclei(seen(drawn, bright=bright), spacing=1)
    assert precision(found, drawn) > 0.9
    assert np.mean(found[drawn == 14] > 0) > 0.5
