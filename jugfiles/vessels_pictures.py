"""Which pictures `vessels.py` studies: of a folder, of SEGKIT_DATA, or one to try."""

import csv
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import mahotas

FOLDERS = {  # the first that is there
    "labels": ("labels", "first_observer"),
    "second": ("second_labels", "second_observer"),
    "view": ("field_of_view",),
}
CORNERS = [(y, x) for y in (200, 460) for x in (200, 520)]  # of the one to try
SIDE = 192


@dataclass(frozen=True)
class Picture:
    """A picture, what persons have drawn on it, and the experiment it is of.

    `box` are the first and last row and column of the part that is looked at.
    """

    name: str
    experiment: str
    image: Path
    labels: Path | None = None
    second: Path | None = None
    view: Path | None = None
    box: tuple[int, int, int, int] | None = None


def pictures():
    """Return the pictures to study; end with a sentence if there is something amiss."""
    if len(sys.argv) > 1:
        return _of_folder(Path(sys.argv[1]))
    data = os.environ.get("SEGKIT_DATA", "")
    if data and (Path(data) / "drive" / "images").is_dir():
        return _of_folder(Path(data) / "drive")
    return _to_try()


def _to_try():
    """Return four parts of the one picture that mahotas brings along."""
    path = Path(mahotas.__file__).parent / "demos" / "data" / "nuclear.png"
    return [
        Picture(f"part{k}", f"part{k}", path, box=(y, y + SIDE, x, x + SIDE))
        for k, (y, x) in enumerate(CORNERS)
    ]


def _of_folder(folder):
    images = folder / "images"
    paths = sorted(p for p in images.glob("*") if not p.name.startswith("."))
    if not paths:
        sys.exit(
            f"{images} has no pictures; give a folder that has images/ and labels/"
        )
    drawn = {what: _found(folder, names) for what, names in FOLDERS.items()}
    if drawn["labels"] is None:
        sys.exit(f"{folder} has no folder labels/ with a mask for each picture")
    experiments = _experiments(folder, paths)
    return [
        Picture(
            path.stem,
            experiments[path.name],
            path,
            **{what: _beside(path, beside) for what, beside in drawn.items()},
        )
        for path in paths
    ]


def _found(folder, names):
    there = [folder / name for name in names if (folder / name).is_dir()]
    return there[0] if there else None


def _beside(path, folder):
    """Return the file of the same name, without regard to its suffix."""
    if folder is None:
        return None
    found = sorted(folder.glob(f"{path.stem}.*"))
    if not found:
        sys.exit(f"{folder} has nothing for {path.name}; put {path.stem}.png there")
    return found[0]


def _experiments(folder, paths):
    """Return the experiment of each picture, by file name; its own without a list."""
    names = [path.name for path in paths]
    listed = folder / "groups.csv"
    if not listed.exists():
        return {name: Path(name).stem for name in names}
    with listed.open(newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"image", "experiment"} <= set(rows[0]):
        sys.exit(f"{listed} needs the columns image and experiment")
    said = {row["image"]: row["experiment"] for row in rows}
    amiss = sorted(set(names) ^ set(said))
    if amiss:
        where = "images/" if amiss[0] in names else listed.name
        sys.exit(
            f"{listed} and images/ do not match: {amiss[0]} is in {where} only"
            f" ({len(amiss)} such); list each picture once"
        )
    if len(set(said.values())) < 2:
        sys.exit(
            f"{listed} has one experiment only; cross-validation by experiment takes"
            " two or more"
        )
    return said
