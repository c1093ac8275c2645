"""Thresholds of integers, and pictures, each beside the peer in one run.

``uv run --extra bench python benchmarks/thresholds_and_pictures.py`` prints CPU time on
one thread, the least of some runs, and the ratio to the peer: Otsu's threshold by
mahotas for all methods (4096 x 4096, 16 bits), and OpenCV's `imwrite` of the finished
picture for an overlay and its PNG file (2048 x 2048, about 2,000 objects).
"""

from __future__ import annotations

import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import cv2
import mahotas
import numpy as np
from scipy import ndimage
from skimage import filters

import segkit
from segkit.thresholding.methods import Method

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS = 4
TOO_SLOW = ("minimum",)
"""Methods of scikit-image that take minutes for 16 bits."""


def cpu_ms(run: Callable[[], Any], runs: int = RUNS) -> float:
    least = float("inf")
    for _ in range(runs):
        start = time.process_time()
        run()
        least = min(least, time.process_time() - start)
    return 1e3 * least


def cells(size: int, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """Return bright blobs on dark ground, from 0 to 1."""
    small = ndimage.gaussian_filter(rng.random((size // 2, size // 2)), sigma)
    smooth = ndimage.zoom(small, 2, order=1)
    return (smooth - smooth.min()) / np.ptp(smooth)


def thresholds() -> None:
    rng = np.random.default_rng(0)
    blobs = cells(4096, 5, rng)
    grey = 500 + 4000 * blobs + 2500 * (blobs > 0.6) + rng.normal(0, 60, blobs.shape)
    image = grey.clip(0, 65535).astype(np.uint16)
    peer = cpu_ms(partial(mahotas.otsu, image))
    print(f"4096 x 4096 uint16: otsu by mahotas {peer:.1f} ms")
    for method in get_args(Method):
        ours = cpu_ms(partial(segkit.threshold, image, method, workers=1))
        line = f"  {method:9} {ours:7.1f} ms, {ours / peer:.2f} of mahotas' Otsu"
        function = getattr(filters, f"threshold_{method}", None)
        if function is not None and method not in TOO_SLOW:
            theirs = cpu_ms(partial(function, image), 1)
            same = float(function(image)) == segkit.threshold(image, method)
            line += f"; scikit-image {theirs:.0f} ms, {'equal' if same else 'OTHER'}"
        print(line)


def pictures() -> None:
    rng = np.random.default_rng(1)
    blobs = cells(2048, 3.2, rng)
    labels = segkit.label(blobs > 0.6)
    noisy = (2000 * blobs + rng.normal(300, 60, blobs.shape)).clip(0).astype(np.uint16)
    kinds = {
        "smooth uint16": (60000 * blobs).astype(np.uint16),
        "noisy uint16": noisy,
        "noisy float32": noisy.astype(np.float32),
    }
    cv2.setNumThreads(1)
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


if __name__ == "__main__":
    thresholds()
    pictures()
