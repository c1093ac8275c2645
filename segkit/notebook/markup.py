"""HTML of pictures and tables, without styles or scripts that a page would need."""

from __future__ import annotations

import html
import io
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_ROWS, _COLUMNS, _LETTERS = 10, 24, 80
_ENDS = (0.2, 99.8)
_LEFT = ' style="text-align:left"'
"""Where text stands, which notebooks set to the right as numbers."""


def figure(pixels: NDArray[np.uint8], caption: str) -> str:
    """Return a picture, grey (y, x) or RGB (y, x, 3), with a line below it.

    Examples
    --------
    >>> "a &lt; b" in figure(np.zeros((2, 2), np.uint8), "a < b")
    True
    """
    from PIL import Image

    height, width = pixels.shape[:2]
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    data, text = b64encode(file.getvalue()).decode(), html.escape(caption)
    return (
        f'<figure style="margin:0"><img src="data:image/png;base64,{data}" '
        f'alt="{text}" width="{width}" height="{height}" style="max-width:100%;'
        f'height:auto"><figcaption>{text}</figcaption></figure>'
    )


def paragraph(text: str) -> str:
    """Return a line of text.

    Examples
    --------
    >>> paragraph("a < b")
    '<p>a &lt; b</p>'
    """
    return f"<p>{html.escape(text)}</p>"


def table(columns: Mapping[str, Any], rows: int = _ROWS) -> str:
    """Return the first rows and columns as a table, and below how many there are.

    Examples
    --------
    >>> "<td>7</td>" in table({"label": [7]})
    True
    """
    names = list(columns)[:_COLUMNS]
    count = len(columns[names[0]]) if names else 0
    sides = {name: "" if _is_numeric(columns[name]) else _LEFT for name in names}
    lines = [
        "".join(f"<td{sides[name]}>{_cell(columns[name][row])}</td>" for name in names)
        for row in range(min(rows, count))
    ]
    head = "".join(f"<th{sides[name]}>{html.escape(name)}</th>" for name in names)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    told = f"{count} rows, {len(columns)} columns"
    return (
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"{paragraph(told)}"
    )


def _is_numeric(column: Any) -> bool:
    return len(column) > 0 and isinstance(column[0], int | float | np.number)


def _cell(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)
    return html.escape(text if len(text) <= _LETTERS else f"{text[:_LETTERS]}...")


def middle(array: Any, most: int = 480) -> NDArray[Any] | None:
    """Return the middle plane of an array, shrunk; None if it has fewer axes than two.

    Examples
    --------
    >>> middle(np.zeros((5, 20, 30))).shape, middle(np.zeros(3)) is None
    ((20, 30), True)
    """
    if len(array.shape) < 2 or 0 in array.shape:
        return None
    lead = tuple(length // 2 for length in array.shape[:-2])
    rows, columns = array.shape[-2:]
    return shrunk(np.asarray(array[(*lead, slice(0, rows), slice(0, columns))]), most)


def shrunk(plane: NDArray[Any], most: int) -> NDArray[Any]:
    """Return every so many pixels of a plane, at most so many along a side.

    Examples
    --------
    >>> shrunk(np.zeros((300, 1000)), 500).shape
    (150, 500)
    """
    step = max(1, -(-max(plane.shape[:2]) // most))
    return plane[::step, ::step]


def in_grey(plane: NDArray[Any]) -> NDArray[np.uint8]:
    """Return a plane of numbers in 8 bits, from its dark to its bright percentile.

    Of the part between them the square root, as in `segkit.grey_picture`.

    Examples
    --------
    >>> in_grey(np.array([[0.0, 1.0, np.nan]])).tolist()
    [[0, 255, 0]]
    """
    values = plane.astype(np.float64)
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, _ENDS) if finite.size else (0.0, 1.0)
    if low == high and finite.size:
        low, high = finite.min(), finite.max()
    part = (values - low) / (high - low) if high > low else (values > 0).astype(float)
    whole = np.clip(np.nan_to_num(part, posinf=1, neginf=0), 0, 1)
    return np.asarray(np.round(255 * np.sqrt(whole)).astype(np.uint8))
