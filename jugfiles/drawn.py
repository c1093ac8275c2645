"""Pictures, and what people drew on them: the folders `images` and `references`."""

import os
import sys
from pathlib import Path

import mahotas
import numpy as np

import segkit


def grey(path):
    """Return a picture of one channel."""
    image = segkit.open_image(path)
    return (image if image.ndim == 2 else segkit.open_image(path, channel=0)).read()


def objects_drawn(path):
    """Return hand-made labels; of a mask (0 and 255) each piece is an object."""
    drawn = grey(path)
    is_mask = np.unique(drawn[drawn != 0]).size == 1
    return segkit.label(drawn != 0) if is_mask else drawn


def pictures(folder=None):
    """Return the pictures to segment and their references, by name.

    Of a folder, else that of ``SEGKIT_DATA``, else the one that mahotas brings along.
    """
    given = os.environ.get("SEGKIT_DATA", "") if folder is None else folder
    if not given and folder is None:
        demo = Path(mahotas.__file__).parent / "demos" / "data" / "nuclear.png"
        return {"nuclear": (demo, None)}
    for place in (Path(given), Path(given) / "coelho2009" / "ic100"):
        if given and (place / "images").is_dir():
            return _pictures_of(place)
    given = given if folder is not None else f"SEGKIT_DATA={given}"
    sys.exit(f"{given} has no folder images/ with pictures; give another folder")


def _pictures_of(folder):
    """Return the pictures of a folder and their references, by name."""
    found, drawn = {}, {p.stem: p for p in sorted(folder.glob("references/[!.]*"))}
    for path in sorted((folder / "images").iterdir()):
        if path.name.startswith("."):  # what a system keeps there
            continue
        if path.stem in found:
            sys.exit(f"{path} and {found[path.stem][0].name} have one name; rename one")
        same = folder / "references" / path.name
        found[path.stem] = (path, same if same.exists() else drawn.get(path.stem))
    if not found:
        sys.exit(f"{folder / 'images'} is empty; put pictures there")
    if drawn and not drawn.keys() & found.keys():
        sys.exit(f"no name in {folder / 'references'} is one of those in images/")
    if jpeg := [p for p in drawn.values() if p.suffix.lower() in {".jpg", ".jpeg"}]:
        sys.exit(f"{jpeg[0]}: JPEG changes the ids along all edges; give PNG or TIFF")
    return found
