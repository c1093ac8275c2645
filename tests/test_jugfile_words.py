"""What is said to jugfiles after ``--``: a folder, where to, and nothing unknown."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import segkit
from taskgraph import JugfileError, run

JUGFILES = Path(__file__).parents[1] / "jugfiles"


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Make a folder of pictures with lines, four of a day and one of each other."""
    y, x = np.mgrid[:120, :130]
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    for k in range(6):
        line = abs(y - (0.3 + 0.1 * k) * x - 10 * k) < 4
        noise = np.random.default_rng(k).normal(0, 3, line.shape)
        grey = (140 - 50 * line + noise).clip(0, 255).astype(np.uint8)
        segkit.save(tmp_path / "images" / f"p{k}.png", grey)
        segkit.save(tmp_path / "labels" / f"p{k}.png", np.uint8(255 * line))
    listed = "".join(f"p{k}.png,day {max(0, k - 3)}\n" for k in range(6))
    (tmp_path / "groups.csv").write_text("image,experiment\n" + listed)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["vessels", "sweep", "nuclei", "gallery", "pipeline"])
def test_an_unknown_flag_after_the_words_of_tg_is_named(name, own, capfd):
    words = [".", "out", "--dry-run"]
    with pytest.raises(JugfileError, match="SystemExit: 2"):
        run(JUGFILES / f"{name}.py", arguments=words, store=own / "store", workers=0)
    told = capfd.readouterr().err
    assert re.search("unrecognized arguments: .*--dry-run", told)


def test_the_quick_study_takes_a_few_pictures_of_many_experiments(own):
    words = [str(own), "quick-out", "--quick"]
    made = run(JUGFILES / "vessels.py", arguments=words, store=own / "store", workers=0)
    page = (own / "quick-out" / "index.html").read_text()
    assert made.failed == 0
    assert "the fewest methods (--quick)" in page
    counts = {name.rpartition(".")[2]: row for name, row in made.counts.items()}
    assert counts["validated"]["done"] == 2 * 8  # by experiment, and flattered
    assert "p0" in page


def test_pictures_of_a_quick_study_are_of_as_many_experiments_as_there_are(
    own, monkeypatch
):
    monkeypatch.syspath_prepend(JUGFILES)
    monkeypatch.setattr("sys.argv", ["vessels.py", str(own), "--quick"])
    import vessels_pictures

    assert [one.name for one in vessels_pictures.pictures()] == ["p0", "p1", "p4", "p5"]
    shutil.rmtree(own / "labels")
    with pytest.raises(SystemExit, match="no folder labels/"):
        vessels_pictures.pictures()
