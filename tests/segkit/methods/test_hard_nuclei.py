"""Nuclei in images of a hard kind, drawn with a known truth."""

from __future__ import annotations

import numpy as np
import pytest

from segkit.evaluation.matching import average_precision
from segkit.filters.smoothing import gaussian
from segkit.labelling.labels import label
from segkit.methods.nuclei import segment_nuclei
from segkit.overlaps.contingency_table import contingency

SHAPE = (256, 256)


def discs(centres, radius):
    """Return labels of discs of one radius or of each one's own."""
    y, x = np.indices(SHAPE)
    drawn = np.zeros(SHAPE, np.int32)
    radii = np.broadcast_to(radius, len(centres))
    for number, ((a, b), r) in enumerate(zip(centres, radii, strict=True), 1):
        drawn[(y - a) ** 2 + (x - b) ** 2 <= r * r] = number
    return drawn


def grid(step, start=20, stop=240):
    places = range(start, stop, step)
    return [(y, x) for y in places for x in places]


def seen(drawn, rng, *, level=100.0, noise=4.0):
    """Return labels as a microscope shows them: each as bright as may be, blurred."""
    bright = level * rng.uniform(0.7, 1.3, int(drawn.max()) + 1)
    bright[0] = 0
    return 20 + gaussian(bright[drawn], 1) + rng.normal(0, noise, drawn.shape)


def score(found, drawn, overlap=0.5):
    return average_precision(contingency(found, drawn), [overlap])[0]


def camera_noise(rng):
    return rng.normal(20, 8, SHAPE)


def few_photons(rng):
    return rng.poisson(3.0, SHAPE)


def smoothed_noise(rng):
    return 100 + 40 * gaussian(rng.normal(0, 1, SHAPE), 1.5)


NOISE = [camera_noise, few_photons, smoothed_noise]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("noise", NOISE)
def test_an_image_of_noise_has_no_nuclei(noise, seed):
    image = noise(np.random.default_rng(seed))
    assert segment_nuclei(image).max() == 0


def test_a_volume_of_noise_has_no_nuclei():
    volume = np.random.default_rng(0).normal(20, 8, (12, 64, 64))
    assert segment_nuclei(volume, spacing=(3, 1, 1)).max() == 0


@pytest.mark.parametrize("seed", range(3))
def test_a_single_nucleus_in_noise_is_found_alone(seed):
    rng = np.random.default_rng(seed)
    drawn = discs([(120, 90)], 11)
    found = segment_nuclei(seen(drawn, rng, level=60, noise=8))
    assert found.max() == 1
    assert score(found, drawn).true_positives == 1


def test_dim_nuclei_in_noise_are_not_taken_for_it():
    rng = np.random.default_rng(0)
    drawn = discs(grid(40), 10)
    found = segment_nuclei(seen(drawn, rng, level=20, noise=10))
    assert score(found, drawn).average_precision > 0.9


@pytest.mark.parametrize("seed", range(3))
def test_nuclei_on_fibres_are_found_and_the_fibres_are_not(seed):
    rng = np.random.default_rng(seed)
    drawn = discs(grid(60, 30), 10)
    y, x = np.indices(SHAPE)
    fibres = np.zeros(SHAPE)
    for a, b, angle in rng.uniform((0, 0, 0), (256, 256, np.pi), (6, 3)):
        across = (y - a) * np.cos(angle) + (x - b) * np.sin(angle)
        fibres = np.maximum(fibres, np.exp(-((across / 9) ** 2)))
    found = segment_nuclei(seen(drawn, rng, level=150) + 40 * fibres)
    assert score(found, drawn).average_precision > 0.9


def test_dim_nuclei_beside_a_few_bright_specks_are_no_glow_of_them():
    rng = np.random.default_rng(0)
    drawn = discs(grid(40), 12)
    specks = discs([(20, 60), (100, 100), (180, 20)], 4) > 0
    image = seen(drawn, rng, level=60) + gaussian(150.0 * specks, 1)
    assert score(segment_nuclei(image), drawn).average_precision > 0.8


def test_small_nuclei_beside_large_ones_are_no_crumbs():
    rng = np.random.default_rng(0)
    large = [(50, 50), (50, 190), (190, 50), (190, 190)]
    small = [(y, x) for y in (120, 240) for x in range(20, 250, 30)]
    drawn = discs(large + small, [24] * 4 + [8] * len(small))
    found = segment_nuclei(seen(drawn, rng))
    assert score(found, drawn).average_precision > 0.9


def test_a_few_crumbs_beside_nuclei_are_dropped():
    rng = np.random.default_rng(0)
    drawn = discs(grid(50, 30), 16)
    crumbs = discs([(55, 55), (105, 55), (55, 155)], 3) > 0
    found = segment_nuclei(seen(drawn, rng) + gaussian(100.0 * crumbs, 1))
    assert score(found, drawn).average_precision == 1


def packed(rng, count, apart):
    """Return places at random, no two nearer than that."""
    places = np.zeros((0, 2))
    while len(places) < count:
        place = rng.uniform(0, 256, 2)
        if (np.hypot(*(places - place).T) >= apart).all():
            places = np.vstack([places, place])
    return places


@pytest.mark.parametrize("seed", range(4))
def test_gaps_between_crowded_nuclei_are_no_holes(seed):
    """Filled, they would make one wide object of many that touch."""
    rng = np.random.default_rng(seed)
    drawn = discs(packed(rng, 110, 18), 11)
    found = segment_nuclei(seen(drawn, rng, noise=6))
    assert score(found, drawn).average_precision > 0.5


@pytest.mark.parametrize("seed", range(3))
def test_crowded_nuclei_under_haze_are_found(seed):
    """It is as bright between bright ones as dim ones are."""
    rng = np.random.default_rng(seed)
    drawn = discs(packed(rng, 90, 19), 10)
    image = seen(drawn, rng)
    found = segment_nuclei(image + 3 * gaussian(image, 12))
    assert score(found, drawn).average_precision > 0.9


@pytest.mark.parametrize("seed", range(3))
def test_nuclei_without_haze_keep_their_dim_parts(seed):
    """Half as bright as the rest, they are nearer to that than to a dark ground."""
    rng = np.random.default_rng(seed)
    drawn = discs(grid(60, 30), 20)
    image = seen(drawn, rng, noise=2) - 20
    dim = gaussian(1.0 * ((drawn > 0) & (np.indices(SHAPE)[1] % 60 > 36)), 1)
    found = segment_nuclei(20 + image * (1 - dim / 2))
    assert score(found, drawn, 0.8).average_precision == 1


def test_nuclei_with_dark_middles_are_whole():
    rng = np.random.default_rng(0)
    drawn = discs(grid(40), 14)
    dark = discs(grid(40), 6) > 0
    image = seen(drawn, rng) - gaussian(90.0 * dark, 1)
    found = segment_nuclei(image)
    assert score(found, drawn).average_precision == 1
    assert (found[dark] > 0).all()
    assert label(found > 0).max() == len(grid(40))


def sheet(rng, across, gap):
    """Return cells that fill the image but for thin dark lines, and their labels."""
    step = SHAPE[0] / across
    places = np.stack(np.mgrid[:across, :across], -1).reshape(-1, 2) * step + step / 2
    places += rng.normal(0, 0.18 * step, places.shape)
    y, x = np.indices(SHAPE)
    apart = np.hypot(y[..., None] - places[:, 0], x[..., None] - places[:, 1])
    nearest = np.sort(apart, axis=-1)[..., :2]
    border = (nearest[..., 1] - nearest[..., 0]) / 2
    drawn = np.argmin(apart, axis=-1).astype(np.int32) + 1
    bright = rng.uniform(70, 130, int(drawn.max()) + 1)[drawn]
    bright *= 1 - 0.8 * np.exp(-((border / gap) ** 2))
    return 20 + gaussian(bright, 1) + rng.normal(0, 4, SHAPE), drawn


def test_nuclei_that_fill_the_image_are_found():
    """No background is seen: a surface through what is left would be one of nuclei."""
    image, drawn = sheet(np.random.default_rng(0), across=6, gap=3)
    assert score(segment_nuclei(image), drawn).average_precision > 0.8


def test_dark_objects_on_a_bright_ground_are_told():
    rng = np.random.default_rng(0)
    drawn = discs(grid(40), 10)
    dark = 200 - seen(drawn, rng)
    with pytest.warns(UserWarning, match="give polarity='dark'"):
        segment_nuclei(dark)
    assert score(segment_nuclei(dark, polarity="dark"), drawn).average_precision > 0.9
    with pytest.warns(UserWarning, match="give polarity='bright'"):
        segment_nuclei(200 - dark, polarity="dark")
