"""Filters, thresholds, pictures, watershed: ``python benchmarks/filters.py [part]``.

One thread, CPU time, least of a few runs, ours and a library's in one run. Of filters
and morphology, whether the library's result on tiles is that on the whole image, which
decides what segkit may use. Of thresholds, each method beside mahotas' Otsu, and
scikit-image's of the same name. Of pictures, an overlay and its PNG file beside
OpenCV's `imwrite` of it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import cv2
import edt
import mahotas
import numpy as np
import skimage.filters
import skimage.morphology
import skimage.segmentation
from measuring import cpu_seconds
from reporting import Row, parser, show
from scipy import ndimage

import segkit
from segkit import filters, morphology
from segkit.thresholding.methods import Method
from segkit.tiling.cutting import map_tiles

if TYPE_CHECKING:
    from collections.abc import Iterator

GOALS = {
    ("median, 3 x 3, 2048^2 uint8, plain install", "OpenCV"): {"goal_ratio": 0.1},
    ("median, 11 x 11, 1024^2 uint16", "scipy"): {"goal": 150},
    ("median, 3 x 3 x 3, 64x256x256 uint8", "scipy"): {"goal_ratio": 10},
    ("median, 3 x 3 x 3, 64x256x256 uint16", "scipy"): {"goal_ratio": 10},
    ("h_maxima, 2048^2 float32", "scikit-image"): {"goal_ratio": 8},
}
CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


def cv2_gaussian(image):
    return cv2.GaussianBlur(image, (33, 33), 4, borderType=cv2.BORDER_REFLECT)


def cv2_opening(mask):
    opened = cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_OPEN, CROSS)
    return opened.view(bool)


def filter_cases(plane, volume):
    smooth, solid = plane.astype(np.float32), volume > 0.5
    yield (
        "gaussian, sigma 4, 2048^2 float32",
        smooth,
        16,
        partial(filters.gaussian, sigma=4),
        {"scipy": partial(ndimage.gaussian_filter, sigma=4), "OpenCV": cv2_gaussian},
    )
    yield (
        "gaussian, sigma 2, 128x256x256 float32",
        volume,
        8,
        partial(filters.gaussian, sigma=2),
        {"scipy": partial(ndimage.gaussian_filter, sigma=2)},
    )
    yield (
        "median, radius 2, 2048^2 uint8",
        plane,
        2,
        partial(filters.median, radius=2),
        {"scipy": partial(ndimage.median_filter, size=5, mode="nearest")},
    )
    yield (
        "distance transform, 128x256x256",
        solid,
        None,
        filters.distance_transform,
        {"edt": edt.edt, "scipy": ndimage.distance_transform_edt},
    )


def median_cases(plane, volume):
    deep = plane.astype(np.uint16) * 257
    cubes = (volume[:64] * 65535).astype(np.uint16)
    for name, image, radius in (
        ("3 x 3, 2048^2 uint8", plane, 1),
        ("11 x 11, 1024^2 uint16", deep[:1024, :1024], 5),
        ("3 x 3 x 3, 64x256x256 uint8", cubes.astype(np.uint8), 1),
        ("3 x 3 x 3, 64x256x256 uint16", cubes, 1),
    ):
        size = 2 * radius + 1
        peers = {"scipy": partial(ndimage.median_filter, size=size, mode="nearest")}
        own = partial(filters.median, radius=radius, workers=1)
        if image.ndim == 2 and image.dtype == np.uint8:
            peers["OpenCV"] = partial(cv2.medianBlur, ksize=size)
            plain = f"median, {name}, plain install"
            near = {"OpenCV": peers["OpenCV"]}
            yield plain, image, radius, without_opencv(own), near
        yield f"median, {name}", image, radius, own, peers


def without_opencv(function):
    def run(image):
        there = sys.modules["cv2"]
        sys.modules["cv2"] = None
        try:  # all else that is imported meanwhile has to stay, kernels with their code
            return function(image)
        finally:
            sys.modules["cv2"] = there

    return run


def maxima_cases(plane, _):
    smooth = filters.gaussian(plane.astype(np.float32) / 256, 2)
    yield (
        "h_maxima, 2048^2 float32",
        smooth,
        None,
        partial(morphology.h_maxima, h=0.02, workers=1),
        {"scikit-image": partial(skimage.morphology.h_maxima, h=0.02)},
    )


def morphology_cases(plane, volume):
    mask, solid = plane > 100, volume > 0.5
    yield (
        "binary opening, cross, 2048^2",
        mask,
        2,
        morphology.binary_opening,
        {"mahotas": mahotas.open, "OpenCV": cv2_opening},
    )
    yield (
        "binary opening, cross, 128x256x256",
        solid,
        2,
        morphology.binary_opening,
        {"scikit-image": skimage.morphology.opening, "scipy": ndimage.binary_opening},
    )
    disk = skimage.morphology.disk(7)
    yield (
        "erosion, disk 7, 2048^2 uint8",
        plane,
        7,
        partial(morphology.erosion, radius=7),
        {
            "OpenCV": partial(cv2.erode, kernel=disk),
            "scipy": partial(ndimage.grey_erosion, footprint=disk),
        },
    )
    yield (
        "fill holes, 2048^2",
        mask,
        None,
        morphology.fill_holes,
        {"scipy": ndimage.binary_fill_holes},
    )


def same_on_tiles(function, image, halo):
    if halo is None:
        return "unlimited reach"
    tile = tuple(n // 2 - 13 for n in image.shape)
    tiled = map_tiles(function, image, tile=tile, halo=halo)
    differ = np.count_nonzero(tiled != function(image))
    return "tiles exact" if differ == 0 else f"{differ} voxels differ on tiles"


TOO_SLOW = ("minimum",)
"""Methods of scikit-image that take minutes for 16 bits."""


def cells(size, sigma, rng):
    """Return bright blobs on dark ground, from 0 to 1."""
    small = ndimage.gaussian_filter(rng.random((size // 2, size // 2)), sigma)
    smooth = ndimage.zoom(small, 2, order=1)
    return (smooth - smooth.min()) / np.ptp(smooth)


def thresholds(runs) -> Iterator[Row]:
    rng = np.random.default_rng(0)
    blobs = cells(4096, 5, rng)
    grey = 500 + 4000 * blobs + 2500 * (blobs > 0.6) + rng.normal(0, 60, blobs.shape)
    image = grey.clip(0, 65535).astype(np.uint16)
    for method in get_args(Method):
        own = partial(segkit.threshold, image, method, workers=1)
        own()
        ours, otsu = cpu_seconds(own, partial(mahotas.otsu, image), runs=runs)
        case = f"threshold, {method}, 4096^2 uint16"
        more = {"goal_ratio": 0.5, "yardstick": method != "otsu"}
        yield Row(case, 1e3 * ours, "ms CPU", "mahotas' Otsu", 1e3 * otsu, **more)
        function = getattr(skimage.filters, f"threshold_{method}", None)
        if function is not None and method not in TOO_SLOW:
            (theirs,) = cpu_seconds(partial(function, image), runs=1)
            same = "equal" if float(function(image)) == own() else "other value"
            yield Row(
                case, 1e3 * ours, "ms CPU", "scikit-image", 1e3 * theirs, note=same
            )


def pictures(runs) -> Iterator[Row]:
    rng = np.random.default_rng(1)
    blobs = cells(2048, 3.2, rng)
    labels = segkit.label(blobs > 0.6)
    noisy = (2000 * blobs + rng.normal(300, 60, blobs.shape)).clip(0).astype(np.uint16)
    kinds = {
        "smooth uint16": (60000 * blobs).astype(np.uint16),
        "noisy uint16": noisy,
        "noisy float32": noisy.astype(np.float32),
    }
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder, "ours.png"), Path(folder, "theirs.png")
        for name, image in kinds.items():
            paint = partial(segkit.overlay, image, labels, workers=1)
            rgb = paint()
            save = partial(segkit.save_png, ours, rgb, overwrite=True, workers=1)
            save()
            write = partial(cv2.imwrite, str(theirs), rgb[..., ::-1])
            calls = (paint, save, write)
            painted, saved, peer = (1e3 * s for s in cpu_seconds(*calls, runs=runs))
            case = f"overlay and PNG, 2048^2 {name}, {labels.max()} objects"
            sizes = [path.stat().st_size / 1e6 for path in (ours, theirs)]
            note = f"overlay {painted:.0f} ms; {sizes[0]:.2f} and {sizes[1]:.2f} MB"
            yield Row(
                case,
                painted + saved,
                "ms CPU",
                "OpenCV's imwrite of the finished picture",
                peer,
                goal_ratio=1 / 1.1,
                note=note,
            )


def watershed(runs) -> Iterator[Row]:
    plane = cells(2048, 4, np.random.default_rng(0)).astype(np.float32)
    smooth = ndimage.gaussian_filter(np.random.default_rng(0).random((64, 256, 256)), 3)
    for name, image in (("2048^2", plane), ("64x256x256", smooth.astype(np.float32))):
        markers = segkit.label(skimage.morphology.local_minima(image))
        own = partial(segkit.watershed, image, markers)
        peer = partial(skimage.segmentation.watershed, image, markers)
        same = "equal" if np.array_equal(own(), peer()) else "other labels"
        ours, theirs = cpu_seconds(own, peer, runs=runs)
        case = f"watershed, {name} float32, {markers.max()} markers"
        yield Row(case, 1e3 * ours, "ms CPU", "scikit-image", 1e3 * theirs, note=same)


def beside(cases, runs) -> Iterator[Row]:
    """Yield a case beside each of its peers, or alone if it has none."""
    rng = np.random.default_rng(0)
    plane = rng.integers(0, 256, (2048, 2048), np.uint8)
    volume = rng.random((128, 256, 256), np.float32)
    for name, image, halo, function, peers in cases(plane, volume):
        found = function(image)
        notes = {p: as_ours(call, image, found, halo, p) for p, call in peers.items()}
        calls = [partial(call, image) for call in (function, *peers.values())]
        ours, *times = (1e3 * s for s in cpu_seconds(*calls, runs=runs))
        if not peers:
            yield Row(name, ours, "ms CPU", note=same_on_tiles(function, image, halo))
        for (peer, note), theirs in zip(notes.items(), times, strict=True):
            goal = GOALS.get((name, peer), {})
            yield Row(name, ours, "ms CPU", peer, theirs, **goal, note=note)


def as_ours(call, image, found, halo, peer):
    """Return in words how a peer's result differs from ours, and that on tiles."""
    count = np.count_nonzero(call(image) != found)
    note = f"{count:,} of {image.size:,} voxels differ" if count else "equal"
    if peer == "scipy":  # its tiles are exact
        return note
    return f"{note}; {same_on_tiles(call, image, halo)}"


PARTS = {
    "thresholds": thresholds,
    "pictures": pictures,
    "watershed": watershed,
    "filters": partial(beside, filter_cases),
    "median": partial(beside, median_cases),
    "morphology": partial(beside, morphology_cases),
    "h_maxima": partial(beside, maxima_cases),
}


def main():
    options = parser(__doc__)
    options.add_argument("parts", nargs="*", metavar="part", default=list(PARTS))
    options.add_argument("--runs", type=int, default=3)
    given = options.parse_args()
    cv2.setNumThreads(1)
    os.environ["TG_CPUS"] = "1"
    for part in given.parts:
        show(PARTS[part](given.runs), given)


if __name__ == "__main__":
    main()
