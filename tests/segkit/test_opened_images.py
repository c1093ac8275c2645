"""An opened image knows its axes and spacing, and no function forgets them.

Time, channels and colours are never taken for space, as in a pipeline.
"""

import inspect
from functools import partial

import numpy as np
import pytest
import tifffile

import segkit
from segkit.io import ColourError, ImageRequestError
from segkit.pipeline import (
    Pipeline,
    PipelineError,
    binarize,
    keep_within,
    label,
    load,
    regionprops,
)

FRAMES = np.zeros((3, 20, 20), np.uint8)
FRAMES[:, 4:8, 4:8] = 200
FRAMES[:, 12:18, 2:9] = 90
LABELS = (FRAMES > 0) * np.arange(1, 21, dtype=np.uint16)[:, None] // 10

# How each public function that takes one image is called.
ONE = {
    "adjust_gamma": {},
    "adjust_log": {},
    "adjust_sigmoid": {},
    "binarize": {},
    "binarize_local": {"shape": 3},
    "binary_closing": {},
    "binary_dilation": {},
    "binary_erosion": {},
    "binary_opening": {},
    "black_tophat": {"radius": 1},
    "blobs": {"sigmas": 1, "threshold": 5},
    "canny": {"low": 1, "high": 2},
    "clear_border": {},
    "closing": {},
    "convert": {"dtype": "float32"},
    "crop": {"margins": 2},
    "cumulative_distribution": {},
    "dilation": {},
    "distance_transform": {},
    "drop_ids": {"ids": [1]},
    "edges": {},
    "equalize_adapthist": {},
    "equalize_hist": {},
    "erosion": {},
    "expand_labels": {},
    "find_field_of_view": {},
    "fill_holes": {},
    "find_boundaries": {},
    "frangi": {"sigmas": 1},
    "gaussian": {"sigma": 2.0},
    "grey_picture": {},
    "h_maxima": {"h": 0.5},
    "hessian_eigenvalues": {"sigma": 1},
    "histogram": {},
    "hysteresis": {"low": 0, "high": 1},
    "invert": {},
    "keep_ids": {"ids": [1]},
    "keep_largest": {},
    "keep_within": {"area": (1, 5)},
    "label": {},
    "label_colours": {},
    "laplacian_of_gaussian": {"sigma": 1},
    "local_maxima": {},
    "local_threshold": {"shape": 3},
    "median": {"radius": 1},
    "membrane_map": {},
    "multi_otsu": {"classes": 2},
    "ndnt": {"shape": 3},
    "opening": {},
    "pad": {"margins": 2},
    "paint_classes": {},
    "peaks": {},
    "percentile": {"percent": 50},
    "reconstruct": {"classes": np.arange(300, dtype=np.uint16)},
    "region_properties": {},
    "relabel_sequential": {},
    "remove_small_holes": {"min_size": 3},
    "remove_small_objects": {"min_size": 3},
    "rescale_intensity": {"out_range": (0, 1)},
    "sato": {"sigmas": 1},
    "segment_cells": {},
    "segment_nuclei": {},
    "segment_vessels": {},
    "skeleton": {},
    "skeleton_length": {},
    "slic": {"n_segments": 4},
    "subtract_background": {"radius": 3},
    "threshold": {},
    "try_all": {"methods": ("otsu",)},
    "uniform": {"shape": 3},
    "vessel_map": {},
    "white_tophat": {"radius": 1},
}
# And with two.
TWO = {
    "contingency": {},
    "hausdorff_distance": {},
    "join_segmentations": {},
    "label_runs": {},
    "object_distances": {},
    "overlay": {},
    "published_distances": {},
    "published_scores": {},
    "random_walker": {},
    "region_properties": {},
    "scores": {},
    "tiled_random_walker": {"tile": 8, "halo": 2},
    "tiled_watershed": {"tile": 8, "halo": 2},
    "watershed": {},
}
# Of tiles that were cut before, which have no axes of their own.
OF_TILES = {
    "compare_tiles",
    "find_seam",
    "instance_tile",
    "label_tile",
    "measure_tile",
    "relabel_tile",
}


def save(path, array, axes, **options):
    return segkit.open_image(segkit.save(path, array, axes=axes, **options))


@pytest.fixture(params=["time", "channels", "planar", "small"], scope="module")
def opened(request, tmp_path_factory):
    """An image whose third axis is none of space."""
    path = tmp_path_factory.mktemp("opened") / "a.ome.tif"
    if request.param == "planar":
        options = {"photometric": "rgb", "planarconfig": "separate"}
        tifffile.imwrite(path, FRAMES, **options)
        return segkit.open_image(path)
    if request.param == "small":
        tifffile.imwrite(path, np.zeros((10, 10, 3), np.uint8), photometric="rgb")
        return segkit.open_image(path)
    return save(path, FRAMES, {"time": "tyx", "channels": "cyx"}[request.param])


@pytest.mark.parametrize("name", sorted(set(ONE) - {"grey_picture"}))
def test_what_is_no_space_is_refused(opened, name):
    function = getattr(segkit, name)
    with pytest.raises(ColourError, match="where one grey image is expected"):
        function(opened, **ONE[name])
    assert opened.ndim == 3


@pytest.mark.parametrize("name", sorted(set(TWO) - {"overlay"}))
def test_what_is_no_space_is_refused_of_two(opened, name):
    function = getattr(segkit, name)
    array = np.zeros(opened.shape, np.uint8)
    with pytest.raises(ColourError, match="where one grey image is expected"):
        function(opened, opened, **TWO[name])
    with pytest.raises(ColourError, match="where one grey image is expected"):
        function(array, opened, **TWO[name])


def test_tiles_are_cut_of_space_only(opened):
    blur = partial(segkit.gaussian, sigma=1)
    with pytest.raises(ColourError, match="where one grey image is expected"):
        segkit.map_tiles(blur, opened, tile=8)
    assert segkit.map_tiles(blur, [[0, 1], [2, 3]], tile=8).shape == (2, 2)


@pytest.mark.parametrize("axes", ["tyx", "cyx"])
def test_a_picture_shows_a_plane_or_colours_never_time(tmp_path, axes):
    image = save(tmp_path / "a.tif", FRAMES, axes)
    for show in (segkit.grey_picture, lambda x: segkit.overlay(x, FRAMES)):
        with pytest.raises(ColourError):
            show(image)
    colours = np.random.default_rng(0).integers(0, 255, (20, 30, 3)).astype(np.uint8)
    picture = save(tmp_path / "b.tif", colours, "yxs")
    np.testing.assert_array_equal(segkit.grey_picture(picture), colours)


@pytest.mark.parametrize("name", sorted(ONE))
def test_axes_of_length_one_are_none(tmp_path, name):
    one = save(tmp_path / "a.zarr", LABELS[None, :1], "tcyx")
    options, function = ONE[name], getattr(segkit, name)
    expected = function(LABELS[0], **options)
    assert repr(function(one, **options)) == repr(expected)


def test_every_public_function_of_images_is_asked():
    first = {"image", "labels", "mask", "first", "segmentation", "classes"}
    functions = [n for n in segkit.__all__ if inspect.isfunction(getattr(segkit, n))]
    taking = {
        name
        for name in functions
        if first & set([*inspect.signature(getattr(segkit, name)).parameters][:1])
    }
    assert taking - OF_TILES - {"explore"} == set(ONE) | set(TWO)


STEPS = {"spacing": (2, 0.5, 0.5), "units": "micrometer"}


def test_the_spacing_of_an_opened_image_is_the_default(tmp_path):
    labels = np.repeat(LABELS[:1], 3, axis=0)
    image = save(tmp_path / "a.tif", labels, "zyx", **STEPS)
    other = save(tmp_path / "b.tif", np.roll(labels, 1, axis=0) * (labels > 1), "zyx")
    table = segkit.region_properties(image)
    expected = segkit.region_properties(labels, spacing=(2, 0.5, 0.5))
    np.testing.assert_equal(table, expected)
    np.testing.assert_equal(segkit.region_properties(image, spacing=1)["area"][0], 126)
    distances = segkit.distance_transform(image)
    np.testing.assert_array_equal(
        distances, segkit.distance_transform(labels, spacing=(2, 0.5, 0.5))
    )
    assert segkit.hausdorff_distance(image, labels * (labels > 1)) > 0
    with pytest.raises(ValueError, match="the images have spacings"):
        segkit.scores(image, other)
    assert segkit.scores(image, other, spacing=1)["dice"] < 1


def test_a_spacing_known_in_part_is_asked_for_where_it_counts(tmp_path):
    path = tmp_path / "a.ome.tif"
    known = {"axes": "ZYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    tifffile.imwrite(path, FRAMES, metadata=known)
    image = segkit.open_image(path)
    assert segkit.label(image).max() == 2
    for measure in (segkit.region_properties, segkit.distance_transform):
        with pytest.raises(ImageRequestError, match="along 'yx' and none along 'z'"):
            measure(image)
        measure(segkit.open_image(path, spacing=(2, 0.5, 0.5)))
    objects = [binarize(), label()]
    for step in (regionprops(), keep_within(area=(1, 5))):
        with pytest.raises(PipelineError, match="along 'yx' and none along 'z'; gi"):
            segkit.Pipeline(*objects, step).run(path)
        segkit.Pipeline(load(spacing=(2, 0.5, 0.5)), *objects, step).run(path)
    assert segkit.Pipeline(*objects).run(path).labels.max() == 2


def described(array, spacing, units, axes="zyx"):
    return segkit.io.as_image(array, axes=axes, spacing=spacing, units=units)


MEASURED = {
    "region_properties": lambda a, b: segkit.region_properties(a, b)["area"],
    "hausdorff_distance": segkit.hausdorff_distance,
    "object_distances": lambda a, b: segkit.object_distances(a, b).distances,
    "scores": lambda a, b: segkit.scores(a, b).distances,
}
ANY_SPACING = {
    "contingency": segkit.contingency,
    "watershed": segkit.watershed,
    "random_walker": segkit.random_walker,
}


@pytest.mark.parametrize("name", ["region_properties", "hausdorff_distance"])
def test_spacings_of_two_images_are_compared_as_lengths(name):
    um = described(LABELS, (0.4, 0.1, 0.1), "um")
    nm = described(LABELS, (400, 100, 100), "nm")
    shifted = described(np.roll(LABELS, 1, axis=2), (400, 100, 100), "nm")
    power = 9 if name == "region_properties" else 3
    first, second = MEASURED[name](um, shifted), MEASURED[name](nm, shifted)
    np.testing.assert_allclose(np.asarray(first) * 10.0**power, second)
    assert np.all(first > 0)
    for other in (
        described(LABELS, (0.4, 0.1, 0.1), "nm"),
        described(LABELS, None, None),
    ):
        with pytest.raises(ValueError, match=r"the images have spacings|has a spacing"):
            MEASURED[name](um, other)


@pytest.mark.parametrize("name", [*MEASURED, *ANY_SPACING])
def test_axes_of_two_images_in_another_order_are_told(name):
    cube = np.ones((4, 4, 4), np.int32)
    function = {**MEASURED, **ANY_SPACING}[name]
    for other in ("xyz", "zxy"):
        with pytest.raises(ValueError, match="bring them into one order"):
            function(described(cube, None, None), described(cube, None, None, other))


def test_units_that_cannot_be_told_in_each_other_are_asked_for(tmp_path):
    path = tmp_path / "a.ome.tif"
    known = {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "rod", "PhysicalSizeY": 0.5}
    tifffile.imwrite(path, np.uint8(LABELS[0]), metadata={"axes": "YX", **known})
    words = r"a spacing in micrometer along 'y' and in rod along 'x'; give spacing="
    with pytest.raises(ImageRequestError, match=words):
        segkit.region_properties(segkit.open_image(path))
    with pytest.raises(PipelineError, match=words):
        Pipeline(label(by_value=True), regionprops()).run(path)
    given = segkit.open_image(path, spacing=(0.5, 0.5), units="um")
    assert len(segkit.region_properties(given)["area"])
