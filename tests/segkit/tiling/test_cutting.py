"""Tiles partition images, results join by rule, and map_tiles equals the whole."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from segkit import tiling
from segkit.morphology.holes import fill_holes
from segkit.morphology.operations import dilation
from segkit.tiling.reaches import HaloWarning

from .grids import grids


@settings(deadline=None, max_examples=50)
@given(grids())
def test_write_boxes_own_each_voxel_once(grid):
    shape, sizes, halo = grid
    owners = np.zeros(shape, int)
    for tile in tiling.tiles(shape, sizes, halo=halo):
        owners[tile.write.slices] += 1
    assert (owners == 1).all()


@settings(deadline=None, max_examples=50)
@given(grids())
def test_inner_is_the_write_box_within_the_read_box(grid):
    shape, sizes, halo = grid
    position = np.arange(int(np.prod(shape))).reshape(shape)
    for tile in tiling.tiles(shape, sizes, halo=halo):
        owned = position[tile.read.slices][tile.inner]
        np.testing.assert_array_equal(owned, position[tile.write.slices])


@settings(deadline=None, max_examples=50)
@given(grids())
def test_halo_is_clipped_at_the_image_and_nowhere_else(grid):
    shape, sizes, halo = grid
    for tile in tiling.tiles(shape, sizes, halo=halo):
        for axis, margin in enumerate(halo):
            assert tile.read.start[axis] == max(tile.write.start[axis] - margin, 0)
            assert tile.read.stop[axis] == min(
                tile.write.stop[axis] + margin, shape[axis]
            )


@settings(deadline=None, max_examples=50)
@given(grids(), st.data())
def test_overlapping_tiles_cover_and_own_each_voxel(grid, data):
    shape, sizes, _ = grid
    strides = [data.draw(st.integers(1, size)) for size in sizes]
    owners = np.zeros(shape, int)
    covered = np.zeros(shape, int)
    for tile in tiling.overlapping_tiles(shape, sizes, strides):
        owners[tile.write.slices] += 1
        covered[tile.read.slices] += 1
        for axis, step in enumerate(strides):
            assert tile.read.start[axis] == tile.index[axis] * step
        assert tile.write.size > 0
    assert (owners == 1).all()
    assert (covered >= 1).all()


def test_tiles_come_in_raster_order():
    indices = [tile.index for tile in tiling.tiles((3, 5), (2, 2))]
    assert indices == sorted(indices)


def test_the_remainder_of_the_documented_stack_is_covered():
    """FLoRIN drops planes 60 to 63 of 64 with tiles of 10 planes."""
    grid = tiling.overlapping_tiles((64, 512, 512), (10, 64, 64), (10, 32, 32))
    assert max(tile.read.stop[0] for tile in grid) == 64


@pytest.mark.parametrize(
    ("tile", "stride", "message"),
    [
        (4, 5, "stride 5 is larger than tile 4 on axis 0"),
        ((4, 4), (4, 9), "stride 9 is larger than tile 4 on axis 1"),
        (0, 1, "tile is 0 on axis 0, but must be at least 1"),
        (4, 0, "stride is 0 on axis 0"),
        ((4, 4, 4), 2, "tile .* has 3 numbers, but the image has 2 axes"),
    ],
)
def test_tiles_that_skip_voxels_or_lack_axes_are_refused(tile, stride, message):
    with pytest.raises(ValueError, match=message):
        tiling.overlapping_tiles((10, 10), tile, stride)


def test_a_size_that_is_no_integer_is_refused():
    with pytest.raises(TypeError, match=r"tile holds 2\.5, but must be an integer"):
        tiling.tiles((10,), 2.5)


@settings(deadline=None, max_examples=30)
@given(grids(), st.integers(1, 3))
def test_map_tiles_equals_the_whole(grid, workers):
    shape, sizes, _ = grid
    shape = tuple(n + 1 for n in shape)
    image = np.random.default_rng(1).integers(0, 100, shape)
    grow = partial(dilation, radius=2)
    tiled = tiling.map_tiles(grow, image, tile=sizes, workers=workers)
    np.testing.assert_array_equal(tiled, grow(image))


def test_map_tiles_writes_into_what_it_is_given(tmp_path):
    image = np.arange(35, dtype=np.uint8).reshape(5, 7)
    out = np.lib.format.open_memmap(tmp_path / "out.npy", "w+", np.uint8, (5, 7))
    found = tiling.map_tiles(dilation, image, tile=(2, 3), out=out, workers=2)
    assert found is out
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), dilation(image))


def test_map_tiles_changes_no_value_to_fit_a_type():
    image = np.arange(144, dtype=np.uint8).reshape(12, 12)
    options = {"tile": 8, "halo": 0}

    def by_content(tile):
        return tile if tile[0, 0] == 0 else tile.astype(np.int64) + 300

    with pytest.raises(ValueError, match=r"tile \(0, 1\) has dtype int64, .* uint8"):
        tiling.map_tiles(by_content, image, **options)
    for room, made in (
        (np.uint8, np.int32),
        (np.uint8, np.uint16),
        (int, float),
        ("f4", int),
    ):
        with pytest.raises(ValueError, match=r"out has .*, which cannot hold them"):
            tiling.map_tiles(
                lambda tile, made=made: tile.astype(made) * 3,
                image,
                out=np.zeros(image.shape, room),
                **options,
            )
    single = np.zeros(image.shape, np.float32)
    tiling.map_tiles(lambda tile: tile / 2, image, out=single, **options)
    np.testing.assert_array_equal(single, image / 2)


def test_a_failing_tile_fails_the_map():
    def fail(_image):
        raise ArithmeticError("no")

    with pytest.raises(ArithmeticError, match="no"):
        tiling.map_tiles(fail, np.zeros((9, 9)), tile=2, halo=0, workers=2)


def test_a_halo_below_the_declared_reach_warns():
    with pytest.warns(HaloWarning, match=r"dilation reaches \(1, 1\) voxels, further"):
        tiling.map_tiles(dilation, np.zeros((4, 4)), tile=2, halo=0)


def test_a_function_of_unlimited_reach_needs_a_halo_said_aloud():
    with pytest.raises(ValueError, match="fill_holes can depend on voxels at any"):
        tiling.map_tiles(fill_holes, np.zeros((4, 4), bool), tile=2)


def test_a_function_that_declares_no_reach_needs_a_halo():
    with pytest.raises(TypeError, match="<lambda> declares no reach; give a halo"):
        tiling.map_tiles(lambda image: image, np.zeros((4, 4)), tile=2)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((0, 4)), "image is empty: axis 0"),
        (np.zeros((64, 64, 3), np.uint8), "looks like a colour picture"),
    ],
)
def test_images_that_are_none_are_refused(image, message):
    with pytest.raises(ValueError, match=message):
        tiling.map_tiles(dilation, image, tile=2)


def test_a_thin_tile_of_a_volume_is_no_colour_picture():
    volume = np.random.default_rng(2).integers(0, 9, (20, 20, 19))
    tiled = tiling.map_tiles(partial(dilation, radius=0), volume, tile=16)
    np.testing.assert_array_equal(tiled, volume)
