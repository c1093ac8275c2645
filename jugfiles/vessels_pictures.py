"""Which pictures `vessels.py` studies: of a folder, of SEGKIT_DATA, or one to try."""

import argparse
import csv
import os
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import mahotas
from vessels_masks import mask_of

import segkit

FOLDERS = {  # the first that is there
    "labels": ("labels", "first_observer"),
    "second": ("second_labels", "second_observer"),
    "view": ("field_of_view",),
}
CORNERS = [(y, x) for y in (200, 460) for x in (200, 520)]  # of the one to try
SIDE = 192
QUICK = 4  # pictures of a folder that are enough to try it


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


def words():
    """Return what is said after ``--``; end with what is wrong with it."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER")
    parser.add_argument("out", nargs="?", default="vessels-out", metavar="OUT")
    parser.add_argument("--quick", action="store_true", help="see vessels.py")
    return parser.parse_args()


def pictures():
    """Return the pictures to study; end with a sentence if there is something amiss."""
    said = words()
    if said.folder is not None:
        return _of_folder(said.folder, quick=said.quick)
    data = os.environ.get("SEGKIT_DATA", "")
    if data and (Path(data) / "drive" / "images").is_dir():
        return _of_folder(Path(data) / "drive", quick=said.quick)
    return _to_try()


def _to_try():
    """Return four parts of the one picture that mahotas brings along."""
    path = Path(mahotas.__file__).parent / "demos" / "data" / "nuclear.png"
    return [
        Picture(f"part{k}", f"part{k}", path, box=(y, y + SIDE, x, x + SIDE))
        for k, (y, x) in enumerate(CORNERS)
    ]


def _few(paths, experiments):
    """Return some pictures to try a folder, of as many experiments as there are."""
    turns = dict.fromkeys(paths, 0)
    seen = dict.fromkeys(experiments.values(), 0)
    for path in paths:
        turns[path] = seen[experiments[path.name]]
        seen[experiments[path.name]] += 1
    return sorted(sorted(paths, key=turns.get)[:QUICK])


def _of_folder(folder, *, quick):
    images = folder / "images"
    paths = _files(images)
    if not paths:
        sys.exit(
            f"{images} has no pictures; give a folder that has images/ and labels/"
        )
    drawn = {what: _found(folder, names) for what, names in FOLDERS.items()}
    if drawn["labels"] is None:
        sys.exit(f"{folder} has no folder labels/ with a mask for each picture")
    experiments = _experiments(folder, paths)
    paths = _few(paths, experiments) if quick else paths
    found = [
        Picture(
            path.stem,
            experiments[path.name],
            path,
            **{what: _beside(path, beside) for what, beside in drawn.items()},
        )
        for path in paths
    ]
    _require_same_type(paths)
    _require_drawn(found, drawn["labels"])
    return found


def _files(folder):
    """Return the files of a folder, without those that programs hide there."""
    hidden = {"thumbs.db", "desktop.ini"}
    return sorted(
        path
        for path in (folder.iterdir() if folder.is_dir() else ())
        if not path.name.startswith(".") and path.name.lower() not in hidden
    )


def _require_drawn(found, folder):
    """End with a sentence unless something is drawn in two experiments.

    Masks are read up to the second of these, of most folders two; what is wrong with
    a mask is told here, too.
    """
    drawn = set()
    for picture in found:
        if picture.experiment not in drawn:
            try:
                mask = mask_of.f(picture.labels, None)
            except ValueError as error:
                sys.exit(str(error))
            if mask.any() and not mask.all():
                drawn.add(picture.experiment)
        if len(drawn) == 2:
            return
    where = f"of experiment {min(drawn)} only" if drawn else "of no experiment"
    sys.exit(
        f"{folder} has something drawn in pictures {where}; who learns from the others"
        " needs it in two or more: look whether masks were saved empty"
    )


def _found(folder, names):
    there = [folder / name for name in names if (folder / name).is_dir()]
    return there[0] if there else None


def _beside(path, folder):
    """Return the file of the same name, without regard to its suffix."""
    if folder is None:
        return None
    stem = _composed(path.stem)
    found = [file for file in _files(folder) if _composed(file.stem) == stem]
    if not found:
        sys.exit(f"{folder} has nothing for {path.name}; put {path.stem}.png there")
    _require_same_size(path, found[0])
    return found[0]


def _composed(name):
    """Return a name with each letter in one piece: some systems part ä into a and ¨."""
    return unicodedata.normalize("NFC", name)


def _experiments(folder, paths):
    """Return the experiment of each picture, by file name; its own without a list."""
    listed = folder / "groups.csv"
    if not listed.exists():
        said = {path.name: path.stem for path in paths}
        where = f"{folder / 'images'} has one picture only"
    else:
        called = {n: path.name for path in paths for n in (path.stem, path.name)}
        said = _said(listed, {_composed(name): path for name, path in called.items()})
        amiss = sorted({path.name for path in paths} ^ set(said))
        if amiss:
            where = listed.name if amiss[0] in said else "images/"
            sys.exit(
                f"{listed} and images/ do not match: {amiss[0]} is in {where} only"
                f" ({len(amiss)} such); list each picture once, by its name in images/"
            )
        where = f"{listed} has one experiment only"
    if len(set(said.values())) < 2:
        sys.exit(
            f"{where}; cross-validation by experiment takes two experiments or more, so"
            " give pictures of others"
        )
    return said


def _said(listed, names):
    """Return the experiment of each picture that a list names, with or without suffix.

    The list is CSV as programs of tables save it: with commas, semicolons or tabs.
    """
    try:
        lines = listed.read_text("utf-8-sig").splitlines(keepends=True)
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"{listed} cannot be read ({error}); save it as CSV in UTF-8")
    head = lines[0] if lines else ""
    reader = csv.DictReader(lines, delimiter=max(",;\t", key=head.count))
    rows, columns = list(reader), reader.fieldnames or ()
    if not {"image", "experiment"} <= set(columns):
        has = ", ".join(filter(None, columns)) or "none"
        sys.exit(f"{listed} needs the columns image and experiment; it has {has}")
    said = {}
    for number, row in enumerate(rows, start=2):
        name, experiment = ((row[k] or "").strip() for k in ("image", "experiment"))
        name = names.get(_composed(name), name)
        where = f"{listed}:{number}: {name}"
        if not experiment:
            sys.exit(f"{where} has no experiment; write which it is")
        if name in said:
            sys.exit(f"{where} is there twice; list each picture once")
        said[name] = experiment
    return said


def _require_same_type(paths):
    """End with a sentence unless the brightness of all pictures compares."""
    kinds = {path: segkit.open_image(path).dtype.name for path in paths}
    for path, kind in kinds.items():
        if kind != kinds[paths[0]]:
            sys.exit(
                f"{path} is {kind}, {paths[0]} is {kinds[paths[0]]}, so their"
                " brightness may not compare; save all pictures in one type"
            )


def _require_same_size(path, drawn):
    """End with a sentence unless what was drawn is as large as the picture."""
    sizes = []
    for one in (path, drawn):
        image = segkit.open_image(one)
        if image.axes not in ("yx", "yxs"):
            sys.exit(
                f"{one} has the axes {image.axes!r}, its shape is {image.shape}; give"
                " a picture of one plane, in grey or in colours"
            )
        sizes.append(image.shape[:2])
    if sizes[0] != sizes[1]:
        (high, wide), (rows, columns) = sizes
        sys.exit(
            f"{drawn} has {rows} rows and {columns} columns, {path} {high} and {wide};"
            " save what was drawn in the size of the picture"
        )
