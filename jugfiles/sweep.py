"""Try parameters of `segkit.segment_nuclei` on pictures, and score what comes out.

    tg execute jugfiles/sweep.py -j 2
    tg execute jugfiles/sweep.py -j 2 -- FOLDER [OUT]
    tg table jugfiles/sweep.py trial --sort f1 --descending

FOLDER holds pictures in ``images/`` and, for scores, label pictures of the same names
in ``references/``, or masks, of which each piece is an object; the first four that have
one are taken. Without any there are numbers of objects and no scores. Without FOLDER,
it is that of ``SEGKIT_DATA`` (itself, or its ``coelho2009/ic100``), else the one
picture that the mahotas package brings along.

Each trial is a task: add a value below, and only its trials are computed. OUT
(``sweep-out``) gets ``scores.csv``, a row for each trial, and for each picture a
contact sheet of all its trials, the best one first. `tg table` shows the trials, also
while they run.
"""

import argparse
from pathlib import Path

from drawn import grey, objects_drawn, pictures

import segkit
from taskgraph import File, Table, TaskGenerator, sweep

SENSITIVITIES = [0.7, 1.0, 1.4]
DEPTHS = [0.06, 0.12, 0.25]
PICTURES = 4
SCORES = {"f1": "f1_50", "dice": "dice", "split": "split", "merged": "merged"}
_WORDS = argparse.ArgumentParser()
_WORDS.add_argument("folder", nargs="?", metavar="FOLDER")
_WORDS.add_argument("out", nargs="?", default="sweep-out", metavar="OUT")
WORDS = _WORDS.parse_args()


@TaskGenerator
def trial(picture, reference, sensitivity, depth):
    """Return the nuclei of a picture, how many they are, and how good."""
    labels = segkit.segment_nuclei(grey(picture), sensitivity=sensitivity, depth=depth)
    found = {"labels": labels, "objects": int(labels.max())}
    if reference is not None:
        scores = segkit.scores(labels, objects_drawn(reference))
        found |= {short: scores[name] for short, name in SCORES.items()}
    return found


@TaskGenerator(files=True)
def write_sheet(picture, points, trials, path):
    """Write a contact sheet of all trials of a picture, the best one first."""
    image = grey(picture)
    rows = [{**point, **result} for point, result in zip(points, trials, strict=True)]
    rows.sort(key=lambda row: -row.get("f1", 0))
    sheet = {caption(row): segkit.overlay(image, row["labels"]) for row in rows}
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    segkit.save_png(path, segkit.contact_sheet(sheet, width=480), overwrite=True)
    return Path(path)


@TaskGenerator(files=True)
def write_scores(points, trials, path):
    """Write parameters and numbers of all trials as a table."""
    rows = [{**point, **result} for point, result in zip(points, trials, strict=True)]
    names = [name for name in rows[0] if name != "labels"]
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return Table({name: [row[name] for row in rows] for name in names}).to_csv(path)


def caption(row):
    """Return what was tried, and what came of it, in a line."""
    tried = f"sensitivity {row['sensitivity']}, depth {row['depth']}"
    score = f", f1 {row['f1']:.3f}" if "f1" in row else ""
    return f"{tried}: {row['objects']} objects{score}"


def shown():
    """Return the first pictures that have a reference, or any if none has one."""
    found = [*pictures(WORDS.folder).values()]
    return ([pair for pair in found if pair[1]] or found)[:PICTURES]


out = Path(WORDS.out)
grid = {"sensitivity": SENSITIVITIES, "depth": DEPTHS}
points, trials = [], []
for picture, reference in shown():
    known = None if reference is None else File(reference)
    tried = sweep(trial, grid, picture=File(picture), reference=known)
    write_sheet(File(picture), tried.points, tried, str(out / f"{picture.stem}.png"))
    points += [{"picture": picture.name, **point} for point in tried.points]
    trials += tried
write_scores(points, trials, str(out / "scores.csv"))
