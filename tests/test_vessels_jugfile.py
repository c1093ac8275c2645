"""The study of vessels, in its reduced form and on a folder of one's own."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import segkit
from taskgraph import run, table
from taskgraph.testing import Trial

JUGFILE = Path(__file__).parents[1] / "jugfiles" / "vessels.py"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Return where the study of the picture of mahotas is, and what its run did."""
    folder = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SEGKIT_DATA", raising=False)
        patch.chdir(folder)
        done = run(JUGFILE, store=folder / "store", workers=0)
    return folder, done


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_without_data_the_study_runs_on_a_picture_and_says_so(demo):
    folder, done = demo
    page = (folder / "vessels-out" / "index.html").read_text()
    assert done.failed == 0
    assert "Its numbers mean nothing" in page
    assert "<script" not in page
    for picture in re.findall(r"<img src='([^']+)'", page):
        assert (folder / "vessels-out" / picture).stat().st_size > 500


def test_every_method_has_its_score_by_experiment_and_the_flattered_one(demo):
    folder, _ = demo
    for kind in ("grid", "superpixels"):
        rows = rows_of(folder / "vessels-out" / f"methods-{kind}.csv")
        names = [row["method"] for row in rows]
        assert len(names) == len(set(names)) == 4 + 1 + 3
        schedules = [row["cross-validation"] for row in rows]
        assert all(re.fullmatch(r"by experiment, \d folds", s) for s in schedules[:5])
        assert schedules[5:] == ["given"] * 3
        assert all(float(row["flattered"]) > -99 for row in rows[:4])
        assert "person 2" in names
    assert (folder / "vessels-out" / "methods-grid.tex").read_text().count(
        " \\\\\n"
    ) == 9


def test_tables_are_whole_as_csv_and_as_the_page_shows_them_as_latex(demo):
    folder, _ = demo
    out = folder / "vessels-out"
    page = (out / "index.html").read_text()
    lines = (out / "methods-grid.tex").read_text().splitlines()
    assert lines[0] == r"% \usepackage{booktabs, graphicx}"
    columns = len(re.findall("[lr]", lines[3].partition("{tabular}")[2]))
    rows = [line for line in lines if line.endswith(r" \\")]
    assert {row.count(" & ") for row in rows} == {columns - 1}
    shown = page.split("Regions: grid")[1].partition("</table>")[0]
    assert columns + 1 == len(re.findall("<th[ >]", shown)) < 12  # keys are no paper's
    assert not re.search(r" -\d|-0\.000", "".join(rows))
    assert "-0.000" not in page
    assert all(len(row["Q2"]) > 9 for row in rows_of(out / "methods-grid.csv"))
    assert "scikit-learn 1." in page


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not there")
def test_the_tables_are_set_by_pdflatex_and_no_wider_than_its_page(demo, tmp_path):
    folder, _ = demo
    names = sorted((folder / "vessels-out").glob("*.tex"))
    assert len(names) == 5
    (tmp_path / "a.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs, graphicx}\\begin{document}\n"
        + "".join(f"\\input{{{path}}}\n\n" for path in names)
        + "\\end{document}\n"
    )
    command = ["pdflatex", "-draftmode", "-halt-on-error", "a.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    said = done.stdout.decode(errors="replace")
    assert done.returncode == 0, said[-2000:]
    assert "Overfull" not in said


def test_every_number_of_the_page_is_that_of_the_task_it_names(demo, monkeypatch):
    folder, _ = demo
    monkeypatch.delenv("SEGKIT_DATA", raising=False)
    monkeypatch.chdir(folder)
    tried = table("validated", JUGFILE, store=folder / "store")
    found = {
        (r["partition"], r["features"], r["regressor"]): r["q2"]
        for r in (
            dict(zip(tried.columns, row, strict=True))
            for row in zip(*tried.columns.values(), strict=True)
        )
        if r["person"] == "1" and not r["within"]
    }
    assert len(found) == 8
    for (kind, features, regressor), score in found.items():
        rows = rows_of(folder / "vessels-out" / f"methods-{kind}.csv")
        own = [row for row in rows if row["method"] == f"{features}, {regressor}"]
        assert float(own[0]["Q2"]) == pytest.approx(score)


def test_every_row_of_every_table_names_a_task_that_there_is(demo):
    folder, done = demo
    keys = done.store.keys()
    known = [key.hex() for key in keys]
    tables = sorted((folder / "vessels-out").glob("*-*.csv"))
    named = [row["key"] for path in tables for row in rows_of(path)]
    assert len(tables) == 4
    assert len(named) == 2 * (8 + 4)
    for name in named:
        assert len([key for key in known if key.startswith(name)]) == 1


def test_a_changed_method_is_computed_anew_and_nothing_else(
    demo, tmp_path, monkeypatch
):
    folder, done = demo
    monkeypatch.delenv("SEGKIT_DATA", raising=False)
    monkeypatch.chdir(folder)
    code = tmp_path / "code"
    code.mkdir()
    for path in JUGFILE.parent.glob("vessels*.py"):
        (code / path.name).write_text(path.read_text())
    before = set(done.store.keys())
    same = run(code / "vessels.py", store=folder / "store", workers=0)
    assert set(same.store.keys()) == before
    text = (code / "vessels.py").read_text()
    assert text.count("RandomForestRegressor(5)") == 1
    changed = text.replace("RandomForestRegressor(5)", "RandomForestRegressor(6)")
    (code / "vessels.py").write_text(changed)
    again = run(code / "vessels.py", store=folder / "store", workers=0)
    # A forest on two partitions and two families: both schedules and the other person,
    # its line, and what the other person changes; a combination of each; the page.
    anew = set(again.store.keys()) - before
    assert len(anew) == 4 * (3 + 1 + 1) + 2 + 1 < again.done / 4


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_a_killed_study_goes_on_and_computes_nothing_twice(demo, tmp_path, monkeypatch):
    """Killed midway, it has what it had, and comes to the same tables."""
    folder, done = demo
    monkeypatch.delenv("SEGKIT_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    start = f"from taskgraph import run; run({str(JUGFILE)!r}, store='s', workers=0)"
    study = subprocess.Popen([sys.executable, "-c", start])
    results = Trial(JUGFILE, store="s").results

    def keys():
        results.backend.poll()
        return set(results.keys())

    while len(keys()) < len(set(done.store.keys())) / 3:
        assert study.poll() is None
        time.sleep(0.05)
    study.kill()
    study.wait()
    before = keys()
    computed = Trial(JUGFILE, store="s").run()
    assert sum(computed.values()) == len(set(done.store.keys()) - before) > 0
    for path in (folder / "vessels-out").glob("*.csv"):
        assert (tmp_path / "vessels-out" / path.name).read_text() == path.read_text()


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Return a folder of one's own, with four pictures of two experiments."""
    y, x = np.mgrid[:80, :90]
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    for k in range(4):
        line = abs(y - (0.3 + 0.2 * k) * x - 10 * k) < 3
        noise = np.random.default_rng(k).normal(0, 3, line.shape)
        grey = (140 - 50 * line + noise).clip(0, 255).astype(np.uint8)
        segkit.save(tmp_path / "images" / f"p{k}.png", grey)
        drawn = np.where(line, 253, 3).astype(np.uint8)
        segkit.save(tmp_path / "labels" / f"p{k}.png", drawn)
    listed = "".join(f"p{k}.png,day {k // 2}\n" for k in range(4))
    (tmp_path / "groups.csv").write_text("image,experiment\n" + listed)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def chosen_of(monkeypatch):
    """Return what says which pictures of a folder are studied."""
    monkeypatch.syspath_prepend(JUGFILE.parent)
    import vessels_pictures

    def chosen(folder):
        monkeypatch.setattr("sys.argv", ["vessels.py", str(folder)])
        return vessels_pictures.pictures()

    return chosen


def test_a_folder_of_ones_own_is_read_with_its_experiments(own, monkeypatch):
    monkeypatch.syspath_prepend(JUGFILE.parent)
    monkeypatch.setattr("sys.argv", ["vessels.py", str(own)])
    import vessels_pictures

    chosen = vessels_pictures.pictures()
    assert [picture.experiment for picture in chosen] == ["day 0"] * 2 + ["day 1"] * 2
    assert {picture.second for picture in chosen} == {None}


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        ("image,experiment\np0.png,a\n", "p1.png is in images/ only"),
        ("image,day\np0.png,a\n", "needs the columns .*; it has image, day"),
        ("image;experiment\np0;a\np0;b\n", "csv:3: p0.png is there twice"),
        ("image\texperiment\np0\ta\np1\t\n", "csv:3: p1.png has no experiment"),
        (
            "image,experiment\n" + "".join(f"p{k}.png,a\n" for k in range(5)),
            "p4.png is in groups.csv only",
        ),
        (
            "image,experiment\n" + "".join(f"p{k}.png,a\n" for k in range(4)),
            "one experiment only",
        ),
    ],
    ids=["too few", "columns", "twice", "no experiment", "too many", "one"],
)
def test_experiments_that_do_not_match_are_told(own, listed, message, monkeypatch):
    (own / "groups.csv").write_text(listed)
    monkeypatch.syspath_prepend(JUGFILE.parent)
    monkeypatch.setattr("sys.argv", ["vessels.py", str(own)])
    import vessels_pictures

    with pytest.raises(SystemExit, match=message):
        vessels_pictures.pictures()


def test_a_list_as_a_program_of_tables_saves_it_is_read(own, chosen_of):
    listed = "".join(f"p{k};day {k // 2}\n" for k in range(4))
    (own / "groups.csv").write_text("image;experiment;by\n" + listed, "utf-8-sig")
    found = [picture.experiment for picture in chosen_of(own)]
    assert found == ["day 0"] * 2 + ["day 1"] * 2


def test_a_name_is_found_however_its_letters_are_composed(own, chosen_of):
    parted = "a\u0308"
    for folder, name in (("images", "\u00e4"), ("labels", parted)):
        (own / folder / "p1.png").rename(own / folder / f"{name}1.png")
    listed = f"p0,one\n{parted}1,one\np2,two\np3.png,two\n"
    (own / "groups.csv").write_text("image,experiment\n" + listed, "utf-8")
    found = {picture.name: picture.experiment for picture in chosen_of(own)}
    assert found == {"p0": "one", "\u00e41": "one", "p2": "two", "p3": "two"}


def test_one_picture_alone_is_told(own, chosen_of):
    for path in [own / "groups.csv", *own.glob("images/p[1-3].png")]:
        path.unlink()
    with pytest.raises(SystemExit, match="has one picture only; cross-validation"):
        chosen_of(own)


def test_what_was_drawn_in_another_size_is_told_before_anything_runs(own, chosen_of):
    path = own / "labels" / "p2.png"
    segkit.save(path, np.zeros((80, 40), np.uint8), overwrite=True)
    with pytest.raises(SystemExit, match=r"p2.png has 80 rows and 40 col.* 80 and 90"):
        chosen_of(own)


@pytest.mark.parametrize(
    ("blank", "message"),
    [(range(4), "of no experiment"), ((2, 3), "of experiment day 0 only")],
)
def test_masks_that_were_saved_empty_are_told_before_anything_runs(
    own, chosen_of, blank, message
):
    for k in blank:
        path = own / "labels" / f"p{k}.png"
        segkit.save(path, np.zeros((80, 90), np.uint8), overwrite=True)
    with pytest.raises(SystemExit, match=f"labels has .* drawn in pictures {message}"):
        chosen_of(own)


def test_what_programs_hide_in_folders_is_no_picture(own, chosen_of):
    for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
        for folder in ("images", "labels"):
            (own / folder / name).write_bytes(b"hidden")
    assert [picture.name for picture in chosen_of(own)] == ["p0", "p1", "p2", "p3"]


def test_a_picture_may_have_any_name(own, chosen_of):
    name = "50%_[\u00c4]*\u00df#1?.png"
    for folder in ("images", "labels"):
        (own / folder / "p1.png").rename(own / folder / name)
    (own / "groups.csv").unlink()
    found = chosen_of(own)
    assert found[0].labels == own / "labels" / name


def test_a_list_that_is_no_text_is_told(own, chosen_of):
    (own / "groups.csv").write_text("image,experiment\np0,\u00c4\n", "utf-16")
    with pytest.raises(SystemExit, match=r"groups.csv cannot be .* as CSV in UTF-8"):
        chosen_of(own)


def test_a_stack_is_no_picture(own, chosen_of):
    (own / "images" / "p3.png").unlink()
    (own / "groups.csv").unlink()
    segkit.save(own / "images" / "p3.tif", np.zeros((3, 80, 90), np.uint8), axes="zyx")
    with pytest.raises(SystemExit, match=r"p3.tif has the axes 'zyx', .* one plane"):
        chosen_of(own)


def test_pictures_of_two_types_are_told_before_anything_runs(own, chosen_of):
    path = own / "images" / "p2.png"
    grey = segkit.open_image(path).read().astype(np.uint16)
    segkit.save(path, grey * 257, overwrite=True)
    with pytest.raises(SystemExit, match=r"p2.png is uint16, .*p0.png is uint8, so"):
        chosen_of(own)


def test_a_picture_with_nan_is_named(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(JUGFILE.parent)
    from vessels_masks import grey_of

    path = segkit.save(tmp_path / "a.tif", np.full((8, 9), np.nan, np.float32))
    with pytest.raises(ValueError, match=r"a\.tif has NaN or infinite values; save"):
        grey_of.f(path, None)


def test_a_mask_saved_in_colours_is_one_if_these_are_greys(own, monkeypatch):
    monkeypatch.syspath_prepend(JUGFILE.parent)
    from vessels_masks import mask_of

    path = own / "labels" / "p0.png"
    drawn = mask_of.f(path, None)
    grey = segkit.open_image(path).read()
    colours = np.stack([grey] * 3 + [np.full_like(grey, 255)], axis=-1)
    segkit.save(path, colours, axes="yxs", overwrite=True)
    np.testing.assert_array_equal(mask_of.f(path, None), drawn)
    colours[..., 1] = 255
    segkit.save(path, colours, axes="yxs", overwrite=True)
    with pytest.raises(ValueError, match="is a picture in colours; save the mask in"):
        mask_of.f(path, None)


def test_a_mask_is_the_brighter_of_two_values_and_no_other_picture(own, monkeypatch):
    monkeypatch.syspath_prepend(JUGFILE.parent)
    from vessels_masks import mask_of

    drawn = mask_of.f(own / "labels" / "p0.png", None)
    assert 0 < drawn.mean() < 0.2
    with pytest.raises(ValueError, match="a mask has two"):
        mask_of.f(own / "images" / "p0.png", None)


@pytest.mark.parametrize(("value", "drawn"), [(0, 0), (1, 1), (255, 1), (3, None)])
def test_a_mask_of_one_value_is_nothing_or_everything_or_told(
    tmp_path, monkeypatch, value, drawn
):
    monkeypatch.syspath_prepend(JUGFILE.parent)
    from vessels_masks import mask_of

    path = segkit.save(tmp_path / "a.png", np.full((8, 9), value, np.uint8))
    if drawn is None:
        with pytest.raises(ValueError, match="holds the value 3 only"):
            mask_of.f(path, None)
    else:
        assert mask_of.f(path, None).mean() == drawn
