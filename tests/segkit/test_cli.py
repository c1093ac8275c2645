"""`segkit run` runs a pipeline file, alone or beside others, and says how it went."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import scipy.ndimage

import segkit
from segkit.pipeline import Pipeline
from taskgraph import open_store

PIPELINE = """
format = 1

[[step]]
run = "tile"
with = { shape = [5, 16, 16] }

[[step]]
run = "ndnt"
with = { shape = [6, 16, 16], threshold = 0.2 }

[[step]]
run = "label"

[[step]]
run = "regionprops"

[[step]]
run = "save"
arguments = ["{name}.csv"]
"""
# A function that no tile of the image fits.
FAILING = PIPELINE.replace(
    '[[step]]\nrun = "label"\n',
    '[[step]]\nrun = "numpy:broadcast_to"\nwith = { shape = [2] }\n\n'
    '[[step]]\nrun = "label"\n',
)
SLOW = '''
"""A step of a user."""

import os
import time


def slow(image):
    time.sleep(float(os.environ.get("STEP_SECONDS", "0")))
    return image


slow.reach = 0
'''


def blobs(seed=0):
    noise = np.random.default_rng(seed).normal(size=(20, 60, 70))
    smooth = scipy.ndimage.gaussian_filter(noise, 2)
    return np.uint8(np.clip(150 - 900 * np.maximum(smooth - 0.01, 0), 0, 255))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "cells.toml").write_text(PIPELINE)
    (tmp_path / "mysteps.py").write_text(SLOW)
    segkit.save(tmp_path / "a.tif", blobs(0), axes="zyx")
    segkit.save(tmp_path / "b.tif", blobs(1), axes="zyx")
    return tmp_path


def call(folder, *arguments):
    command = [sys.executable, "-m", "segkit", "run", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return command, {"cwd": folder, "env": environment, "text": True}


def segkit_run(folder, *arguments):
    command, options = call(folder, *arguments)
    return subprocess.run(
        command, check=False, capture_output=True, timeout=100, **options
    )


def tg(folder, *arguments):
    command = [sys.executable, "-c", "from taskgraph.cli import main; main()"]
    return subprocess.run(
        [*command, *arguments],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_run_writes_what_the_pipeline_saves(folder):
    done = segkit_run(
        folder, "cells.toml", "a.tif", "b.tif", "-o", "out", "-j", 2, "--json"
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["failed"] == found["open"] == 0
    assert [Path(name).name for name in found["saved"]] == ["a.csv", "b.csv"]
    for name in ("a", "b"):
        Pipeline.load(folder / "cells.toml").run(folder / f"{name}.tif", out=folder)
        assert (folder / "out" / f"{name}.csv").read_text() == (
            folder / f"{name}.csv"
        ).read_text()


def test_each_run_ends_by_saying_what_was_written_and_where(folder):
    options = ("cells.toml", "a.tif", "b.tif", "-o", "out")
    out = folder / "out"
    where = f"segkit: {out}/a.csv, {out}/b.csv are there"
    for _ in range(2):
        said = segkit_run(folder, *options).stderr
        assert said.splitlines()[-1] == where
        assert not re.search("reserve|save_table", said)  # no functions of its inside
    (folder / "out" / "a.csv").unlink()
    said = segkit_run(folder, *options).stderr.splitlines()
    assert said[0].endswith(f"gone or changed since the last run: {out}/a.csv")
    assert said[-1] == where
    assert (folder / "out" / "a.csv").exists()


def test_json_lists_only_files_that_were_written(folder):
    bad = blobs(2).astype(float)
    bad[3, 4, 5] = np.nan
    segkit.save(folder / "bad.tif", bad, axes="zyx")
    done = segkit_run(folder, "cells.toml", "bad.tif", "a.tif", "-o", "out", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["exit_code"]) == (1, 1)
    assert found["saved"] == [str(folder / "out" / "a.csv")]


def test_a_run_that_saves_nothing_says_so(folder):
    (folder / "kept.toml").write_text(PIPELINE[: PIPELINE.rindex("[[step]]")])
    said = segkit_run(folder, "kept.toml", "a.tif").stderr
    assert 'kept.toml saves nothing; end it with a step as run = "save"' in said


def test_a_second_run_runs_nothing_and_a_dry_one_shows_it(folder):
    options = ("cells.toml", "a.tif", "-o", "out", "--block", 12_000)
    before = segkit_run(folder, *options, "--dry-run", "--json")
    first = segkit_run(folder, *options)
    after = segkit_run(folder, *options, "--dry-run", "--json")
    stages = json.loads(before.stdout)
    assert [stage["kind"] for stage in stages] == ["tiles", "label", "measure", "save"]
    assert all(stage["done"] == 0 < stage["tasks"] for stage in stages)
    assert all(stage["memory"] > 0 for stage in stages[:3])
    assert first.returncode == 0
    assert all(stage["done"] == stage["tasks"] for stage in json.loads(after.stdout))
    text = segkit_run(folder, *options, "--dry-run").stdout
    assert text.splitlines()[0].split() == [
        "image",
        "stage",
        "steps",
        "tasks",
        "done",
        "memory",
    ]


def test_tg_status_shows_the_tasks_of_a_pipeline(folder):
    segkit_run(folder, "cells.toml", "a.tif", "-o", "out")
    done = tg(folder, "status", "cells.toml")
    assert done.returncode == 0, done.stderr
    assert "segkit.workflows.label_tile" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("cells.toml",), "no image"),
        (("cells.toml", "none.tif"), "none.tif"),
        (("none.toml", "a.tif"), "none.toml"),
        (("mysteps.py", "a.tif"), "mysteps.py"),
        (("cells.toml", "a.tif", "./a.tif"), "a.tif and ./a.tif are one image"),
        (("a.tif", "cells.toml"), "it comes before the images"),
        (("cells.toml", "a.tif", "-o", "a.tif/x"), "cannot be made"),
        (("cells.toml", "a.tif", "--tile", "1,x"), "no size"),
        (("cells.toml", "a.tif", "-j", "0"), "-j"),
    ],
)
def test_mistakes_end_in_one_sentence_and_exit_code_2(folder, arguments, message):
    done = segkit_run(folder, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) < 5
    assert not list(folder.glob("*.tgdata"))


def test_of_a_folder_it_is_said_how_its_pictures_are_given_one_by_one(folder):
    (folder / "my shots").mkdir()
    for n in range(3):
        segkit.save(folder / "my shots" / f"{n}.png", np.zeros((8, 9), np.uint8))
    for name in (".DS_Store", "Thumbs.db", "notes.txt"):
        (folder / "my shots" / name).write_bytes(b"no picture")
    whole = PIPELINE.replace("[5, 16, 16]", "4").replace("[6, 16, 16]", "4")
    (folder / "cells.toml").write_text(whole)

    done = segkit_run(folder, "cells.toml", "my shots", "-o", "out")

    assert done.returncode == 2
    told = done.stderr.partition("As one image: step 2 (ndnt): image has 3 axes")
    assert told[1]
    assert "for a result of each picture, give 'my shots'/*.png; if" in told[0]


def test_of_several_images_the_one_that_does_not_fit_is_named(folder):
    np.save(folder / "flat.npy", np.zeros((8, 9), np.uint8))
    done = segkit_run(folder, "cells.toml", "a.tif", "flat.npy", "-o", "out")
    assert done.returncode == 2
    assert "flat.npy: step 1 (tile)" in done.stderr


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"{name}.csv"', '"{name}.xyz"', "step 5 (save): {name}.xyz: suffix '.xyz'"),
        ("[5, 16, 16]", "[20, 20]", "step 1 (tile): tile (20, 20) has 2 numbers"),
        (
            'run = "save"',
            (
                'run = "classify"\narguments = [{ class = "cell", aera = [1, 2] }]\n'
                '[[step]]\nrun = "save"'
            ),
            "step 5 (classify): class 'cell' bounds 'aera' (did you mean area?)",
        ),
    ],
)
def test_a_mistake_in_the_pipeline_ends_it_before_the_first_task(
    folder, old, new, message
):
    (folder / "cells.toml").write_text(PIPELINE.replace(old, new))
    done = segkit_run(folder, "cells.toml", "a.tif", "-o", "out")
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_tile_that_does_not_fit_the_image_ends_in_one_sentence(folder):
    steps = PIPELINE.replace(
        '[[step]]\nrun = "tile"\nwith = { shape = [5, 16, 16] }', ""
    )
    (folder / "cells.toml").write_text(steps)
    done = segkit_run(folder, "cells.toml", "a.tif", "--tile", "20,20")
    assert done.returncode == 2
    assert "tile (20, 20) has 2 numbers, but the image has 3 axes" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_step_that_fails_is_named(folder):
    no_labels = PIPELINE.replace('[[step]]\nrun = "label"\n', "")
    (folder / "cells.toml").write_text(no_labels)
    done = segkit_run(folder, "cells.toml", "a.tif", "-o", "out")
    assert done.returncode == 2
    assert "needs labelled objects" in done.stderr
    (folder / "cells.toml").write_text(PIPELINE.replace("[6, 16, 16]", "[0, 16, 16]"))
    done = segkit_run(folder, "cells.toml", "a.tif", "-o", "out")
    assert done.returncode == 2
    assert "(ndnt): shape is 0 on axis 0, but must be at least 1" in done.stderr
    (folder / "cells.toml").write_text(FAILING)
    done = segkit_run(folder, "cells.toml", "a.tif", "-o", "out")
    assert done.returncode == 2
    assert "cells.toml: step 3 (numpy:broadcast_to) is no step of segkit" in done.stderr
    done = segkit_run(folder, "cells.toml", "a.tif", "-o", "out", "--trust")
    assert done.returncode == 1
    assert "more dimensions than allowed" in done.stderr
    assert "broadcast_to failed" in done.stderr


def test_the_advice_after_a_failure_can_be_followed(folder):
    (folder / "cells.toml").write_text(FAILING)
    for options in ((), ("--store", "other")):
        done = segkit_run(folder, "cells.toml", "a.tif", "--trust", *options)
        commands = re.findall("`(tg [^`]*)`", done.stderr)
        assert [command.split()[1] for command in commands] == ["errors", "retry"]
        for command in commands:
            followed = tg(folder, *command.split()[1:])
            assert "segkit.workflows.run_" in followed.stdout, followed.stderr


def test_what_runs_a_pipeline_again_is_named_as_it_was_typed(folder):
    (folder / "cells.toml").write_text(FAILING)
    options = ("a.tif", "-o", "my out", "--block", "12000", "--trust")
    segkit_run(folder, "cells.toml", *options)
    again = "`segkit run cells.toml a.tif -o 'my out' --block 12000 --trust`"
    assert again in tg(folder, "retry", "cells.toml").stderr
    (folder / "cells.toml").write_text(PIPELINE)
    changed = tg(folder, "check", "cells.toml")
    assert (changed.returncode, again in changed.stderr) == (2, True), changed.stderr


@pytest.mark.parametrize("command", ["execute", "status", "check"])
def test_a_pipeline_that_never_ran_is_run_by_segkit(folder, command):
    done = tg(folder, command, "cells.toml")
    assert "`segkit run cells.toml IMAGE -o out`" in done.stderr
    assert done.returncode == {"execute": 2, "status": 0, "check": 1}[command]
    assert not list(folder.glob("*.tgdata"))


def test_tg_execute_runs_the_same_pipeline_from_a_jugfile(folder):
    (folder / "jugfile.py").write_text(
        "from segkit.workflows import pipeline_tasks\n"
        "pipeline_tasks('cells.toml', 'a.tif', out='two')\n"
    )
    assert segkit_run(folder, "cells.toml", "a.tif", "-o", "one").returncode == 0
    done = tg(folder, "execute", "jugfile.py", "-j", "2", "--store", "cells.tgdata")
    assert done.returncode == 0, done.stderr
    written = [(folder / out / "a.csv").read_bytes() for out in ("one", "two")]
    assert written[0] == written[1]
    records = records_in(folder / "cells.tgdata").values()
    names = [record.name for record in records]
    assert (
        names.count("segkit.workflows.merge_tiles") == 1
    )  # nothing but saving ran twice
    assert names.count("segkit.workflows.save_table") == 2


def killed_in_the_middle(folder, store, arguments, ran):
    """Start a run; kill it and its worker when `ran` tasks are done."""
    command, options = call(folder, *arguments)
    options["env"]["STEP_SECONDS"] = "0.2"
    process = subprocess.Popen(
        command, start_new_session=True, stderr=subprocess.PIPE, **options
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and done_in(folder / store) < ran:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def done_in(store):
    if not (store / "format.json").exists():
        return 0
    backend = open_store(str(store)).backend
    backend.poll()
    return len(backend.keys())


SLOW_STEP = '[[step]]\nrun = "mysteps:slow"\nreach = 0\n'
SAVE_LABELS = '[[step]]\nrun = "save"\narguments = ["labels.zarr"]\n'


@pytest.mark.parametrize(("ran", "jobs"), [(3, 1), (30, 2)])
def test_a_killed_run_goes_on_without_a_finished_tile(folder, ran, jobs):
    pytest.importorskip("zarr")
    label_step = '[[step]]\nrun = "label"'
    text = PIPELINE.replace(label_step, SLOW_STEP + label_step)
    (folder / "cells.toml").write_text(f"{text}\n{SLOW_STEP}\n{SAVE_LABELS}")
    files = ("cells.toml", "a.tif", "-o", "out", "--trust")
    arguments = (*files, "--block", 12_000, "-j", jobs)
    killed_in_the_middle(folder, "cells.tgdata", arguments, ran)
    before = records_in(folder / "cells.tgdata")
    assert (
        sum(record.name == "segkit.workflows.run_tile" for record in before.values())
        > ran / 4
    )
    done = segkit_run(folder, *arguments)
    assert done.returncode == 0, done.stderr
    after = records_in(folder / "cells.tgdata")
    assert len(after) > len(before)
    for key, record in before.items():
        assert (after[key].start, after[key].payload) == (record.start, record.payload)
    expected = segkit.label(segkit.ndnt(blobs(), (6, 16, 16), 0.2))
    stored = segkit.open_image(folder / "out" / "labels.zarr").read()
    np.testing.assert_array_equal(stored, expected)
    rows = (folder / "out" / "a.csv").read_text().splitlines()[1:]
    assert len(rows) == expected.max()


def records_in(store):
    results = open_store(str(store))
    results.backend.poll()
    return dict(results.records(iter(results.backend.keys())))


def test_ranks_started_at_once_share_the_work(folder):
    arguments = ("cells.toml", "a.tif", "-o", "out", "--block", 12_000, "--json")
    command, options = call(folder, *arguments)
    ranks = [
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
        )
        for _ in range(3)
    ]
    ended = [rank.communicate(timeout=100) for rank in ranks]
    assert [rank.returncode for rank in ranks] == [0, 0, 0], ended
    counts = {json.loads(out)["done"] for out, _ in ended}
    assert len(counts) == 1
