"""A pixel classifier from a few scribbles, whose tiles are the same as the whole.

Each pixel is a row: the values there of the images that families of features make. In
the second round these make images of what the first one said, too, so that a pixel's
class depends on the classes around it. A tile reads as much more as all this reaches,
so that its rows are those of the whole image; and rows are predicted in batches of one
size, so that no library adds up a row in another order because of how many others stand
beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks
from segkit.arrays import in_space
from segkit.features.bank import Filter, FilterBank
from segkit.features.measuring import pixel_features
from segkit.learning.recipes import Recipe, one_thread
from segkit.names import known_as
from segkit.tiling.boxes import Box
from segkit.tiling.cutting import tiles
from segkit.tiling.threads import in_threads, thread_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from segkit.arrays import Labels
    from segkit.features.families import Maps
    from segkit.learning.deciding import Decision
    from segkit.tiling.boxes import Tile

_BATCH = 8192


@known_as("segkit.learning")
@dataclass(frozen=True, slots=True, eq=False)
class PixelClassifier:
    """What `train_pixels` has learned: it says of each pixel which class it is.

    Attributes
    ----------
    families : tuple
        Of the features that it looks at.
    classes : int64 array
        The numbers of the scribbles, rising.
    recipe : Recipe
        Of the estimator.
    fitted : tuple
        The estimator, as fitted in each round.
    decision : Decision, optional
        How likely a class has to be for a pixel to be of it; see `predict`. None while
        nothing is fitted.
    voxels : str, optional
        Kind of the images that were learned from, as `kind_of` says it: brightness of
        other ones does not compare. None takes any.
    """

    families: tuple[Maps, ...]
    classes: NDArray[np.int64]
    recipe: Recipe
    fitted: tuple[Any, ...]
    decision: Decision | None = None
    voxels: str | None = None

    def reach(self) -> int:
        """Return how far a pixel's class depends on pixels around."""
        return len(self.fitted) * reach_of(self.families)

    def probabilities(
        self,
        image: ArrayLike | Any,
        *,
        tile: int | Sequence[int] | None = None,
        workers: int | None = None,
    ) -> NDArray[np.float32]:
        """Return how likely each pixel is of each class.

        Parameters
        ----------
        image : array or Image, real
            Grey image, of as many axes as those that were learned from.
        tile
            Size of the tiles that are predicted one by one; None takes the whole at
            once. The result does not depend on it, but memory does: 8 bytes for each
            feature and pixel of a tile and of the `reach` around it.
        workers
            Number of threads; see `segkit.tiling.threads`.

        Returns
        -------
        float32 array, shape (classes, *image.shape)

        Raises
        ------
        ValueError
            If its voxels are of another type than those of the images that were learned
            from; whether of 32 bits or 64, floats are floats.
        """
        grey = checks.as_image(in_space(image))
        learned = getattr(self, "voxels", None)  # one of an older version has none
        if learned is not None and learned != kind_of(grey):
            raise ValueError(
                f"image is {kind_of(grey)}, what was learned from is {learned}, so"
                " their brightness may not compare; scale and convert it alike"
            )
        halo = self.reach()
        grid = tiles(grey.shape, grey.shape if tile is None else tile, halo=halo)
        out = np.empty((len(self.classes), *grey.shape), np.float32)

        def run(one: Tile) -> None:
            seen, box = seen_in(self, self.fitted[:-1], grey, one.read)
            own = seen[(slice(None), *one.write.within(box).slices)]
            out[(slice(None), *one.write.slices)] = _predicted(
                self.fitted[-1], own, len(self.classes)
            )

        # Around all: the first thread to leave it would let the others have more.
        with one_thread():
            in_threads(run, grid, thread_count(workers, grey.size))
        return out

    def predict(
        self,
        image: ArrayLike | Any,
        *,
        tile: int | Sequence[int] | None = None,
        workers: int | None = None,
    ) -> Labels:
        """Return the class of each pixel: the numbers of the scribbles.

        That is the class whose Dice score the pixel raises most. Of two classes that
        are as frequent, or told apart without a mistake, it is the likelier one; a rare
        one with a score of 0.8 takes pixels from a probability of about 0.4 on [1]_.
        Scores and frequencies are those of the scribbles, as they were predicted by
        estimators from which they were held back.

        Parameters
        ----------
        image, tile, workers
            As for `probabilities`.

        Returns
        -------
        int64 array of the shape of the image

        References
        ----------
        .. [1] Lipton, Elkan and Narayanaswamy, "Optimal thresholding of classifiers to
           maximize F1 measure", ECML PKDD 2014, pp. 225-239.
        """
        likely = self.probabilities(image, tile=tile, workers=workers)
        if self.decision is None:
            raise ValueError("nothing is fitted; train_pixels returns what can predict")
        chosen: Labels = self.classes[self.decision.choose(likely)]
        return chosen


def kind_of(grey: NDArray[Any]) -> str:
    """Return the type of an image's voxels, of whatever byte order; floats are one.

    Examples
    --------
    >>> kind_of(np.zeros(3, ">u2")), kind_of(np.zeros(3))
    ('uint16', 'float')
    """
    return "float" if grey.dtype.kind == "f" else grey.dtype.name


def default_families(ndim: int) -> tuple[Maps, ...]:
    """Return the features of pixels that `train_pixels` takes if nothing is said.

    Parameters
    ----------
    ndim : int
        Number of axes of the images, 2 or 3.

    Examples
    --------
    >>> [family.reach() for family in default_families(2)]
    [48, 34, 32]
    """
    scales = 1.0, 2.0, 4.0, 8.0
    usual: tuple[Filter, ...] = (
        "contrast",
        "gradient",
        "laplacian",
        "hessian",
        "structure",
    )
    if ndim != 2:
        return (FilterBank(scales, usual, axes=ndim),)
    return (
        FilterBank(scales, usual),
        FilterBank((1.0, 1.5, 2.5), ("lines",), directions=12),
        FilterBank((1.0, 8.0), ("standardised",)),
    )


def reach_of(families: Sequence[Maps]) -> int:
    """Return how far the maps of families depend on pixels around."""
    return max(family.reach() for family in families)


def seen_in(
    of: PixelClassifier, rounds: Sequence[Any], grey: NDArray[Any], box: Box
) -> tuple[NDArray[np.float64], Box]:
    """Return what comes after some rounds sees of a box, and in which part of it.

    Each round takes the reach of the features from the box, but for where it ends with
    the image.
    """
    margin = reach_of(of.families)
    inner = _inner(box, grey.shape, margin)
    with checks.inside_tile():
        maps = pixel_features(grey[box.slices], of.families)
        maps = seen = maps[(slice(None), *inner.within(box).slices)]
        for fitted in rounds:
            likely = _predicted(fitted, seen, len(of.classes))[1:]
            around = [pixel_features(one, of.families) for one in likely]
            box, inner = inner, _inner(inner, grey.shape, margin)
            cut = (slice(None), *inner.within(box).slices)
            maps = maps[cut]
            seen = np.concatenate([maps, likely[cut], *(one[cut] for one in around)])
    return seen, inner


def _inner(box: Box, shape: tuple[int, ...], margin: int) -> Box:
    """Return a box without a margin, which it keeps where it ends with the image."""
    start = tuple(a + margin if a > 0 else 0 for a in box.start)
    ends = zip(box.stop, shape, strict=True)
    return Box(start, tuple(b - margin if b < n else n for b, n in ends))


def _predicted(
    fitted: Any, maps: NDArray[np.float64], classes: int
) -> NDArray[np.float64]:
    """Return the probabilities of each class, in batches that are all of one size."""
    rows = maps.reshape(len(maps), -1).T
    found = np.empty((classes, len(rows)))
    batch = np.zeros((_BATCH, rows.shape[1]))
    with one_thread():
        for start in range(0, len(rows), _BATCH):
            part = rows[start : start + _BATCH]
            batch[: len(part)] = part
            likely = fitted.predict_proba(batch)[: len(part)]
            found[:, start : start + len(part)] = likely.T
    return found.reshape(classes, *maps.shape[1:])
