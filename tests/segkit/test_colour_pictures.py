"""No function takes a colour picture for a thin volume, whose result would be wrong."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import segkit

PICTURE = np.random.default_rng(0).integers(0, 255, (32, 40, 3)).astype(np.uint8)
ONE = np.ones(PICTURE.shape, np.int32)
# What each function takes beside the image.
ARGUMENTS = {
    "binarize_local": ((9,), {}),
    "blobs": ((2, 5), {}),
    "canny": ((1, 2), {}),
    "convert": (("float32",), {}),
    "crop": ((1,), {}),
    "gaussian": ((1,), {}),
    "h_maxima": ((3,), {}),
    "hausdorff_distance": ((PICTURE,), {}),
    "hessian_eigenvalues": ((1,), {}),
    "hysteresis": ((10, 20), {}),
    "join_segmentations": ((ONE,), {}),
    "laplacian_of_gaussian": ((1,), {}),
    "local_threshold": ((9,), {}),
    "object_distances": ((PICTURE,), {}),
    "pad": ((1,), {}),
    "percentile": ((50,), {}),
    "published_distances": ((PICTURE,), {}),
    "published_scores": ((PICTURE,), {}),
    "random_walker": ((ONE,), {}),
    "remove_small_holes": ((3,), {}),
    "remove_small_objects": ((3,), {}),
    "scores": ((PICTURE,), {}),
    "subtract_background": ((3,), {}),
    "tiled_random_walker": ((ONE,), {"tile": 16}),
    "tiled_watershed": ((ONE,), {"tile": 16}),
    "uniform": ((3,), {}),
    "watershed": ((ONE,), {}),
}
# These take one tile, which may be as thin as a colour axis, or a picture to show.
OTHERS = {
    "compare_tiles",
    "contingency",
    "drop_ids",
    "explore",  # opens a picture as files are opened
    "find_seam",
    "grey_picture",
    "instance_tile",
    "keep_ids",
    "label_colours",
    "label_runs",
    "label_tile",
    "measure_tile",
    "membrane_map",  # takes planes only, and says so
    "overlay",
    "paint_classes",
    "reconstruct",
    "relabel_tile",
}
IMAGES = {"image", "mask", "labels", "segmentation", "first"}


def functions_of_images():
    for name in segkit.__all__:
        function = getattr(segkit, name)
        if callable(function) and not isinstance(function, type):
            first = next(iter(inspect.signature(function).parameters), None)
            if first in IMAGES and name not in OTHERS:
                yield name


@pytest.mark.parametrize("name", list(functions_of_images()))
def test_every_function_of_a_grey_image_refuses_a_colour_picture(name):
    arguments, options = ARGUMENTS.get(name, ((), {}))
    with pytest.raises(ValueError, match="looks like a colour picture"):
        getattr(segkit, name)(PICTURE, *arguments, **options)


def test_tiled_functions_refuse_a_colour_picture():
    with pytest.raises(ValueError, match="looks like a colour picture"):
        segkit.map_tiles(np.negative, PICTURE, tile=16)


def test_labels_of_a_volume_as_thin_as_colours_are_labels():
    mask = np.zeros((32, 40, 3), bool)
    mask[4:9, 5:9], mask[20, 20] = True, True
    labels = segkit.label(mask)
    assert segkit.remove_small_objects(labels, 10).max() == 1
    assert segkit.region_properties(labels)["count"].tolist() == [60, 3]
    assert segkit.scores(labels, labels)["dice"] == 1
    thin = labels.astype(np.uint8)  # a tile of a volume, say
    assert segkit.keep_ids(thin, [2]).max() == 2
