"""Window and comparison of `segkit.ndnt`, as numbers for the kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from segkit import checks

if TYPE_CHECKING:
    from segkit.arrays import Array

Polarity: TypeAlias = Literal["dark", "bright"]
Window: TypeAlias = Literal["centred", "florin"]

# Modes of comparison, as the kernels know them.
BELOW, NOT_ABOVE, ABOVE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class WindowRule:
    """Window and comparison: value * count against factor * sum.

    `before` and `after` are the extent of the window on each axis, in voxels without
    the centre; `low` is the factor of negative sums, `high` that of the others.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    low: float
    high: float
    mode: int

    @property
    def lengths(self) -> tuple[int, ...]:
        """Length of the window along each axis."""
        pairs = zip(self.before, self.after, strict=True)
        return tuple(b + a + 1 for b, a in pairs)


def default_shape(image: Array, window: Window) -> tuple[int, ...]:
    """Return the lengths of a window that is not given: an eighth of the image."""
    if window == "florin":
        return tuple(max(2, round(n / 8)) for n in image.shape)
    return tuple(max(3, n // 8) for n in image.shape)


def extent(
    shape: Any, lengths: tuple[int, ...], window: Window
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the voxels before and after the centre, no more than the image has."""
    checks.one_of(window, get_args(Window), name="window")
    florin = window == "florin"
    sizes = checks.per_axis(shape, len(lengths), name="shape", least=2 if florin else 1)
    halves = [round(n / 2) for n in sizes] if florin else [n // 2 for n in sizes]
    before = [h - 1 if florin else h for h in halves]
    after = halves if florin else [(n - 1) // 2 for n in sizes]
    most = [n - 1 for n in lengths]
    return tuple(map(min, before, most)), tuple(map(min, after, most))


def factors(
    fraction: float, polarity: Polarity, window: Window
) -> tuple[float, float, int]:
    """Return the factors of negative and other sums, and the comparison."""
    if polarity == "bright":
        return 1 - fraction, 1 + fraction, ABOVE
    if window == "florin":
        return 1 - fraction, 1 - fraction, NOT_ABOVE
    return 1 + fraction, 1 - fraction, BELOW


def fraction_of(threshold: float, percent: float | None) -> float:
    """Return the fraction that `ndnt` is given, by one of two parameters.

    Raises
    ------
    TypeError
        If it is no number.
    ValueError
        If it is out of range, or both are given.

    Examples
    --------
    >>> fraction_of(0.25, 15)
    0.15
    """
    if percent is None:
        if checks.as_number(threshold, name="threshold") > 1:
            raise ValueError(
                f"threshold is {threshold}, but must be a fraction from 0 to 1; give"
                f" {threshold / 100:g}, or percent={threshold:g}"
            )
        return checks.require_fraction(threshold)
    if threshold != 0.25:
        raise ValueError("give threshold (a fraction) or percent, not both")
    if not 0 <= checks.as_number(percent, name="percent") <= 100:
        raise ValueError(f"percent is {percent}, but must be from 0 to 100")
    return percent / 100
