"""Which class a pixel is said to be, so that the masks of all classes are good.

The likeliest class makes the fewest pixels wrong, but masks of a rare class too small:
its Dice score is larger if pixels count that are a little less likely to be of it. As
sizes and scores of masks hardly change by one pixel, it adds ``(2 p - D) / S`` to the
score ``D`` of a class that it has with probability ``p``, where ``S`` is the size of
the mask and of what was drawn. So the mean score is largest if each pixel goes to the
class to which it adds most [1]_.

References
----------
.. [1] Lipton, Elkan and Narayanaswamy, "Optimal thresholding of classifiers to maximize
   F1 measure", ECML PKDD 2014, pp. 225-239: for one class, from half of its score on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TIMES = 20


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """The Dice score of each class, and how large its mask and what was drawn are.

    Attributes
    ----------
    dice : float64 array, shape (classes,)
        From 0 to 1.
    sizes : float64 array, shape (classes,)
        Of both together, as parts of all pixels: above 0.
    """

    dice: NDArray[np.float64]
    sizes: NDArray[np.float64]

    def choose(self, likely: NDArray[Any]) -> NDArray[np.intp]:
        """Return the place of the class to which each pixel adds most.

        Parameters
        ----------
        likely : array, shape (classes, ...)
            Probabilities.
        """
        shape = (-1, *[1] * (likely.ndim - 1))
        added = (2 * likely - self.dice.reshape(shape)) / self.sizes.reshape(shape)
        chosen: NDArray[np.intp] = added.argmax(axis=0)
        return chosen


def decision_of(
    likely: NDArray[np.float64], drawn: NDArray[np.integer[Any]]
) -> Decision:
    """Return how to decide, by what was said of pixels that were held back.

    Of these, the mean score is at least that of the likeliest class.

    Parameters
    ----------
    likely : array, shape (classes, n)
        Probabilities, by an estimator that has not seen the pixel.
    drawn : integer array, shape (n,)
        The place of the class that was drawn; each class is there.

    Examples
    --------
    Every pixel is of the rare class with 0.45 or 0.05:

    >>> rare = np.array([0.45] * 20 + [0.05] * 80)
    >>> drawn = np.array([1] * 9 + [0] * 11 + [1] * 4 + [0] * 76)
    >>> decision = decision_of(np.stack([1 - rare, rare]), drawn)
    >>> decision.choose(np.array([[0.55], [0.45]]))
    array([1])
    """
    wanted = _masks(drawn, len(likely))
    best = Decision(np.ones(len(likely)), np.ones(len(likely)))  # the likeliest class
    decision = _scored(best.choose(likely), wanted)
    score = decision.dice.mean()
    for _ in range(_TIMES):
        found = _scored(decision.choose(likely), wanted)
        if found.dice.mean() > score:
            best, score = decision, found.dice.mean()
        # Half of the way: else it may jump to and fro between two extremes.
        decision = Decision(
            (decision.dice + found.dice) / 2, (decision.sizes + found.sizes) / 2
        )
    return best


def _scored(chosen: NDArray[np.intp], wanted: NDArray[np.bool_]) -> Decision:
    """Return score and size of the masks of what was chosen."""
    found = _masks(chosen, len(wanted))
    sizes = wanted.mean(axis=1) + found.mean(axis=1)
    return Decision(2 * (wanted & found).mean(axis=1) / sizes, sizes)


def _masks(places: NDArray[np.integer[Any]], classes: int) -> NDArray[np.bool_]:
    masks: NDArray[np.bool_] = places == np.arange(classes)[:, None]
    return masks
