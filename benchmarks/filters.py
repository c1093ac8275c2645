"""Time filters, thresholds and pictures: ``python benchmarks/filters.py``.

One thread, CPU time, least of a few runs, ours and a library's in one run. Of filters
and morphology, whether the library's result on tiles is that on the whole image, which
decides what segkit may use. Of thresholds, the ratio of each method to mahotas' Otsu.
Of pictures, that of an overlay and its PNG file to OpenCV's `imwrite` of it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import get_args
from unittest import mock

import cv2
import edt
import mahotas
import numpy as np
import skimage.filters
import skimage.morphology
from scipy import ndimage

import segkit
from segkit import filters, morphology
from segkit.thresholding.methods import Method
from segkit.tiling.cutting import map_tiles

CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


def cpu_seconds(function, image, runs):
    function(image)
    times = []
    for _ in range(runs):
        start = time.process_time()
        function(image)
        times.append(time.process_time() - start)
    return min(times)


def cv2_gaussian(image):
    return cv2.GaussianBlur(image, (33, 33), 4, borderType=cv2.BORDER_REFLECT)


def cv2_opening(mask):
    opened = cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_OPEN, CROSS)
    return opened.view(bool)


def cases(rng):
    plane = rng.integers(0, 256, (2048, 2048), np.uint8)
    volume = rng.random((128, 256, 256), np.float32)
    yield from filter_cases(plane, volume)
    yield from morphology_cases(plane, volume > 0.5)
    yield from maxima_cases(filters.gaussian(rng.random((2048, 2048), np.float32), 2))


def filter_cases(plane, volume):
    smooth, solid = plane.astype(np.float32), volume > 0.5
    yield (
        "gaussian, sigma 4, 2048^2 float32",
        smooth,
        16,
        partial(filters.gaussian, sigma=4),
        {"scipy": partial(ndimage.gaussian_filter, sigma=4), "cv2": cv2_gaussian},
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
    yield from median_cases(plane, volume)
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
        if image.ndim == 2 and image.dtype == np.uint8:
            peers["cv2"] = partial(cv2.medianBlur, ksize=size)
        own = partial(filters.median, radius=radius, workers=1)
        yield f"median, {name}", image, radius, own, peers
        yield f"median, {name}, without OpenCV", image, radius, without_opencv(own), {}


def without_opencv(function):
    def run(image):
        with mock.patch.dict(sys.modules, {"cv2": None}):
            return function(image)

    return run


def maxima_cases(smooth):
    yield (
        "h_maxima, 2048^2 float32",
        smooth,
        None,
        partial(morphology.h_maxima, h=0.02, workers=1),
        {"skimage": partial(skimage.morphology.h_maxima, h=0.02)},
    )


def morphology_cases(plane, solid):
    mask = plane > 100
    yield (
        "binary opening, cross, 2048^2",
        mask,
        2,
        morphology.binary_opening,
        {"mahotas": mahotas.open, "cv2": cv2_opening},
    )
    yield (
        "binary opening, cross, 128x256x256",
        solid,
        2,
        morphology.binary_opening,
        {"skimage": skimage.morphology.opening, "scipy": ndimage.binary_opening},
    )
    disk = skimage.morphology.disk(7)
    yield (
        "erosion, disk 7, 2048^2 uint8",
        plane,
        7,
        partial(morphology.erosion, radius=7),
        {
            "cv2": partial(cv2.erode, kernel=disk),
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


def cpu_ms(run, runs=4):
    least = float("inf")
    for _ in range(runs):
        start = time.process_time()
        run()
        least = min(least, time.process_time() - start)
    return 1e3 * least


def cells(size, sigma, rng):
    """Return bright blobs on dark ground, from 0 to 1."""
    small = ndimage.gaussian_filter(rng.random((size // 2, size // 2)), sigma)
    smooth = ndimage.zoom(small, 2, order=1)
    return (smooth - smooth.min()) / np.ptp(smooth)


def thresholds():
    rng = np.random.default_rng(0)
    blobs = cells(4096, 5, rng)
    grey = 500 + 4000 * blobs + 2500 * (blobs > 0.6) + rng.normal(0, 60, blobs.shape)
    image = grey.clip(0, 65535).astype(np.uint16)
    peer = cpu_ms(partial(mahotas.otsu, image))
    print(f"4096 x 4096 uint16: otsu by mahotas {peer:.1f} ms")
    for method in get_args(Method):
        ours = cpu_ms(partial(segkit.threshold, image, method, workers=1))
        line = f"  {method:9} {ours:7.1f} ms, {ours / peer:.2f} of mahotas' Otsu"
        function = getattr(skimage.filters, f"threshold_{method}", None)
        if function is not None and method not in TOO_SLOW:
            theirs = cpu_ms(partial(function, image), 1)
            same = float(function(image)) == segkit.threshold(image, method)
            line += f"; scikit-image {theirs:.0f} ms, {'equal' if same else 'OTHER'}"
        print(line)


def pictures():
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
            rgb = segkit.overlay(image, labels)
            save = partial(segkit.save_png, ours, rgb, overwrite=True, workers=1)
            painted = cpu_ms(partial(segkit.overlay, image, labels, workers=1))
            saved = cpu_ms(save)
            peer = cpu_ms(partial(cv2.imwrite, str(theirs), rgb[..., ::-1]))
            ratio = (painted + saved) / peer
            print(
                f"2048 x 2048 {name}, {labels.max()} objects: overlay {painted:.0f} ms"
                f" + save_png {saved:.0f} ms = {ratio:.2f} of OpenCV's imwrite"
                f" {peer:.0f} ms; files {ours.stat().st_size / 1e6:.2f} and"
                f" {theirs.stat().st_size / 1e6:.2f} MB"
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    os.environ["TG_CPUS"] = "1"
    thresholds()
    pictures()
    for name, image, halo, function, peers in cases(np.random.default_rng(0)):
        ours = cpu_seconds(function, image, options.runs)
        note = same_on_tiles(function, image, halo)
        print(f"{name}: {ours:.4f} s, {image.size / ours / 1e6:.0f} Mvoxel/s, {note}")
        for peer, call in peers.items():
            theirs = cpu_seconds(call, image, options.runs)
            differ = np.count_nonzero(call(image) != function(image))
            print(
                f"    {peer}: {theirs:.4f} s, ratio {theirs / ours:.2f}x, "
                f"{same_on_tiles(call, image, halo)}, {differ} voxels not as ours"
            )


if __name__ == "__main__":
    main()
