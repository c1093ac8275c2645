"""`segkit submit`: pipelines in jobs."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import segkit
from segkit.cli import segkit as segkit_command

PIPELINE = """
format = 1

[[step]]
run = "gaussian"

[step.with]
sigma = 1

[[step]]
run = "save"
arguments = ["{name}-smooth.npy"]
"""


@pytest.fixture
def program(tmp_path):
    (tmp_path / "smooth.toml").write_text(PIPELINE)
    for number in range(3):
        image = np.random.default_rng(number).integers(0, 255, (40, 50), "uint8")
        segkit.save(tmp_path / f"{number}.npy", image)

    def run(name, *words, code=0):
        done = subprocess.run(
            [Path(sys.executable).with_name(name), *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done

    return run


def test_a_pipeline_is_run_by_jobs(program, tmp_path):
    images = ("0.npy", "1.npy", "2.npy")
    given = ("--axes", "yx", "-o", "out", "--tile", "32,32")

    said = program("segkit", "submit", "smooth.toml", *images, *given, "-n2", "--local")

    assert "submitted 2 jobs as 1" in said.stderr
    while True:
        listed = program("tg", "jobs", "smooth.toml", "--json").stdout
        if json.loads(listed)[0]["ended"] == 2:
            break
        time.sleep(0.2)
    log = program("tg", "jobs", "smooth.toml", "--log").stdout
    for number in range(3):
        found = np.load(tmp_path / "out" / f"{number}-smooth.npy")
        image = np.load(tmp_path / f"{number}.npy")
        assert np.array_equal(found, segkit.gaussian(image, 1)), log


def test_only_useful_jobs_are_submitted_for_a_pipeline(program, tmp_path):
    given = ("--axes", "yx", "-o", "out", "--local", "--top-up")

    said = program(
        "segkit", "submit", "smooth.toml", "0.npy", *given, "-n9", "--dry-run"
    )
    program("segkit", "run", "smooth.toml", "0.npy", "--axes", "yx", "-o", "out")
    after = program("segkit", "submit", "smooth.toml", "0.npy", *given, "-n9")

    assert "segkit run --out out --axes yx -- smooth.toml 0.npy" in said.stdout
    assert "nothing is submitted: no task is ready" in after.stderr
    assert not (tmp_path / "smooth.tgjobs").exists()


def test_a_pipeline_that_cannot_be_run_is_not_submitted(program, tmp_path):
    (tmp_path / "smooth.toml").write_text(PIPELINE.replace("gaussian", "gausian"))

    said = program("segkit", "submit", "smooth.toml", "0.npy", "--local", code=2).stderr

    assert "gausian" in said
    assert not (tmp_path / "smooth.tgjobs").exists()


def test_commands_that_need_only_the_stored_graph_work_on_a_pipeline(program, tmp_path):
    program("segkit", "run", "smooth.toml", "0.npy", "-o", "out", "-q")

    for command in ("status", "check", "count", "wait", "cleanup"):
        program("tg", command, "smooth.toml")
    (tmp_path / "0.npy").touch()
    for command in ("check", "count", "wait", "cleanup"):
        said = program("tg", command, "smooth.toml", code=2).stderr
        assert "`segkit run smooth.toml 0.npy -o out`" in said
    assert "tg check" not in program("tg", "status", "smooth.toml").stderr


def test_help_says_what_commands_do_in_whole_sentences():
    listed = CliRunner().invoke(segkit_command, ["--help"]).stdout.split("Commands:")[1]
    assert all(line.endswith(".") for line in listed.split("\n") if line)
    assert "..." not in listed
