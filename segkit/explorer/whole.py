"""When the whole of a large image is computed, and of which steps it is known.

What is seen comes first, from a part. While nothing moves, the whole follows, if its
results fit among those that are kept: then all figures are those of the whole image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.explorer.cache import Cache, Made, Outcome
    from segkit.pipeline.steps import Step

_PATIENCE = 30.0
"""Seconds that the whole may take."""
_WORKING = 8
"""How many times its result a step takes while it looks at the whole at once."""
_KNOWN = 64
"""Lists of steps of which the whole is known, at most."""


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class Wholes:
    """What is known of the whole of an image.

    Attributes
    ----------
    shape : tuple of int
        Of the image.
    cache : Cache
        Where results are kept, by their keys.
    """

    shape: tuple[int, ...]
    cache: Cache
    _paces: dict[str, float] = field(default_factory=dict, repr=False)
    _keys: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    def note(self, steps: Sequence[Step], outcome: Outcome) -> None:
        """Note how long steps took, and where results are if they are of the whole."""
        read = math.prod(b - a for a, b in outcome.region.read)
        for step, made in zip(steps, outcome.steps, strict=False):
            if made.seconds:
                self._paces[step.function] = made.seconds / read
        if not outcome.region.whole or outcome.region.level:
            return
        keys: list[str] = []
        for number, made in enumerate(outcome.steps, start=1):
            if made.error:
                break
            keys += [made.key] if made.key else []
            self._keys[_text(steps[:number])] = tuple(keys)
        while len(self._keys) > _KNOWN:
            del self._keys[next(iter(self._keys))]

    def known(self, steps: Sequence[Step]) -> bool:
        """Say whether the whole that steps make of the image is kept."""
        keys = self._keys.get(_text(steps))
        return bool(keys) and all(self.cache.get(key) is not None for key in keys or ())

    def affordable(self, steps: Sequence[Step], outcome: Outcome) -> bool:
        """Say whether the whole can be computed next, by what a part of it has cost.

        All results have to fit into the cache, and what a step takes that looks at
        the whole at once; and it may not take longer than half a minute.
        """
        region = outcome.region
        if region.whole and not region.level:
            return False  # it is computed
        if not outcome.steps or any(made.error for made in outcome.steps):
            return False
        voxels = math.prod(self.shape)
        each = outcome.image.itemsize + sum(map(_bytes_per_voxel, outcome.steps))
        pace = sum(self._paces.get(step.function, 0.0) for step in steps)
        return voxels * each <= self.cache.limit and voxels * pace <= _PATIENCE


def _bytes_per_voxel(made: Made) -> float:
    if not isinstance(made.value, np.ndarray):
        return 0.0
    return made.value.itemsize * (1 if made.near else _WORKING)


def _text(steps: Sequence[Step]) -> str:
    """Return all that steps do, as text; functions of others by which they are."""
    bound = [id(step.bound) for step in steps if step.bound]
    return f"{list(steps)!r} {bound}"
