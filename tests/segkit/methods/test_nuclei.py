from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from segkit.evaluation.matching import average_precision
from segkit.evaluation.partitions import adapted_rand_error
from segkit.evaluation.scoring import published_scores
from segkit.filters.smoothing import gaussian
from segkit.labelling.labels import label
from segkit.methods import classic
from segkit.methods.membranes import membrane_map, merge_regions, segment_cells
from segkit.methods.nuclei import segment_nuclei
from segkit.overlaps.contingency_table import contingency

needs_data = pytest.mark.skipif(
    "SEGKIT_DATA" not in os.environ, reason="SEGKIT_DATA names no folder of test images"
)


def images(name, step=1):
    from imageio import v3 as iio

    folder = Path(os.environ["SEGKIT_DATA"]) / name
    for path in sorted((folder / "images").iterdir())[::step]:
        yield iio.imread(path), iio.imread(folder / "references" / path.name)


def discs(shape, centres, radius):
    grid = np.indices(shape)
    distances = [
        np.sqrt(sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True)))
        for centre in centres
    ]
    return np.min(distances, axis=0) <= radius


def test_touching_discs_are_parted():
    mask = discs((80, 120), [(40, 40), (40, 66)], 15)
    assert segment_nuclei(mask * 100).max() == 2


def test_a_valley_of_brightness_parts_what_has_no_neck():
    image = np.zeros((80, 120))
    image[25:55, 30:90] = 100
    image[25:55, 58:62] = 55
    assert segment_nuclei(image).max() == 2
    assert segment_nuclei(image, valleys=0).max() == 1


def test_nuclei_on_bright_tissue_are_found_by_their_radius():
    centres = [(y, x) for y in range(50, 160, 28) for x in range(70, 260, 28)]
    y, x = np.indices((200, 320))
    tissue = 150 * np.exp(-((((y - 100) / 70) ** 2 + ((x - 160) / 110) ** 2) ** 2))
    image = tissue + 60 * discs((200, 320), centres, 7)
    noise = np.random.default_rng(0).normal(0, 4, image.shape)
    found = segment_nuclei(image + noise, radius=7)
    reference = label(discs((200, 320), centres, 7))
    score = average_precision(contingency(found, reference), [0.5])[0]
    assert score.average_precision > 0.9


def test_a_radius_is_in_units_of_the_spacing():
    image = 100 * discs((80, 120), [(40, 40), (40, 66)], 15)
    by_voxels = segment_nuclei(image, radius=15)
    np.testing.assert_array_equal(
        segment_nuclei(image, radius=6, spacing=0.4), by_voxels
    )
    thick = np.repeat(image[None], 1, axis=0)
    flat = segment_nuclei(thick, axes="zyx", radius=6, spacing=(0.1, 0.4, 0.4))
    np.testing.assert_array_equal(flat[0], by_voxels)


def test_an_ellipse_stays_whole():
    y, x = np.mgrid[:80, :120]
    ellipse = ((y - 40) / 12) ** 2 + ((x - 60) / 30) ** 2 <= 1
    assert segment_nuclei(ellipse * 100).max() == 1


def test_dim_nuclei_beside_bright_ones_are_found():
    dim = discs((120, 160), [(40, 40), (80, 120)], 12)
    bright = discs((120, 160), [(80, 40), (40, 120)], 12)
    assert segment_nuclei(60 * dim + 200 * bright).max() == 4


@pytest.mark.parametrize("brightness", [200, 400])
def test_dim_nuclei_beside_a_very_bright_one_are_found(brightness):
    """It hides them from the threshold, and its glow joins them to it."""
    centres = [(40, 40), (40, 76), (110, 30), (110, 75), (110, 120), (40, 128)]
    very = discs((150, 170), [(40, 102)], 11)
    dim = discs((150, 170), centres, 12)
    spots = gaussian(20.0 * dim + brightness * very, 2)
    glow = 0.1 * gaussian(brightness * very, 8)
    noise = np.random.default_rng(0).normal(0, 0.7, spots.shape)
    reference = np.where(very, 9, label(dim))
    found = segment_nuclei(spots + glow + noise)
    score = average_precision(contingency(found, reference), [0.5])[0]
    assert score.true_positives == 7


def test_a_slope_of_the_background_changes_nothing():
    mask = discs((160, 200), [(40, 40), (80, 120), (120, 60), (50, 160)], 14)
    slope = np.linspace(0, 100, 200)[None, :]
    labels = segment_nuclei(100 * mask + slope)
    detection = average_precision(
        contingency(labels, segment_nuclei(100 * mask)), [0.7]
    )
    assert detection[0].true_positives == 4
    assert detection[0].false_positives == 0


def test_nuclei_under_a_wide_glow_are_found():
    """A lamp in a corner is brighter than nuclei, but its rim is nowhere steep."""
    centres = [(30 + 44 * i, 30 + 44 * j) for i in range(5) for j in range(5)]
    y, x = np.mgrid[:256, :256]
    glow = 80 * np.exp(-((y - 40) ** 2 + (x - 90) ** 2) / (2 * 60**2))
    noise = np.random.default_rng(0).normal(0, 1, glow.shape)
    image = 40.0 * discs(glow.shape, centres, 6) + glow + noise
    assert segment_nuclei(image).max() == len(centres)


def test_brightness_and_offset_do_not_matter():
    rng = np.random.default_rng(1)
    image = 100 * discs((80, 100), [(30, 30), (50, 70)], 12) + rng.normal(
        0, 3, (80, 100)
    )
    np.testing.assert_array_equal(
        segment_nuclei(image), segment_nuclei(image * 8 + 512)
    )


def test_balls_in_a_volume_are_segmented():
    mask = discs((24, 48, 48), [(12, 16, 16), (12, 30, 32)], 8)
    assert segment_nuclei(mask * 100, axes="zyx").max() == 2


@pytest.mark.parametrize("value", [0, 7])
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (33, 20)])
def test_a_flat_image_has_no_nuclei(shape, value):
    assert segment_nuclei(np.full(shape, value)).max() == 0


@pytest.mark.parametrize(
    "image", [np.zeros(5), np.zeros((0, 3)), np.full((4, 4), np.nan), np.array([["a"]])]
)
@pytest.mark.parametrize("method", [segment_nuclei, segment_cells])
def test_what_is_no_grey_image_is_refused(method, image):
    with pytest.raises(ValueError, match="image"):
        method(image)


def test_methods_leave_their_input_alone():
    image = (100 * discs((90, 90), [(45, 45)], 30)).astype(np.uint8)
    copy = image.copy()
    for method in (
        segment_nuclei,
        segment_cells,
        classic.mean,
        classic.otsu,
        classic.rc,
        classic.gaussian_mean,
        classic.gaussian_otsu,
        classic.distance_watershed,
    ):
        assert method(image).dtype == np.int32
    np.testing.assert_array_equal(image, copy)


def test_a_gap_in_a_membrane_does_not_merge_cells():
    section = np.full((96, 96), 200.0)
    section[:, 46:50] = 40
    section[20:26] = 200
    labels = segment_cells(section)
    assert labels[60, 10] != labels[60, 80]
    assert labels.min() == 1


def test_lines_part_the_cells_of_each_section():
    section = np.full((64, 64), 200.0)
    section[:, 30:34] = 40
    stack = segment_cells(np.stack([section, section.T]), lines=True)
    assert len(np.unique(stack)) == 5  # background and two cells in each section
    assert not set(np.unique(stack[0])) & set(np.unique(stack[1])) - {0}


def test_membranes_are_where_the_line_is():
    section = np.full((64, 64), 200.0)
    section[:, 20:24] = 40
    assert set(membrane_map(section).argmax(axis=1)) <= {20, 21, 22, 23}


def test_weakest_boundary_goes_first_and_means_add_up():
    regions = np.array([[1, 1, 2, 2, 3, 3], [1, 1, 2, 2, 3, 3]])
    wall = np.array([[0, 0.1, 0, 0.6, 0, 0], [0, 0.3, 0, 0.8, 0, 0]])
    assert merge_regions(regions, wall, 0.5).max() == 2
    assert merge_regions(regions, wall, 0.71).max() == 1
    assert merge_regions(regions, wall, 0.1).max() == 3
    assert merge_regions(regions, wall, 0.1, min_size=5).max() == 1


@pytest.mark.parametrize(
    ("option", "wrong", "range_"),
    [
        ("sensitivity", [-1, 0, np.nan, np.inf], "finite number above 0"),
        ("edge", [0, 1, 2, np.nan], "number below 1 and above 0"),
        ("depth", [-1, 1.5], "from 0 to 1, not pixels"),
        ("depth", [np.nan, np.inf], "finite number"),
        ("min_radius", [-1, 1, 6], "from 0 to below 1, not pixels"),
        ("min_radius", [np.nan, np.inf], "finite number"),
        ("radius", [-1, 0, np.nan, np.inf], "finite number above 0"),
        ("valleys", [-1, np.nan, np.inf], "finite number"),
        ("focus", [-1, 1.5], "from 0 to 1, not pixels"),
        ("focus", [np.nan, np.inf], "finite number"),
    ],
)
def test_options_for_nuclei_out_of_their_range_are_refused(option, wrong, range_):
    image = discs((40, 40), [(20, 20)], 9) * 100
    for value in wrong:
        with pytest.raises(ValueError, match=f"{option} is {value}, .* {range_}"):
            segment_nuclei(image, **{option: value})
    with pytest.raises(TypeError, match=f"{option} is 'text', but must be a number"):
        segment_nuclei(image, **{option: "text"})


@pytest.mark.parametrize(
    ("option", "wrong", "range_"),
    [
        ("width", [-1, 0, np.nan, 1e9], "number below 256 and above 0"),
        ("strength", [np.nan, np.inf], "a finite number"),
        ("min_size", [-1], "at least 0"),
    ],
)
def test_options_for_cells_out_of_their_range_are_refused(option, wrong, range_):
    section = np.zeros((20, 20))
    for value in wrong:
        with pytest.raises(ValueError, match=f"{option} is {value}, .* {range_}"):
            segment_cells(section, **{option: value})
    for value in ("5", None):
        with pytest.raises(TypeError, match=f"{option} is {value!r}, but must be"):
            segment_cells(section, **{option: value})


def test_parts_of_the_segmentation_of_cells_check_their_options_too():
    with pytest.raises(ValueError, match=r"width is 1000, .* below 256"):
        membrane_map(np.zeros((20, 20)), width=1000)
    with pytest.raises(TypeError, match="min_size is nan, but must be an integer"):
        merge_regions(np.ones((1, 2), int), np.zeros((1, 2)), 0.5, min_size=np.nan)
    with pytest.raises(ValueError, match="strength is nan"):
        merge_regions(np.ones((1, 2), int), np.zeros((1, 2)), np.nan)


# The rows of the published table recomputed: Coelho et al., ISBI 2009, table 2, column
# NIH3T3, prints RI 82 / 74 %, JI 1.9 / 2.1, Hausdorff 24.4 / 36.7, NSD x10 2.3 / 3.5,
# split 1.4 / 0.8, merged 5.1 / 2.1, spurious 3.1 / 1.7, missing 4.8 / 26.6.
ROWS = {
    "mean": (0.822, 1.87, 24.62, 0.236, 1.47, 5.08, 3.10, 4.76),
    "otsu": (0.750, 2.09, 36.71, 0.345, 0.78, 2.12, 1.65, 26.45),
}


@needs_data
@pytest.mark.parametrize("name", ROWS)
def test_published_rows_are_reproduced(name):
    method = getattr(classic, name)
    rows = [
        list(published_scores(method(image), reference).values())
        for image, reference in images("coelho2009/ic100")
    ]
    assert len(rows) == 49
    digits = (5e-4, 5e-3, 5e-3, 5e-4, 5e-3, 5e-3, 5e-3, 5e-3)
    errors = np.abs(np.mean(rows, axis=0) - ROWS[name])
    assert (errors <= np.array(digits) * 1.1).all(), np.mean(rows, axis=0)


@needs_data
def test_nuclei_of_many_experiments_are_found():
    found = [
        average_precision(contingency(segment_nuclei(image), reference), [0.5])[0]
        for image, reference in images("dsb2018", step=3)
    ]
    assert np.mean([d.average_precision for d in found]) >= 0.8


@needs_data
def test_cells_in_electron_micrographs_are_parted():
    from scipy import ndimage

    errors = [
        adapted_rand_error(
            contingency(segment_cells(image), ndimage.label(reference)[0])
        ).error
        for image, reference in images("isbi2012_em", step=6)
    ]
    assert np.mean(errors) <= 0.3
