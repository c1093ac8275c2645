"""A pixel classifier from a few scribbles, whose tiles are the same as the whole.

Each pixel is a row: the values there of the images that families of features make. A
tile reads as much more as these reach, so its rows are those of the whole image; and
rows are predicted in batches of one size, so that no library adds up a row in another
order because of how many others stand beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks
from segkit.arrays import in_space
from segkit.features.measuring import pixel_features, require_maps
from segkit.learning.recipes import Recipe, one_thread, recipe_of
from segkit.names import known_as
from segkit.tiling.cutting import tiles
from segkit.tiling.threads import in_threads, thread_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from segkit.arrays import Labels
    from segkit.features.families import Maps
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
    fitted : object
        The estimator, fitted.
    """

    families: tuple[Maps, ...]
    classes: NDArray[np.int64]
    recipe: Recipe
    fitted: Any

    def reach(self) -> int:
        """Return how far a pixel's class depends on pixels around."""
        return max(family.reach() for family in self.families)

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
            feature and pixel of a tile.
        workers
            Number of threads; see `segkit.tiling.threads`.

        Returns
        -------
        float32 array, shape (classes, *image.shape)
        """
        grey = checks.as_image(in_space(image))
        halo = self.reach()
        grid = tiles(grey.shape, grey.shape if tile is None else tile, halo=halo)
        out = np.empty((len(self.classes), *grey.shape), np.float32)

        def run(one: Tile) -> None:
            with checks.inside_tile():
                maps = pixel_features(grey[one.read.slices], self.families)
            own = maps[(slice(None), *one.inner)]
            rows = own.reshape(len(own), -1).T
            found = self._predicted(rows).T
            out[(slice(None), *one.write.slices)] = found.reshape(-1, *one.write.shape)

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
        """Return the likeliest class of each pixel: the numbers of the scribbles.

        Parameters
        ----------
        image, tile, workers
            As for `probabilities`.

        Returns
        -------
        int64 array of the shape of the image
        """
        likely = self.probabilities(image, tile=tile, workers=workers)
        chosen: Labels = self.classes[likely.argmax(axis=0)]
        return chosen

    def _predicted(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probabilities of rows, in batches that are all of one size."""
        found = np.empty((len(rows), len(self.classes)))
        batch = np.zeros((_BATCH, rows.shape[1]))
        with one_thread():
            for start in range(0, len(rows), _BATCH):
                part = rows[start : start + _BATCH]
                batch[: len(part)] = part
                likely = self.fitted.predict_proba(batch)
                found[start : start + len(part)] = likely[: len(part)]
        return found


@known_as("segkit.learning")
def train_pixels(
    images: Sequence[Any],
    scribbles: Sequence[ArrayLike],
    estimator: Any,
    *,
    families: Sequence[Maps],
    seed: int,
    most: int | None = None,
) -> PixelClassifier:
    """Learn classes of pixels from scribbles.

    Parameters
    ----------
    images : sequence of arrays or Images, real
        Grey images, all of as many axes.
    scribbles : sequence of integer arrays
        Of each image, of its shape: 0 where nothing is said, else the number of the
        class, from 1 on.
    estimator : classifier of scikit-learn, or Recipe
        With ``predict_proba``: a forest, boosted trees, a logistic regression behind a
        scaler. Fitted anew.
    families : sequence
        Of maps, see `segkit.features.pixel_features`.
    seed : int
        For its random numbers, and for `most`.
    most : int, optional
        Learn from so many pixels of each class and image, chosen at random where there
        are more.

    Returns
    -------
    PixelClassifier

    Raises
    ------
    TypeError, ValueError
        If there is not one scribble image for each image, of its shape; if scribbles
        are of one class only, or none; if the estimator is no classifier.

    References
    ----------
    Berg et al., "ilastik: interactive machine learning for (bio)image analysis", Nature
    Methods 16 (2019), pp. 1226-1232.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from segkit.features import FilterBank
    >>> y, x = np.mgrid[:40, :40]
    >>> image = np.where(x < 20, 10.0, 60.0) + y % 3
    >>> scribbles = np.zeros((40, 40), int)
    >>> scribbles[20, 2:10], scribbles[20, 30:38] = 1, 2
    >>> forest = RandomForestClassifier(n_estimators=10)
    >>> bank = [FilterBank((1, 2), ("gaussian",))]
    >>> trained = train_pixels([image], [scribbles], forest, families=bank, seed=0)
    >>> trained.predict(image, tile=16)[5, [0, 39]]
    array([1, 2])
    """
    families = tuple(families)
    require_maps(families)
    recipe = _classifier(estimator)
    if len(images) != len(scribbles) or not images:
        raise ValueError(
            f"there are {len(images)} images and {len(scribbles)} images of scribbles;"
            " give one for each, and at least one"
        )
    rng = np.random.default_rng(checks.as_integer(seed, name="seed"))
    rows, classes = [], []
    for place, (image, said) in enumerate(zip(images, scribbles, strict=True)):
        grey = checks.as_image(in_space(image))
        drawn = _drawn(said, grey.shape, place)
        chosen = _chosen(drawn, most, rng)
        rows.append(_rows(grey, families, chosen))
        classes.append(drawn.reshape(-1)[chosen].astype(np.int64))
    wanted = np.concatenate(classes)
    _require_classes(wanted)
    with one_thread():
        fitted = recipe.make(seed).fit(np.concatenate(rows), wanted)
    return PixelClassifier(families, np.unique(wanted), recipe, fitted)


def _classifier(estimator: Any) -> Recipe:
    recipe = recipe_of(estimator)
    if not hasattr(recipe.make(0), "predict_proba"):
        raise TypeError(
            f"{recipe} has no predict_proba; give a classifier that has, as"
            " RandomForestClassifier()"
        )
    return recipe


def _rows(
    grey: NDArray[Any], families: tuple[Maps, ...], chosen: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the features of some pixels, a row each."""
    if len(chosen) == 0:
        return np.empty((0, sum(len(family.names()) for family in families)))
    maps = pixel_features(grey, families)
    return maps.reshape(len(maps), -1).T[chosen]


def _drawn(said: ArrayLike, shape: tuple[int, ...], place: int) -> Labels:
    drawn = checks.require_labels(said, name=f"scribbles of image {place}")
    if drawn.shape != tuple(shape):
        raise ValueError(
            f"scribbles of image {place} have shape {drawn.shape}, the image {shape}"
        )
    return drawn


def _chosen(
    drawn: Labels, most: int | None, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Return the flat places of the pixels to learn from, in raster order."""
    flat = drawn.reshape(-1)
    if most is None:
        return np.flatnonzero(flat)
    count = checks.as_integer(most, name="most", least=1)
    found = []
    for kind in np.unique(flat[flat > 0]):
        places = np.flatnonzero(flat == kind)
        if len(places) > count:
            places = rng.choice(places, count, replace=False)
        found.append(places)
    if not found:
        return np.empty(0, np.intp)
    return np.sort(np.concatenate(found))


def _require_classes(wanted: NDArray[np.int64]) -> None:
    kinds = np.unique(wanted)
    if len(kinds) == 0:
        raise ValueError("scribbles are empty: they hold 0 only; draw two classes")
    if len(kinds) == 1:
        raise ValueError(
            f"scribbles are of one class only, {kinds[0]}; draw some of another, such"
            " as the background"
        )
