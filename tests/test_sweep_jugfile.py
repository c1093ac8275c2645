"""The jugfile that compares parameters, on a small picture with a reference."""

import csv
from pathlib import Path

import numpy as np
import pytest

import segkit
from taskgraph import run, table

JUGFILE = Path(__file__).parents[1] / "jugfiles" / "sweep.py"


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """Return a folder with a picture of discs, two of which touch, and their labels."""
    y, x = np.mgrid[:96, :128]
    labels = np.zeros((96, 128), np.uint16)
    discs = [(30, 30, 12), (30, 53, 12), (70, 40, 11), (60, 100, 13)]
    for number, (a, b, radius) in enumerate(discs, 1):
        labels[(y - a) ** 2 + (x - b) ** 2 <= radius**2] = number
    noise = np.random.default_rng(0).normal(20, 2, labels.shape)
    picture = (noise + 100 * segkit.gaussian((labels > 0).astype(float), 1)).clip(
        0, 255
    )
    for folder in ("images", "references"):
        (tmp_path / folder).mkdir()
    segkit.save(tmp_path / "images" / "discs.tif", picture.astype(np.uint8))
    segkit.save(tmp_path / "references" / "discs.tif", labels)
    monkeypatch.setenv("SEGKIT_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_trial_is_scored_and_shown(pictures):
    done = run(JUGFILE, store=pictures / "store", workers=0)

    assert done.done == 9 + 2
    rows = list(csv.DictReader((pictures / "sweep-out/scores.csv").read_text().split()))
    assert len({(row["sensitivity"], row["depth"]) for row in rows}) == 9
    assert max(float(row["f1"]) for row in rows) == 1
    assert (pictures / "sweep-out" / "discs.png").stat().st_size > 0
    best = table("trial", JUGFILE, store=pictures / "store").best("f1")
    assert best["objects"] == 4
    assert best["labels"] == "int32 (96, 128)"


def test_of_a_mask_drawn_by_hand_each_piece_is_an_object(pictures):
    known = pictures / "references" / "discs.tif"
    mask = np.uint8(segkit.open_image(known).read() > 0) * np.uint8(255)
    known.unlink()
    segkit.save_png(pictures / "references" / "discs.png", mask)

    run(JUGFILE, store=pictures / "store", workers=0)

    best = table("trial", JUGFILE, store=pictures / "store").best("f1")
    assert best["f1"] > 0.5
