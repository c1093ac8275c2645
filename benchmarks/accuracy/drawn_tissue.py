"""Pictures of drawn tissue whose every pixel is known: crowded, hazy, spotted.

A section is drawn as a volume of nuclei (see `drawn_volumes`) and seen as a wide-field
microscope shows it: what lies at the focus is sharp, and all else in the section is
added as haze, the wider the farther it lies from the focus. The ground may shine, too.
Nuclei may have bright spots, and bright specks of dirt may lie anywhere. What there is
to be found are the nuclei at the focus. The same setting is the same picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from drawn_volumes import Setting, grain, placed
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

_section = partial(
    Setting, shape=(9, 200, 200), step=3.0, number=130, radius=9.0, overlap=0.15
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tissue:
    """How tissue is and how it is seen.

    `nuclei` are those of the section, of whose options for the microscope only
    `photons`, `ground` and `slope` count. The sigma of what is seen is `blur` at the
    focus, and grows by `haze` with each pixel away from it. `tissue` is how bright the
    uneven ground is; `spots` is how many spots a nucleus has in the mean, and `specks`
    how many lie about. Both are as `bright` as so many nuclei.
    """

    nuclei: Setting = field(default_factory=_section)
    blur: float = 1.2
    haze: float = 0.5
    tissue: float = 0.2
    spots: float = 0.0
    specks: int = 0
    bright: float = 3.0


TISSUES = {
    "section": Tissue(),
    "thin": Tissue(nuclei=_section(shape=(5, 200, 200), number=75)),
    "sparse": Tissue(nuclei=_section(number=60)),
    "small": Tissue(nuclei=_section(radius=6.0, number=350)),
    "large": Tissue(nuclei=_section(shape=(9, 240, 240), radius=13.0, number=70)),
    "dim and bright": Tissue(nuclei=_section(dimness=0.6)),
    "mixed sizes": Tissue(nuclei=_section(mixed=0.3)),
    "long": Tissue(nuclei=_section(long=2.5)),
    "blurred": Tissue(blur=2.2, haze=0.35),
    "bright ground": Tissue(tissue=1.0),
    "noisy": Tissue(nuclei=_section(photons=10.0)),
    "spots": Tissue(spots=4.0),
    "bright spots": Tissue(spots=2.0, bright=8.0),
    "specks": Tissue(specks=25, bright=8.0),
    "spots, apart": Tissue(nuclei=_section(number=40, overlap=0.0), spots=3.0),
    "hard": Tissue(
        nuclei=_section(dimness=0.5, mixed=0.2, photons=15.0, slope=0.5),
        blur=1.6,
        tissue=0.6,
        spots=2.0,
        specks=8,
    ),
}


def drawn(tissue: Tissue, seed: int) -> tuple[NDArray[np.uint16], NDArray[np.int32]]:
    """Return a picture as a microscope shows it, and the labels of what is in focus."""
    rng = np.random.default_rng(seed)
    labels = placed(tissue.nuclei, rng)
    return seen(labels, tissue, rng), _in_focus(labels[len(labels) // 2])


def seen(
    labels: NDArray[np.int32], tissue: Tissue, rng: np.random.Generator
) -> NDArray[np.uint16]:
    """Return the section as a picture, in grey values of 16 bits."""
    setting = tissue.nuclei
    level = np.exp(setting.dimness * rng.normal(size=int(labels.max()) + 1))
    level[0] = 0
    texture = grain(labels.shape, setting, setting.radius / 4, rng)
    section = level[labels] * np.exp(setting.texture * texture)
    section += tissue.bright * level[labels] * _spots(labels, tissue, rng)
    middle = len(labels) // 2
    picture = np.zeros(labels.shape[1:])
    for plane, light in enumerate(section):
        sigma = tissue.blur + tissue.haze * setting.step * abs(plane - middle)
        picture += ndimage.gaussian_filter(light, sigma)
    picture += tissue.tissue * np.exp(
        0.5 * grain(labels.shape, setting, 4 * setting.radius, rng)[0]
    )
    picture += tissue.bright * _specks(picture.shape, tissue, rng)
    picture *= np.linspace(
        1 + setting.slope / 2, 1 - setting.slope / 2, picture.shape[1]
    )
    counts = rng.poisson(setting.photons * (picture + setting.ground))
    read = counts + rng.normal(0, 1.5, picture.shape)
    grey: NDArray[np.uint16] = np.clip(20 * read + 200, 0, 65535).astype(np.uint16)
    return grey


def _spots(
    labels: NDArray[np.int32], tissue: Tissue, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return spots inside of nuclei, a fifth as wide as these: 1 in the middle."""
    spots = np.zeros(labels.shape)
    number = round(tissue.spots * int(labels.max()))
    places = np.argwhere(labels > 0)
    chosen = rng.choice(len(places), min(number, len(places)), replace=False)
    spots[tuple(places[chosen].T)] = 1
    sigma = tissue.nuclei.radius / 6
    sigmas = np.array([sigma / tissue.nuclei.step, sigma, sigma])
    return ndimage.gaussian_filter(spots, sigmas) * np.prod((2 * np.pi) ** 0.5 * sigmas)


def _specks(
    shape: tuple[int, ...], tissue: Tissue, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return specks of dirt, of a pixel or two: 1 in the middle."""
    specks = np.zeros(shape)
    for place in rng.integers(0, shape, (tissue.specks, 2)):
        specks[tuple(place)] = 1
    return ndimage.gaussian_filter(specks, tissue.blur) * 2 * np.pi * tissue.blur**2


def _in_focus(plane: NDArray[np.int32]) -> NDArray[np.int32]:
    """Keep what the focus cuts of each nucleus, if it is no tip of one."""
    sizes = np.bincount(plane.ravel())
    sizes[0] = 0
    keep = sizes > 0.2 * np.median(sizes[sizes > 0])
    return np.asarray((np.cumsum(keep) * keep).astype(np.int32)[plane])
