"""Large images, piece by piece."""

import numpy as np

import segkit
from examples._shared import grid_picture


def tiles(image):
    return {"tiles": grid_picture(image, segkit.tiles(image.shape, 150, halo=20))}


def overlapping_tiles(image):
    grid = segkit.overlapping_tiles(image.shape, 150, 100)
    return {"tile=150, stride=100": grid_picture(image, grid)}


def map_tiles(image):
    def smooth(tile):
        return segkit.gaussian(tile, 4)

    with_halo = segkit.map_tiles(smooth, image, tile=100, halo=16)
    too_small = segkit.map_tiles(smooth, image, tile=100, halo=0)
    return {"halo=16": with_halo, "halo=0, less": np.abs(with_halo - too_small)}


def join(image):
    grid = segkit.overlapping_tiles(image.shape, 150, 100)
    pieces = [(tile, segkit.gaussian(image[tile.read.slices], 4)) for tile in grid]
    return {
        rule: segkit.join(pieces, image.shape, rule=rule) for rule in ("own", "mean")
    }
