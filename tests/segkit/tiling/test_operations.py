"""Each operation of finite reach gives on tiles what it gives on the whole image."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import segkit
from segkit import Pipeline, checks, pipeline
from segkit.pipeline.plan import plan
from segkit.pipeline.spacings import ImageSpec
from segkit.pipeline.stages import WholeStage
from segkit.tiling.cutting import map_tiles
from segkit.tiling.reaches import reach

DTYPES = ["bool", "uint8", "uint16", "int16", "int32", "float16", "float32", "float64"]
VOXELS = (3, 1, 1.5)


def spaced(image):
    return VOXELS[-image.ndim :]


OF_IMAGES = {
    "hessian_eigenvalues": lambda i: {"sigma": 0.7, "which": 0, "spacing": spaced(i)},
    "sato": lambda i: {"sigmas": (0.6, 1), "spacing": spaced(i), "truncate": 3},
    "frangi": lambda i: {"sigmas": 1, "gamma": 9, "polarity": "dark", "truncate": 4},
    "laplacian_of_gaussian": lambda i: {"sigma": 1.2, "spacing": spaced(i)},
    "blobs": lambda i: {"sigmas": (0.6, 1, 2), "threshold": 1, "spacing": spaced(i)},
    "blobs dog": lambda i: {"sigmas": (1, 0.5), "threshold": 0, "method": "dog"},
    "edges": lambda i: {"method": "scharr"},
    "percentile": lambda i: {"percent": 30, "radius": (2, 0, 1)[: i.ndim]},
    "peaks": lambda i: {"radius": (1, 2, 0)[: i.ndim]},
    "rescale_intensity": lambda i: {"in_range": (3, 90), "out_range": (0, 1)},
    "invert": lambda i: {},
}
OF_LABELS = {
    "find_boundaries": lambda i: {"mode": "outer", "connectivity": i.ndim},
    "find_boundaries thick": lambda i: {"mode": "thick"},
    "expand_labels": lambda i: {"distance": 2.3},
    "expand_labels spaced": lambda i: {"distance": 4, "spacing": spaced(i)},
}
PLANES = {"hessian_eigenvalues", "sato", "frangi"}


@st.composite
def images(draw, least=1):
    ndim = draw(st.integers(least, 3))
    shape = tuple(draw(st.integers(1, 9)) for _ in range(ndim))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    if dtype.kind == "b":
        return rng.random(shape) < 0.6
    steps = draw(st.sampled_from([3, 200]))  # few values: many of them are equal
    lowest = 0 if dtype.kind == "u" else -steps // 3
    return rng.integers(lowest, steps, shape).astype(dtype)


@st.composite
def label_images(draw):
    ndim = draw(st.integers(1, 3))
    shape = tuple(draw(st.integers(1, 9)) for _ in range(ndim))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    there = rng.random(shape) < draw(st.sampled_from([0.05, 0.4]))
    dtype = draw(st.sampled_from(["uint8", "int32", "uint64"]))
    return (rng.integers(1, 9, shape) * there).astype(dtype)


def require_tiles_equal_whole(function, image, tile):
    whole = function(image)
    assert whole.shape == image.shape
    with checks.inside_tile():
        tiled = map_tiles(function, image, tile=tile)
    np.testing.assert_array_equal(tiled, whole, strict=True)


@pytest.mark.parametrize("name", OF_IMAGES)
@settings(deadline=None, max_examples=8)
@given(data=st.data())
def test_tiled_equals_whole(name, data):
    function = getattr(segkit, name.split()[0])
    image = data.draw(images(least=2 if name in PLANES else 1))
    tile = [data.draw(st.integers(1, 6)) for _ in image.shape]
    options = OF_IMAGES[name](image)
    require_tiles_equal_whole(partial(function, **options), image, tile)


@pytest.mark.parametrize("name", OF_LABELS)
@settings(deadline=None, max_examples=12)
@given(labels=label_images(), data=st.data())
def test_tiled_equals_whole_of_labels(name, labels, data):
    tile = [data.draw(st.integers(1, 6)) for _ in labels.shape]
    options = OF_LABELS[name](labels)
    function = partial(getattr(segkit, name.split()[0]), **options)
    require_tiles_equal_whole(function, labels, tile)


@pytest.mark.parametrize("name", ["sato", "hessian_eigenvalues", "percentile"])
def test_results_do_not_depend_on_workers(name):
    image = np.random.default_rng(0).random((40, 30)).astype(np.float32)
    options = OF_IMAGES[name](image)
    found = [getattr(segkit, name)(image, **options, workers=n) for n in (1, 2, 5)]
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


WHOLE = {
    "frangi": ([1], {}),
    "canny": ([1, 2], {}),
    "local_maxima": ([], {}),
    "skeleton": ([], {}),
    "rescale_intensity": ([], {}),
    "equalize_hist": ([], {}),
    "equalize_adapthist": ([], {}),
}


@pytest.mark.parametrize("name", WHOLE)
def test_what_takes_the_whole_image_is_run_on_it_and_refused_on_tiles(name):
    arguments, options = WHOLE[name]
    image = np.random.default_rng(0).integers(0, 99, (30, 40), np.uint8)
    step = getattr(pipeline, name)(*arguments, **options)
    spec = ImageSpec(image.shape, "uint8", (1.0, 1.0), ("pixel",) * 2)
    stages = plan([pipeline.tile(8), step], spec)
    assert isinstance(stages[-1], WholeStage)
    found = Pipeline(pipeline.tile(8), step).run(image)
    function = getattr(segkit, name)
    np.testing.assert_array_equal(found.array, function(image, *arguments, **options))
    called = {"sigmas": 1} if name == "frangi" else {}
    called = {"low": 1, "high": 2} if name == "canny" else called
    with pytest.raises(ValueError, match="no halo makes its tiles exact"):
        map_tiles(partial(function, **called), image, tile=8)


def test_a_pipeline_file_of_operations_gives_on_tiles_what_the_functions_give(tmp_path):
    image = np.random.default_rng(0).integers(0, 255, (50, 60), np.uint8)
    path = tmp_path / "ridges.toml"
    path.write_text(
        "format = 1\n"
        '[[step]]\nrun = "tile"\narguments = [16]\n'
        '[[step]]\nrun = "rescale_intensity"\narguments = [[10, 200]]\n'
        '[[step]]\nrun = "frangi"\narguments = [[1, 2]]\nwith = {gamma = 20.0}\n'
        '[[step]]\nrun = "peaks"\narguments = [2]\n'
    )
    ridges = segkit.frangi(segkit.rescale_intensity(image, (10, 200)), (1, 2), gamma=20)
    found = Pipeline.load(path).run(image)
    np.testing.assert_array_equal(found.array, segkit.peaks(ridges, 2))


def test_the_spacing_of_an_image_reaches_what_has_a_scale():
    spec = ImageSpec((20, 30, 40), "uint8", (2.0, 0.5, 0.5), ("micrometer",) * 3, "zyx")
    for step in (
        pipeline.sato([2]),
        pipeline.blobs([2], 1),
        pipeline.laplacian_of_gaussian(2),
    ):
        stage = plan([pipeline.tile(8), step], spec)[-1]
        assert dict(stage.steps[0].options)["spacing"] == (4.0, 1.0, 1.0)
        assert stage.halo[0] < stage.halo[1] == stage.halo[2]
    assert reach(segkit.sato, 3, sigmas=[2], spacing=(4, 1, 1))[0] < 10
