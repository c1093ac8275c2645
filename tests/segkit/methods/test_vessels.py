"""Vessels: lines darker than both their sides, tile by tile as on the whole image."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import segkit
from segkit.pipeline import segment_vessels as vessels_step

DRIVE = Path(os.environ.get("SEGKIT_DATA", "none")) / "drive"


def drawn(shape=(90, 110), width=4.0, noise=3.0):
    """Return a bright picture with two dark lines that cross, and the lines."""
    y, x = np.indices(shape)
    lines = (abs(y - 0.6 * x - 10) < width / 1.7) | (abs(x + 0.2 * y - 70) < width / 2)
    rough = np.random.default_rng(0).normal(0, noise, shape)
    return 120 - 40.0 * lines + rough, lines


def dice(one, other):
    return 2 * (one & other).sum() / (one.sum() + other.sum())


def test_lines_are_found_where_they_are():
    image, lines = drawn()
    assert dice(segkit.segment_vessels(image), lines) > 0.85


def test_bright_vessels_are_dark_ones_of_the_negative():
    image, _ = drawn()
    seen = np.ones(image.shape)
    dark = segkit.segment_vessels(image, field_of_view=seen)
    np.testing.assert_array_equal(
        segkit.segment_vessels(-image, polarity="bright"), dark
    )


@pytest.mark.parametrize(("factor", "offset"), [(4, 0), (0.25, 64), (1, 256)])
def test_contrast_and_exposure_do_not_matter(factor, offset):
    image = drawn()[0].round()
    seen = np.ones(image.shape)
    np.testing.assert_array_equal(
        segkit.segment_vessels(factor * image + offset, field_of_view=seen),
        segkit.segment_vessels(image, field_of_view=seen),
    )


def test_the_edge_of_a_bright_body_is_no_vessel():
    image = np.full((60, 60), 80.0)
    image[20:40, 20:40] = 200
    assert not segkit.segment_vessels(image).any()


@settings(deadline=None, max_examples=15)
@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    tile=st.tuples(st.integers(3, 20), st.integers(3, 20)),
    width=st.floats(0.5, 8),
    seed=st.integers(0, 99),
)
def test_the_map_is_the_same_tile_by_tile(shape, tile, width, seed):
    image = np.random.default_rng(seed).integers(0, 255, shape).astype(np.uint8)
    tiled = segkit.map_tiles(Width(width), image, tile=tile, halo=Width(width).reach())
    np.testing.assert_array_equal(tiled, segkit.vessel_map(image, width=width))


class Width:
    """`vessel_map` of a width, with its declared reach said again as a halo."""

    def __init__(self, width):
        self.width = width

    def __call__(self, image):
        return segkit.vessel_map(image, width=self.width)

    def reach(self):
        return segkit.tiling.reach(segkit.vessel_map, 2, width=self.width)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_threads_change_nothing(workers):
    image, _ = drawn()
    np.testing.assert_array_equal(
        segkit.segment_vessels(image, workers=workers),
        segkit.segment_vessels(image, workers=1),
    )


def test_a_dark_frame_is_out_of_view_and_its_edge_no_vessel():
    y, x = np.indices((120, 120))
    seen = np.hypot(y - 60, x - 60) < 55
    image = np.where(seen, 110.0, 2.0)
    found = segkit.find_field_of_view(image)
    assert dice(found, seen) > 0.98
    assert not segkit.segment_vessels(image).any()


@pytest.mark.parametrize(
    ("gamma", "lift"), [(0.35, 0), (0.5, 0), (0.7, 20), (1, 40), (2, 40)]
)
def test_a_frame_is_found_where_gamma_and_scanners_have_lifted_black(gamma, lift):
    y, x = np.indices((240, 240))
    radius = np.hypot(y - 120, x - 120)
    noise = np.random.default_rng(0).normal(0, 2, radius.shape)
    frame = np.where(y < 3, 1.0, 7.0)  # scanners leave rows that are darker still
    photo = np.where(radius < 110, 130 - 40 * (radius / 110) ** 2, frame) + noise
    shown = lift + (215 * (photo.clip(0, 255) / 255) ** gamma).astype(np.uint8)
    assert dice(segkit.find_field_of_view(shown), radius < 110) > 0.97


@pytest.mark.parametrize("least", [0.1, 0.25, 0.4])
def test_light_that_falls_off_and_a_vessel_in_a_corner_are_no_frame(least):
    y, x = np.indices((120, 120))
    away = np.hypot(y - 60, x - 60) / 85
    photo = 200 * (1 - (1 - least) * away**2)
    seen = segkit.find_field_of_view(photo)
    assert seen[photo > 0.2 * 200].all()
    corner = np.where(abs(y - x) < 4, 80.0, 200.0)
    assert segkit.find_field_of_view(corner).all()


def test_a_field_of_view_is_kept_to():
    image, lines = drawn()
    seen = np.zeros(image.shape, np.uint8)
    seen[:, :50] = 255
    found = segkit.segment_vessels(image, field_of_view=seen)
    assert not found[:, 50:].any()
    assert dice(found[:, :50], lines[:, :50]) > 0.8


def test_an_even_image_has_no_vessels():
    assert not segkit.segment_vessels(np.full((30, 30), 7)).any()


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (np.zeros((5, 6, 7)), {}, "one plane"),
        (np.zeros((40, 40, 3), np.uint8), {}, "colour picture"),
        (np.full((5, 5), np.nan), {}, "NaN"),
        (np.zeros((5, 5)), {"width": 0}, "width is 0"),
        (np.zeros((5, 5)), {"low": 3, "high": 2}, "high is 2"),
        (np.zeros((5, 5)), {"field_of_view": np.ones((4, 5))}, "they differ"),
        (np.zeros((5, 5)), {"field_of_view": np.zeros((5, 5))}, "is empty"),
        (np.zeros((1, 2)), {"field_of_view": np.array([[3, 253]])}, "and no 0"),
        (np.zeros((5, 5)), {"polarity": "grey"}, "unknown polarity"),
        (np.zeros((5, 5)), {"min_size": -1}, "min_size is -1"),
    ],
)
def test_what_cannot_be_is_told(image, options, message):
    with pytest.raises(ValueError, match=message):
        segkit.segment_vessels(image, **options)


def test_it_is_a_step_that_gives_a_mask():
    image, lines = drawn()
    found = segkit.Pipeline(vessels_step(width=4)).run(image)
    assert dice(found.array, lines) > 0.8


@pytest.mark.skipif(not DRIVE.exists(), reason="SEGKIT_DATA has no drive/")
def test_photographs_of_the_retina_are_segmented_nearly_as_by_a_second_person():
    scores = []
    for name in ("03.png", "11.png", "19.png"):  # of all twenty: 0.766
        photo = segkit.open_image(DRIVE / "images" / name, channel=1).read()
        person = segkit.open_image(DRIVE / "first_observer" / name).read() > 0
        scores.append(dice(segkit.segment_vessels(photo), person))
    assert np.mean(scores) > 0.75
