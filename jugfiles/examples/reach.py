"""How far a function sees, so that its tiles get a halo that is wide enough."""

import warnings
from functools import partial

import segkit
from segkit.tiling import reach as declared_reach


def probe_reach(image):
    def relief(part):
        return segkit.dilation(part, 6) - segkit.erosion(part, 6)

    changed = image.copy()
    changed[150, 100:300:50] = 255
    title = f"reach {segkit.probe_reach(relief, ndim=2)}: what 4 voxels change"
    return {"relief": relief(image), title: relief(changed) != relief(image)}


def check_halo(image):
    closing = partial(segkit.closing, radius=4)
    whole = closing(image)
    pictures = {"closing": whole}
    for halo in (8, 4):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            segkit.check_halo(closing, halo, ndim=2)
            tiled = segkit.map_tiles(closing, image, tile=50, halo=halo)
        title = f"halo={halo}: {'too small, wrong at' if caught else 'wide enough'}"
        pictures[title] = segkit.binary_dilation(tiled != whole, 1)
    return pictures


def declare_reach(image):
    @segkit.declare_reach(lambda ndim, *, radius: (2 * radius,) * ndim)
    def contrast(image, radius=1):
        return segkit.closing(image, radius) - segkit.opening(image, radius)

    near = partial(contrast, radius=4)
    halo = declared_reach(near, image.ndim)
    smooth = segkit.gaussian(image, 2)
    tiled = segkit.map_tiles(near, smooth, tile=100)  # takes that halo
    return {"smooth": smooth, f"tiles with a halo of {halo}": tiled}
