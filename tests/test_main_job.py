"""The main job, as a reader starts it: by `tg execute jugfiles/nuclei.py`."""

import csv
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import mahotas
import numpy as np
import pytest
import tifffile
from PIL import Image

import segkit
from segkit.methods import classic
from taskgraph import open_store

ROOT = Path(__file__).parents[1]
JUGFILE = ROOT / "jugfiles" / "nuclei.py"
TG = Path(sys.executable).with_name("tg")
METHODS = ["nuclei", "mean", "otsu", "gaussian-mean", "gaussian-otsu", "watershed"]
PICTURE = Path(mahotas.__file__).parent / "demos" / "data" / "nuclear.png"


def start(folder, *words, data=None, **options):
    env = {key: text for key, text in os.environ.items() if key != "SEGKIT_DATA"}
    if data is not None:
        env["SEGKIT_DATA"] = str(data)
    store = str(folder / "store")
    command = [str(TG), "execute", str(JUGFILE), "--store", store, *words]
    return subprocess.Popen(command, cwd=folder, env=env, **options)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Run the job by one worker; return the folder that it ran in."""
    folder = tmp_path_factory.mktemp("job")
    assert start(folder).wait() == 0
    return folder


@pytest.fixture(scope="module")
def done_by_two(tmp_path_factory):
    """Run the job by two workers that were started by hand."""
    folder = tmp_path_factory.mktemp("job")
    assert [worker.wait() for worker in [start(folder), start(folder)]] == [0, 0]
    return folder


def outputs(folder):
    out = folder / "nuclei-out"
    return {p.relative_to(out): p for p in sorted(out.rglob("*")) if p.is_file()}


def small_nuclei(rng):
    """Return a picture of small nuclei of varied size and brightness, and their ids."""
    labels = np.zeros((150, 150), np.uint16)
    for number in range(16):
        centre = np.array(divmod(number, 4)) * 36 + 20 + rng.integers(-3, 4, 2)
        distance = np.hypot(*(np.indices(labels.shape).T - centre).T)
        labels[distance < rng.integers(7, 13)] = number + 1
    bright = np.append(0, rng.integers(60, 150, 16))[labels]
    picture = segkit.gaussian(bright.astype(float), 1) + rng.normal(20, 3, labels.shape)
    return np.clip(picture, 0, 255).astype(np.uint8), labels


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """Run the job on a small picture with a reference; return its folder, and words."""
    folder = tmp_path_factory.mktemp("scored")
    picture, labels = small_nuclei(np.random.default_rng(5))
    for name, pixels in (("images", picture), ("references", labels)):
        (folder / name).mkdir()
        segkit.save(folder / name / "cells.tif", pixels)
    return folder, spoken(folder)


def test_the_pipeline_for_planes_gives_labels_and_a_table_of_them(tmp_path):
    picture, _ = small_nuclei(np.random.default_rng(5))
    segkit.save(tmp_path / "cells.png", picture)
    path = ROOT / "jugfiles" / "planes.toml"
    shown = (ROOT / "docs/pipelines.md").read_text().partition("```toml\n")[2]
    assert tomllib.loads(shown.partition("```")[0]) == tomllib.loads(path.read_text())
    steps = segkit.Pipeline.load(path)
    steps.run(tmp_path / "cells.png", out=tmp_path)
    labels = tifffile.imread(tmp_path / "cells-labels.tif")
    np.testing.assert_array_equal(labels, segkit.segment_nuclei(picture))
    with (tmp_path / "cells-objects.csv").open() as file:
        rows = list(csv.DictReader(file))
    counts = np.bincount(labels.ravel())[1:]
    assert [int(row["count"]) for row in rows] == counts.tolist()
    bright = np.bincount(labels.ravel(), picture.ravel())[1:] / counts
    np.testing.assert_allclose([float(row["intensity_mean"]) for row in rows], bright)


def test_the_pipeline_for_planes_takes_colours_when_its_remark_is_a_step(tmp_path):
    picture, _ = small_nuclei(np.random.default_rng(5))
    segkit.save_png(tmp_path / "cells.png", np.stack([picture] * 3, axis=-1))
    kept = (ROOT / "jugfiles" / "planes.toml").read_text()
    path = tmp_path / "planes.toml"
    path.write_text(
        re.sub(r"^# (?=\[\[step|run = |with = )", "", kept, flags=re.MULTILINE)
    )
    segkit.Pipeline.load(path).run(tmp_path / "cells.png", out=tmp_path)
    labels = tifffile.imread(tmp_path / "cells-labels.tif")
    np.testing.assert_array_equal(labels, segkit.segment_nuclei(picture))


def spoken(folder):
    job = start(
        folder, data=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    words, _ = job.communicate()
    assert job.returncode == 0, words
    return words


def test_each_run_ends_by_saying_where_everything_is(scored):
    folder, words = scored
    out = folder / "nuclei-out"
    assert f"tg: save_all: 18 files are in {out}/cells/\n" in words
    assert f"{out}/summary.txt, {out}/scores.csv are there\n" in words
    assert spoken(folder).splitlines()[-2:] == words.splitlines()[-2:]


def test_the_summary_says_what_is_better_and_what_scores_mean(scored):
    folder, words = scored
    summary = (folder / "nuclei-out" / "summary.txt").read_text()
    assert "Warning" not in words
    with (folder / "nuclei-out" / "scores.csv").open() as file:
        names = next(csv.reader(file))[2:]
    for name in names:
        row = next(row for row in summary.splitlines() if row.startswith(f"{name} "))
        assert row.split()[1] in ("high", "low")
        lines = summary.partition("\n\n")[2].partition("\n\n")[2].splitlines()
        explained = (f"{name} ", f"{name.removeprefix('published_')} ")
        assert any(line.startswith(explained) for line in lines)


def test_small_nuclei_of_varied_size_are_found(scored):
    with (scored[0] / "nuclei-out" / "scores.csv").open() as file:
        f1 = {row["method"]: float(row["f1_50"]) for row in csv.DictReader(file)}
    assert f1["nuclei"] > 0.9
    assert min(f1["mean"], f1["otsu"]) > 0.8


def test_files_that_were_removed_come_back(scored):
    folder, _ = scored
    before = {name: path.read_bytes() for name, path in outputs(folder).items()}
    for name in ("cells/otsu.csv", "cells/nuclei.png", "summary.txt"):
        (folder / "nuclei-out" / name).unlink()
    assert "3 files that tasks wrote are gone or changed" in spoken(folder)
    after = {name: path.read_bytes() for name, path in outputs(folder).items()}
    assert after == before


def test_another_picture_in_the_same_file_is_noticed(scored, tmp_path):
    shutil.copytree(scored[0], tmp_path, dirs_exist_ok=True)
    picture, _ = small_nuclei(np.random.default_rng(6))
    segkit.save(tmp_path / "images" / "cells.tif", picture, overwrite=True)
    spoken(tmp_path)
    labels = tifffile.imread(tmp_path / "nuclei-out" / "cells" / "nuclei.tif")
    np.testing.assert_array_equal(labels, segkit.segment_nuclei(picture))


def test_it_leaves_labels_tables_and_overlays(done):
    names = [
        Path("nuclear", m + end) for m in METHODS for end in (".csv", ".png", ".tif")
    ]
    assert list(outputs(done)) == sorted(names)


@pytest.mark.parametrize("method", METHODS)
def test_the_table_has_the_objects_of_the_labels(done, method):
    stem = done / "nuclei-out" / "nuclear" / method
    labels = tifffile.imread(stem.with_suffix(".tif"))
    with stem.with_suffix(".csv").open() as file:
        rows = list(csv.DictReader(file))
    sizes = np.bincount(labels.ravel())[1:]
    assert [int(row["count"]) for row in rows] == sizes.tolist()
    assert rows


@pytest.mark.parametrize("method", ["mean", "otsu"])
def test_tiles_give_the_published_methods_of_the_whole_picture(done, method):
    image = segkit.open_image(PICTURE, channel=0).read()
    whole = getattr(classic, method)(image)
    path = done / "nuclei-out" / "nuclear" / f"{method}.tif"
    np.testing.assert_array_equal(tifffile.imread(path), whole)


def test_tiles_give_what_the_whole_picture_gives(done):
    image = segkit.open_image(PICTURE, channel=0).read()
    smooth = segkit.gaussian(image, 2)
    whole = segkit.label(smooth > smooth.mean(dtype=float))
    path = done / "nuclei-out" / "nuclear" / "gaussian-mean.tif"
    np.testing.assert_array_equal(tifffile.imread(path), whole)


def test_two_workers_give_the_same_bytes_as_one(done, done_by_two):
    one, two = outputs(done), outputs(done_by_two)
    assert one.keys() == two.keys()
    assert all(one[name].read_bytes() == two[name].read_bytes() for name in one)


def test_two_workers_store_the_same_results_as_one(done, done_by_two):
    stores = [open_store(folder / "store") for folder in (done, done_by_two)]
    for store in stores:
        store.backend.poll()
    assert set(stores[0].backend.keys()) == set(stores[1].backend.keys())


def test_a_second_run_runs_nothing(done):
    store = open_store(done / "store")
    before = [change for change in store.backend.poll() if change.results]
    assert start(done).wait() == 0
    assert before
    assert not any(change.results for change in store.backend.poll())


def said(folder, *words, **options):
    """Return what a run that must fail says, having checked that it did nothing."""
    job = start(folder, *words, stderr=subprocess.PIPE, text=True, **options)
    _, errors = job.communicate()
    assert job.returncode not in (0, None)
    assert "Traceback" not in errors
    assert not (folder / "nuclei-out").exists()
    return errors


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("by_word", [False, True])
def test_a_folder_without_pictures_is_not_taken_for_none_given(
    tmp_path, there, by_word
):
    data = tmp_path / "data"
    if there:
        data.mkdir()
    words = ["--", str(data)] if by_word else []
    errors = said(tmp_path, *words, data=None if by_word else data)
    name = str(data) if by_word else f"SEGKIT_DATA={data}"
    assert f"{name} has no folder images/ with pictures" in errors


def test_two_pictures_of_one_name_are_refused(tmp_path):
    (tmp_path / "images").mkdir()
    for name in ("a.png", "a.tif"):
        segkit.save(tmp_path / "images" / name, np.zeros((4, 4), np.uint8))
    assert "a.tif and a.png have one name" in said(tmp_path, data=tmp_path)


def test_references_of_other_names_are_told(tmp_path):
    for name in ("images/a.png", "references/b.png"):
        (tmp_path / name).parent.mkdir()
        segkit.save(tmp_path / name, np.zeros((4, 4), np.uint8))
    assert "references is one of those in images/" in said(tmp_path, data=tmp_path)


def test_references_that_jpeg_has_changed_are_refused(tmp_path):
    for name in ("images/a.png", "references/a.jpg"):
        (tmp_path / name).parent.mkdir()
    segkit.save(tmp_path / "images" / "a.png", np.zeros((4, 4), np.uint8))
    Image.new("L", (4, 4)).save(tmp_path / "references" / "a.jpg")
    assert "a.jpg: JPEG changes the ids" in said(tmp_path, data=tmp_path)


def test_of_a_mask_drawn_by_hand_each_piece_is_an_object(tmp_path):
    picture, labels = small_nuclei(np.random.default_rng(5))
    for folder in ("images", "references"):
        (tmp_path / folder).mkdir()
    segkit.save(tmp_path / "images" / "a.tif", picture)
    mask = np.uint8(labels > 0) * np.uint8(255)
    segkit.save_png(tmp_path / "references" / "a.png", mask)
    job = start(tmp_path, "--name", "load_reference", data=tmp_path)
    assert job.wait() == 0
    command = ["value", str(JUGFILE), "--store", "store", "load_reference"]
    env = {**os.environ, "SEGKIT_DATA": str(tmp_path)}
    command = [str(TG), *command, "-o", "drawn.npy"]
    subprocess.run(command, check=True, cwd=tmp_path, env=env)
    np.testing.assert_array_equal(np.load(tmp_path / "drawn.npy"), segkit.label(mask))


def test_what_a_system_keeps_in_a_folder_is_no_picture(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / ".DS_Store").write_text("views")
    assert "images is empty; put pictures there" in said(tmp_path, data=tmp_path)
