"""Volumes of drawn nuclei whose every voxel is known: crowded, flat, long, dim, noisy.

They look like the synthetic stacks that programs for nuclei are shown on (crowded,
planes twice as far apart as pixels, no spacing in the file), but are smaller, to be
quick. Nuclei are ellipsoids with a bumpy surface, placed at random so that they touch
and press into each other, each with its own brightness and a texture; then the whole is
blurred, more along z, and has noise. The same setting is the same volume.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How nuclei are and how they are seen.

    Lengths are in pixels of a plane. `radius` is that of the ball of the same volume;
    nuclei are up to `long` times as long as wide, in any direction. `overlap` is the
    part of a nucleus that may lie in its neighbours before they share the space;
    `dimness` and `texture` are standard deviations of the logarithm of brightness from
    nucleus to nucleus, and inside of one; `photons` come from a bright voxel.
    """

    shape: tuple[int, int, int] = (44, 90, 90)
    step: float = 2.0
    number: int = 25
    radius: float = 10.5
    mixed: float = 0.12
    long: float = 1.5
    overlap: float = 0.1
    dimness: float = 0.3
    texture: float = 0.25
    blur: tuple[float, float] = (2.0, 1.0)
    glow: float = 0.0
    slope: float = 0.0
    photons: float = 40.0
    ground: float = 0.1


SETTINGS = {
    "apart": Setting(number=12, overlap=0.0),
    "crowded": Setting(),
    "crowded, step 1": Setting(step=1.0, number=20),
    "crowded, step 1.5": Setting(step=1.5),
    "crowded, step 4": Setting(shape=(22, 90, 90), step=4.0, blur=(3.0, 1.0)),
    "packed": Setting(number=40, overlap=0.2),
    "long": Setting(long=2.5),
    "balls": Setting(long=1.0, mixed=0.0),
    "small": Setting(number=75, radius=6.5),
    "large": Setting(number=10, radius=16.0),
    "mixed sizes": Setting(mixed=0.3),
    "dim and bright": Setting(dimness=0.6),
    "rough": Setting(texture=0.5),
    "noisy": Setting(photons=8.0),
    "blurred": Setting(blur=(5.0, 2.5), overlap=0.15),
    "glowing": Setting(glow=0.4, blur=(4.0, 1.5), overlap=0.15),
    "uneven": Setting(slope=0.8),
    "hard": Setting(
        number=40,
        overlap=0.2,
        dimness=0.5,
        texture=0.4,
        blur=(4.0, 1.5),
        glow=0.3,
        photons=10.0,
    ),
}


def drawn(setting: Setting, seed: int) -> tuple[NDArray[np.uint16], NDArray[np.int32]]:
    """Return a volume as a microscope shows it, and the labels of its nuclei."""
    rng = np.random.default_rng(seed)
    labels = placed(setting, rng)
    return seen(labels, setting, rng), labels


def placed(setting: Setting, rng: np.random.Generator) -> NDArray[np.int32]:
    """Return nuclei at random places, as many as find room in 40 tries for each.

    A voxel that two share belongs to the one that it lies deeper in.
    """
    shape = np.array(setting.shape)
    length = shape * (setting.step, 1, 1)
    depth = np.zeros(setting.shape)
    labels = np.zeros(setting.shape, np.int32)
    found = 0
    for _ in range(40 * setting.number):
        if found == setting.number:
            break
        radius = setting.radius * np.exp(setting.mixed * rng.normal())
        axes = _semi_axes(radius, setting.long, rng)
        centre = rng.uniform(np.minimum(radius, length / 3), length - radius / 2)
        box, inside = _ellipsoid(centre, axes, setting, rng)
        here = inside > 0
        if not here.any():
            continue
        taken = here & (labels[box] > 0)
        if taken.sum() > setting.overlap * here.sum():
            continue
        found += 1
        mine = here & (inside > depth[box])
        labels[box][mine] = found
        depth[box][mine] = inside[mine]
    return _whole(labels)


def seen(
    labels: NDArray[np.int32], setting: Setting, rng: np.random.Generator
) -> NDArray[np.uint16]:
    """Return labels as a microscope shows them, in grey values of 16 bits."""
    bright = np.exp(setting.dimness * rng.normal(size=int(labels.max()) + 1))
    bright[0] = 0
    image = bright[labels]
    texture = grain(labels.shape, setting, setting.radius / 4, rng)
    image *= np.exp(setting.texture * texture)
    planes, pixels = setting.blur
    sigmas = np.array([planes / setting.step, pixels, pixels])
    image = ndimage.gaussian_filter(image, sigmas)
    image += setting.glow * ndimage.gaussian_filter(image, 5 * sigmas)
    image *= np.linspace(1 + setting.slope / 2, 1 - setting.slope / 2, image.shape[2])
    counts = rng.poisson(setting.photons * (image + setting.ground))
    read = counts + rng.normal(0, 1.5, image.shape)
    grey: NDArray[np.uint16] = np.clip(20 * read + 200, 0, 65535).astype(np.uint16)
    return grey


def _semi_axes(
    radius: float, long: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return half of the axes of an ellipsoid of the volume of a ball, as rows."""
    lengths = rng.uniform(1, long, 3) if long > 1 else np.ones(3)
    lengths[0] = 1
    lengths *= radius / np.prod(lengths) ** (1 / 3)
    turned, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    axes: NDArray[np.float64] = turned * lengths
    return axes.T


def _ellipsoid(
    centre: NDArray[np.float64],
    axes: NDArray[np.float64],
    setting: Setting,
    rng: np.random.Generator,
) -> tuple[tuple[slice, ...], NDArray[np.float64]]:
    """Return a box, and how deep its voxels lie in a bumpy ellipsoid: 1 in the middle.

    Negative outside.
    """
    step = np.array((setting.step, 1, 1))
    reach = 1.3 * np.sqrt((axes**2).sum(0))
    low = np.maximum(0, np.floor((centre - reach) / step)).astype(int)
    high = np.minimum(setting.shape, np.ceil((centre + reach) / step) + 1).astype(int)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    grid = np.stack(np.mgrid[box], -1) * step - centre
    unit = grid @ (axes / (axes**2).sum(1)[:, None]).T
    bumps = grain(grid.shape[:3], setting, setting.radius / 2, rng)
    inside: NDArray[np.float64] = 1 - np.sqrt((unit**2).sum(-1)) + 0.06 * bumps
    return box, inside


def grain(
    shape: tuple[int, ...], setting: Setting, sigma: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return noise as smooth as a Gaussian, with a standard deviation of one."""
    noise = rng.normal(size=shape)
    smooth: NDArray[np.float64] = ndimage.gaussian_filter(
        noise, (sigma / setting.step, sigma, sigma), mode="wrap"
    )
    return smooth / smooth.std()


def _whole(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Keep the largest piece of each nucleus, if it is no crumb that others left."""
    kept = np.zeros_like(labels)
    usual = np.median(np.bincount(labels.ravel())[1:])
    number = 0
    for own, box in enumerate(ndimage.find_objects(labels), 1):
        if box is None:
            continue
        pieces, _ = ndimage.label(labels[box] == own)
        sizes = np.bincount(pieces.ravel())[1:]
        if sizes.max() < 0.1 * usual:
            continue
        number += 1
        kept[box][pieces == 1 + sizes.argmax()] = number
    return kept
