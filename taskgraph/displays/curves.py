"""One-dimensional numbers as a curve, drawn in SVG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from taskgraph.displays.markup import Markup, element
from taskgraph.displays.numbers import number_text
from taskgraph.displays.separated_values import csv_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

MOST_POINTS = 1 << 22
"""Of more values every so many are drawn."""
_WIDTH, _HEIGHT, _BINS = 600, 160, 300
_CSV_ROWS = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Numbers one after the other.

    Attributes
    ----------
    values : 1-D array of numbers
        Not empty.
    """

    values: NDArray[Any]

    kind = "curve"

    @property
    def summary(self) -> str:
        """Type, number, range and mean, in one line."""
        looked_at, every = self._drawn_values()
        finite = looked_at[np.isfinite(looked_at)]
        text = f"{self.values.dtype}, {len(self.values):,} numbers"
        if not finite.size:
            return f"{text}, none of them finite"
        with np.errstate(all="ignore"):
            ends = map(number_text, (finite.min(), finite.max(), finite.mean()))
        low, high, mean = ends
        text += f": {low} to {high}, mean {mean}"
        if finite.size < looked_at.size:
            text += f"; {looked_at.size - finite.size:,} not finite"
        return text + (f"; one in {every} looked at" if every > 1 else "")

    def svg(self) -> Markup:
        """Return it drawn: of many numbers the lowest and highest of each part."""
        values, _ = self._drawn_values()
        lows, highs = _ends_of_parts(values)
        finite = np.isfinite(lows)
        low, high = (
            (lows[finite].min(), highs[finite].max()) if finite.any() else (0.0, 1.0)
        )
        lines = [
            element(
                "polyline",
                points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points),
                fill="none",
                stroke="currentColor",
                stroke_width="1.5",
                stroke_linejoin="round",
            )
            for points in _points(lows, highs, float(low), float(high))
        ]
        box = f"0 -6 {_WIDTH} {_HEIGHT + 12}"
        about = {"role": "img", "aria_label": self.summary, "class_": "tgd-curve"}
        return element(
            "svg", *lines, viewBox=box, width=_WIDTH, height=_HEIGHT, **about
        )

    def html(self) -> Markup:
        """Return a figure of it."""
        caption = element("figcaption", self.summary)
        return element("figure", self.svg(), caption, class_="tgd-picture")

    def csv(self) -> Iterator[str]:
        """Yield it as CSV: place and value, some thousand rows at a time."""
        yield "place,value\n"
        for start in range(0, len(self.values), _CSV_ROWS):
            part = self.values[start : start + _CSV_ROWS].tolist()
            yield csv_text(enumerate(part, start))

    def _drawn_values(self) -> tuple[NDArray[np.float64], int]:
        every = -(-len(self.values) // MOST_POINTS)
        part = np.ma.asarray(self.values[::every])
        return np.ma.filled(part.astype(np.float64), np.nan), every


def curve_of(array: NDArray[Any]) -> Curve | None:
    """Return numbers in a row as a curve; None if there are too few, or they are none.

    Examples
    --------
    >>> curve_of(np.arange(9)).summary
    'int64, 9 numbers: 0 to 8, mean 4'
    """
    if array.ndim != 1 or array.dtype.kind not in "biuf" or len(array) < 8:
        return None
    return Curve(array)


def _ends_of_parts(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lowest and highest finite of each part; NaN where there is none."""
    if len(values) <= 2 * _BINS:
        finite = np.where(np.isfinite(values), values, np.nan)
        return finite, finite
    starts = np.linspace(0, len(values), _BINS, endpoint=False).astype(int)
    finite = np.isfinite(values)
    lows = np.minimum.reduceat(np.where(finite, values, np.inf), starts)
    highs = np.maximum.reduceat(np.where(finite, values, -np.inf), starts)
    none = lows > highs
    return np.where(none, np.nan, lows), np.where(none, np.nan, highs)


def _points(
    lows: NDArray[np.float64], highs: NDArray[np.float64], low: float, high: float
) -> list[list[tuple[float, float]]]:
    """Return lines of points, in the units of the drawing, without what is missing."""
    span = high / 2 - low / 2  # halves: the difference may be beyond all floats
    lines: list[list[tuple[float, float]]] = [[]]
    step = (_WIDTH - 4) / max(1, len(lows) - 1)
    for place, (least, most) in enumerate(
        zip(lows.tolist(), highs.tolist(), strict=True)
    ):
        if least != least:
            lines.append([])
            continue
        for value in (least,) if least == most else (least, most):
            part = (value / 2 - low / 2) / span if span > 0 else 0.5
            lines[-1].append((2 + place * step, _HEIGHT * (1 - part)))
    return [
        points if len(points) > 1 else [*points, (points[0][0] + 2, points[0][1])]
        for points in lines
        if points
    ]
