"""Pixels learned from scribbles: which are learned from, and in which rounds.

What a round says of a pixel that it was fitted to is too good. So the next one gets
what was said by an estimator to which the pixel was not shown: a third of the pictures,
or of the squares of a single one, is held back from each of three.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks
from segkit.arrays import in_space
from segkit.features.measuring import require_maps
from segkit.learning.deciding import Decision, decision_of
from segkit.learning.pixels import (
    PixelClassifier,
    default_families,
    kind_of,
    reach_of,
    seen_in,
)
from segkit.learning.recipes import Recipe, as_seed, one_thread, recipe_of
from segkit.names import known_as
from segkit.tiling.cutting import tiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from segkit.arrays import Labels
    from segkit.features.families import Maps

_FOLDS = 3
_SQUARE = 32
# Larger images are looked at by tiles of so many pixels along each axis.
_AT_ONCE, _TILE = 2**19, 512
_BOOSTED = Recipe(
    "sklearn.ensemble.HistGradientBoostingClassifier",
    (("early_stopping", False), ("learning_rate", 0.08), ("max_iter", 150)),
)


@known_as("segkit.learning")
def train_pixels(
    images: Sequence[Any],
    scribbles: Sequence[ArrayLike],
    estimator: Any = None,
    *,
    families: Sequence[Maps] | None = None,
    rounds: int = 2,
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
    estimator : classifier of scikit-learn, or Recipe, optional
        With ``predict_proba``: a forest, boosted trees, a logistic regression behind a
        scaler. Fitted anew. By default boosted trees, which are the fastest of them,
        ``HistGradientBoostingClassifier(max_iter=150, early_stopping=False)``.
    families : sequence, optional
        Of maps, see `segkit.features.pixel_features`. By default filters at scales of 1
        to 8 pixels and, in planes, along lines.
    rounds : int
        How often is learned. From the second time on, the features of what was said of
        all classes but the first stand beside those of the image [2]_, as it was said
        by an estimator that has not seen the picture (or, of a single picture, squares
        of it). 1 takes half of the time and sees the image only.
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
    .. [1] Berg et al., "ilastik: interactive machine learning for (bio)image analysis",
       Nature Methods 16 (2019), pp. 1226-1232.
    .. [2] Tu and Bai, "Auto-context and its application to high-level vision tasks and
       3D brain image segmentation", IEEE Trans. Pattern Anal. Mach. Intell. 32 (2010),
       pp. 1744-1757.

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
    images, scribbles = _listed(images), list(scribbles)
    if len(images) != len(scribbles) or not images:
        raise ValueError(
            f"there are {len(images)} images and {len(scribbles)} images of scribbles;"
            " give one for each, and at least one"
        )
    greys = _greys(images)
    looks = default_families(greys[0].ndim) if families is None else families
    require_maps(looks)
    looks = tuple(looks)
    recipe = _classifier(_BOOSTED if estimator is None else estimator)
    times = checks.as_integer(rounds, name="rounds", least=1)
    rng = np.random.default_rng(as_seed(seed))
    drawn = [
        _strokes(*pair, place, len(images), most, rng)
        for place, pair in enumerate(zip(greys, scribbles, strict=True))
    ]
    wanted = np.concatenate([one.classes for one in drawn])
    _require_classes(wanted)
    kind = kind_of(greys[0])
    none = PixelClassifier(looks, np.unique(wanted), recipe, (), voxels=kind)
    with one_thread():
        return _learned(none, drawn, wanted, times, seed)


@dataclass(frozen=True, slots=True, eq=False)
class _Strokes:
    """What was drawn into an image: flat places, their classes, who does not see them.

    `held` is, of each place, the estimator of three from which it is held back.
    """

    grey: NDArray[Any]
    places: NDArray[np.intp]
    classes: NDArray[np.int64]
    held: NDArray[np.intp]


def _strokes(
    grey: NDArray[Any],
    said: ArrayLike,
    place: int,
    pictures: int,
    most: int | None,
    rng: np.random.Generator,
) -> _Strokes:
    drawn = _drawn(said, grey.shape, place)
    places = _chosen(drawn, most, rng)
    if pictures > 1:
        held = np.full(len(places), place % _FOLDS)
    else:
        squares = np.unravel_index(places, grey.shape)
        held = np.sum([axis // _SQUARE for axis in squares], axis=0) % _FOLDS
    return _Strokes(grey, places, drawn.reshape(-1)[places].astype(np.int64), held)


def _learned(
    of: PixelClassifier,
    drawn: Sequence[_Strokes],
    wanted: NDArray[np.int64],
    times: int,
    seed: int,
) -> PixelClassifier:
    """Return the estimator of each round; fit those that say what it sees, too."""
    held = np.concatenate([one.held for one in drawn])
    apart: dict[int, tuple[Any, ...]] = dict.fromkeys(held.tolist(), ())
    for left in reversed(range(times)):
        rows = np.concatenate([_rows(of, apart, one) for one in drawn])
        last = of.recipe.make(seed).fit(rows, wanted)
        of = replace(of, fitted=(*of.fitted, last))
        if of.decision is not None and left == 0:
            break
        for fold, before in apart.items():
            shown = held != fold
            if len(np.unique(wanted[shown])) < len(of.classes):
                shown[:] = True  # rather than that one of them knows fewer classes
            one = of.recipe.make(seed).fit(rows[shown], wanted[shown])
            apart[fold] = (*before, one)
        if of.decision is None:
            of = replace(of, decision=_decision(of, apart, rows, held, wanted))
    return of


def _decision(
    of: PixelClassifier,
    apart: dict[int, tuple[Any, ...]],
    rows: NDArray[np.float64],
    held: NDArray[np.intp],
    wanted: NDArray[np.int64],
) -> Decision:
    """Return how to decide, by what was said of pixels in the first round.

    The next ones are hardly better, and would take as many fits again.
    """
    likely = np.empty((len(of.classes), len(rows)))
    for fold, (one, *_) in apart.items():
        own = held == fold
        likely[:, own] = one.predict_proba(rows[own]).T
    return decision_of(likely, np.searchsorted(of.classes, wanted))


def _rows(
    of: PixelClassifier, apart: dict[int, tuple[Any, ...]], drawn: _Strokes
) -> NDArray[np.float64]:
    """Return what the next round sees of the places of an image, a row each."""
    shape = drawn.grey.shape
    before = len(next(iter(apart.values())))
    halo = (before + 1) * reach_of(of.families)
    size = shape if drawn.grey.size <= _AT_ONCE else _TILE
    maps = sum(len(family.names()) for family in of.families)
    width = maps + (len(of.classes) - 1) * (maps + 1) * (before > 0)
    rows = np.empty((len(drawn.places), width))
    where = np.unravel_index(drawn.places, shape)
    for tile in tiles(shape, size, halo=halo):
        ends = zip(where, tile.write.start, tile.write.stop, strict=True)
        here = np.all([(a <= w) & (w < b) for w, a, b in ends], axis=0)
        for fold in np.unique(drawn.held[here]).tolist():
            own = np.flatnonzero(here & (drawn.held == fold))
            seen, box = seen_in(of, apart[fold], drawn.grey, tile.read)
            at = [w[own] - a for w, a in zip(where, box.start, strict=True)]
            flat = np.ravel_multi_index(at, box.shape)
            rows[own] = seen.reshape(len(seen), -1)[:, flat].T
    return rows


def _other_shape(drawn: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """Return what to do about scribbles of another shape."""
    if drawn[:-1] == shape:
        return (
            "they are a picture in colours: make each colour a number, 0 where nothing"
            " was drawn, as by scribbles[..., 0] if they are of greys"
        )
    return "draw on the image as it is"


def _listed(images: Any) -> list[Any]:
    """Return images as a list; raise if there is a single one, or none."""
    if isinstance(images, str | bytes) or hasattr(images, "shape"):
        raise TypeError(f"images is one {type(images).__name__}; give a list, [image]")
    try:
        return list(images)
    except TypeError:
        raise TypeError(f"images is {images!r}, but must be a list of them") from None


def _greys(images: list[Any]) -> list[NDArray[Any]]:
    """Return checked images; raise unless all have as many axes, and compare."""
    greys = [checks.as_image(in_space(image)) for image in images]
    kinds = [kind_of(grey) for grey in greys]
    for place, grey in enumerate(greys):
        if grey.ndim != greys[0].ndim:
            raise ValueError(
                f"image {place} has {grey.ndim} axes, the first one {greys[0].ndim};"
                " train a classifier for each kind"
            )
        if kinds[place] != kinds[0]:
            raise ValueError(
                f"image {place} is {kinds[place]}, the first one {kinds[0]}, so"
                " their brightness may not compare; scale and convert them alike"
            )
    return greys


def _classifier(estimator: Any) -> Recipe:
    recipe = recipe_of(estimator)
    if not hasattr(recipe.make(0), "predict_proba"):
        raise TypeError(
            f"{recipe} has no predict_proba; give a classifier that has, as"
            " RandomForestClassifier()"
        )
    return recipe


def _drawn(said: ArrayLike, shape: tuple[int, ...], place: int) -> Labels:
    drawn = _integers(said, place)
    if drawn.shape != tuple(shape):
        raise ValueError(
            f"scribbles of image {place} have shape {drawn.shape}, the image {shape};"
            f" {_other_shape(drawn.shape, shape)}"
        )
    return drawn


def _integers(said: ArrayLike, place: int) -> Labels:
    """Return scribbles once they are classes; 0 is no class, but nothing said."""
    name = f"scribbles of image {place}"
    array = checks.as_array(said, name=name)
    advice = (
        "give the number of each pixel's class, from 1 on, and 0 where you drew none"
    )
    if array.dtype.kind not in "iu":
        raise TypeError(
            f"{name} are of type {array.dtype}, not integers; {advice} (a mask is one"
            " class by .astype(int))"
        )
    if array.dtype.kind == "i" and array.min(initial=0) < 0:
        raise ValueError(f"{name} hold negative numbers; {advice}")
    return checks.require_labels(array, name=name)


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
