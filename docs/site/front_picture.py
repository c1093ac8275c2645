"""The picture of the first page: what `segkit` makes of mahotas' nuclei."""

from pathlib import Path

import mahotas

import segkit

NAME = "front.png"
_BEFORE = "\n- New here"
_TEXT = f"""
![Fluorescent nuclei, and the same picture with each nucleus in a colour]({NAME})

*Nuclei that touch, found by `segkit.segment_nuclei(picture)`, without training.*
"""


def write(folder):
    """Make the picture, in a folder."""
    path = Path(mahotas.__file__).parent / "demos" / "data" / "nuclear.png"
    picture = segkit.open_image(path, channel=0).read()
    labels = segkit.segment_nuclei(picture)
    found = segkit.overlay(picture, labels, fill=0.3)
    sheet = {"a picture": picture, f"{labels.max()} nuclei": found}
    sheet = segkit.contact_sheet(sheet, width=400)
    segkit.save_png(folder / NAME, sheet, overwrite=True)


def shown(_, page, source):
    """Put the picture on the first page; readers of the file need none."""
    if page == "index":
        before, here, after = source[0].partition(_BEFORE)
        assert here, f"index.md has no line that begins with {_BEFORE.strip()!r}"
        source[0] = f"{before}{_TEXT}{here}{after}"
