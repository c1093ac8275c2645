"""The worked example of a pipeline that submits itself and waits."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import segkit
from segkit.pipeline import Pipeline, label, load, ndnt, save

EXAMPLE = Path(__file__).parents[3] / "jugfiles" / "slurm_pipeline.py"


@pytest.fixture
def example(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    spec = importlib.util.spec_from_file_location("slurm_pipeline", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def steps(threshold):
    found = load(axes="zyx"), ndnt(shape=8, threshold=threshold), label()
    return Pipeline(*found, save("labels.npy"))


def test_it_returns_when_its_jobs_have_done_all(example):
    image = np.random.default_rng(0).integers(0, 255, (10, 30, 40), dtype=np.uint8)
    np.save("cells.npy", image)

    runner = example.SlurmPipeline(steps(0.4), "cells.toml", 2, system="--local")
    runner.run(["cells.npy"], "out")

    whole = segkit.label(segkit.ndnt(image, 8, 0.4))
    np.testing.assert_array_equal(np.load("out/labels.npy"), whole)
    assert Path("cells.tgjobs/1/log.2").exists()


def test_what_fails_or_is_refused_is_raised(example, monkeypatch):
    np.save("cells.npy", np.zeros((2, 3, 4), np.uint8))

    runner = example.SlurmPipeline(steps(0.4), "cells.toml", 0, system="--local")
    with pytest.raises(subprocess.CalledProcessError):
        runner.run(["cells.npy"], "out")
