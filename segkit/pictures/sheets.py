"""How pictures are laid out: in a grid, with captions, with a detail enlarged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from segkit import checks
from segkit.tiling.boxes import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PAPER = 24  # grey of the space between pictures
_GAP = 6  # pixels between pictures
_MARK = (255, 235, 59)  # colour of the zoom box


def inside(zoom: Box, size: tuple[int, ...]) -> tuple[slice, ...]:
    """Return the slices of a box; raise `ValueError` if it lies outside."""
    checks.require_kind(zoom, Box, name="zoom", source="segkit.Box(start, stop)")
    if zoom.common(Box((0,) * len(size), size)) != zoom:
        raise ValueError(f"zoom {zoom} is not inside of pictures of size {size}")
    return zoom.slices


def marked(rgb: NDArray[np.uint8], box: tuple[slice, ...]) -> NDArray[np.uint8]:
    """Draw the outline of a box, thick enough to be seen when shown small."""
    marked = rgb.copy()
    thick = max(1, max(rgb.shape[:2]) // 400)
    y, x = box
    outer = marked[
        max(0, y.start - thick) : y.stop + thick,
        max(0, x.start - thick) : x.stop + thick,
    ]
    kept = rgb[box].copy()
    outer[:] = _MARK
    marked[box] = kept
    return marked


def enlarged(rgb: NDArray[np.uint8], most: int, width: int) -> NDArray[np.uint8]:
    """Repeat pixels `most` times, or as often as fits the width."""
    times = max(1, min(most, width // rgb.shape[1]))
    return rgb.repeat(times, axis=0).repeat(times, axis=1)


def shrunk(rgb: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """Return a picture that is not wider than `width`."""
    from PIL import Image

    if rgb.shape[1] <= width:
        return rgb
    height = max(1, round(rgb.shape[0] * width / rgb.shape[1]))
    small = Image.fromarray(rgb).resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(small)


def captioned(rgb: NDArray[np.uint8], caption: str) -> NDArray[np.uint8]:
    """Write a line above a picture, in letters that fit it."""
    from PIL import Image, ImageDraw, ImageFont

    size = int(np.clip(rgb.shape[1] // 24, 12, 28))
    strip = Image.new("RGB", (rgb.shape[1], 2 * size), (_PAPER,) * 3)
    draw = ImageDraw.Draw(strip)
    font = ImageFont.load_default(size)
    while size > 8 and draw.textlength(caption, font=font) > rgb.shape[1] - 4:
        size -= 1
        font = ImageFont.load_default(size)
    draw.text((2, strip.height / 2), caption, (235,) * 3, font, anchor="lm")
    return np.concatenate([np.asarray(strip), rgb])


def grid(cells: list[NDArray[np.uint8]], columns: int) -> NDArray[np.uint8]:
    """Lay out pictures row by row, each in the upper left of its place."""
    checks.as_integer(columns, name="columns", least=1)
    rows = [cells[i : i + columns] for i in range(0, len(cells), columns)]
    heights = [max(cell.shape[0] for cell in row) for row in rows]
    width = max(cell.shape[1] for cell in cells)
    columns = min(columns, len(cells))
    sheet = np.full(
        (
            sum(heights) + _GAP * (len(rows) - 1),
            columns * width + _GAP * (columns - 1),
            3,
        ),
        _PAPER,
        np.uint8,
    )
    top = 0
    for row, height in zip(rows, heights, strict=True):
        for column, cell in enumerate(row):
            left = column * (width + _GAP)
            place = sheet[top : top + cell.shape[0], left : left + cell.shape[1]]
            place[:] = cell
        top += height + _GAP
    return sheet
