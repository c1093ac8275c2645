"""A pipeline file is data: it runs steps of segkit only, unless it is trusted."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from click.testing import CliRunner

import segkit
from segkit.cli import segkit as command
from segkit.pipeline import Pipeline, PipelineError, florinate, label, save
from segkit.workflows import pipeline_tasks

IMAGE = np.arange(64, dtype=np.uint8).reshape(8, 8)


def pipeline_file(folder, *runs, suffix=".toml"):
    path = folder / f"steps{suffix}"
    steps = "".join(f'\n[[step]]\nrun = "{run}"\n' for run in runs)
    path.write_text(f"format = 1\n{steps}")
    return path


class _Opened:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def hostile_image(folder):
    """Return an image whose bytes are a pickle that makes the file `pwned`."""
    data = pickle.dumps(_Opened(folder / "pwned"))
    image = np.frombuffer(data.ljust(-(-len(data) // 16) * 16, b"."), np.uint8)
    return segkit.save(folder / "image.npy", image.reshape(-1, 16))


def test_a_strangers_pipeline_runs_no_function_of_others(tmp_path):
    path, image = pipeline_file(tmp_path, "pickle:loads"), hostile_image(tmp_path)
    words = r"steps\.toml: step 1 \(pickle:loads\) is no step of segkit .*--trust"
    with pytest.raises(PipelineError, match=words):
        Pipeline.load(path)
    with pytest.raises(PipelineError, match=words):
        pipeline_tasks(path, image)
    arguments = ["run", str(path), str(image), "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(command, [*arguments, "--store", "memory://"])
    assert isinstance(done.exception, PipelineError)
    assert not (tmp_path / "pwned").exists()


def test_not_even_the_module_is_imported(tmp_path, monkeypatch):
    (tmp_path / "trap.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    path = pipeline_file(tmp_path, "ndnt", "trap:anything")
    with pytest.raises(PipelineError, match=r"step 2 \(trap:anything\)"):
        Pipeline.load(path)


@pytest.mark.parametrize(
    "name",
    [
        "checks.sys.exit",
        "io.publishing.os.system",
        "pipeline.steps.importlib.import_module",
        "_lazy.attach",
        "__class__",
        "open_image",
        "Pipeline",
        "label_tile",
    ],
)
@pytest.mark.parametrize("trust", [False, True])
def test_a_bare_name_leads_to_steps_of_segkit_only(tmp_path, name, trust):
    with pytest.raises(PipelineError, match=r"steps\.toml:3: step 1"):
        Pipeline.load(pipeline_file(tmp_path, name), trust=trust)


def test_a_trusted_file_runs_what_it_names(tmp_path):
    shifted = Pipeline(florinate(np.subtract)(255), save("a.npy"))
    for path in (tmp_path / "steps.toml", tmp_path / "steps.json"):
        shifted.save(path)
        with pytest.raises(PipelineError, match=r"step 1 \(numpy:subtract\).*--trust"):
            Pipeline.load(path)
        assert Pipeline.load(path, trust=True) == shifted
        image = str(segkit.save(tmp_path / f"image{path.suffix}.npy", IMAGE))
        store = str(tmp_path / f"store{path.suffix}")
        arguments = ["run", str(path), image, "--store", store, "--trust", "-q"]
        out = tmp_path / f"out{path.suffix}"
        done = CliRunner().invoke(command, [*arguments, "-o", str(out)])
        assert done.exit_code == 0, done.output
        np.testing.assert_array_equal(np.load(out / "a.npy"), IMAGE - np.uint8(255))


def test_a_strangers_pipeline_replaces_no_file_elsewhere(tmp_path):
    mine = tmp_path / "mine.npy"
    np.save(mine, IMAGE)
    steps = Pipeline(label(by_value=True), save(mine, overwrite=True))
    path = steps.save(tmp_path / "steps.toml")
    with pytest.raises(PipelineError, match=r"step 2 \(save\) may replace .*mine\.npy"):
        Pipeline.load(path)
    path.write_text(
        f'format = 1\n[[step]]\nrun = "save"\nwith = {{ path = "{mine}",'
        " overwrite = true }\n"
    )
    with pytest.raises(PipelineError, match=r"step 1 \(save\) may replace"):
        Pipeline.load(path)
    assert pipeline_tasks(path, IMAGE, trust=True).files == (mine,)
    beside = Pipeline(
        label(), save(tmp_path / "new.npy"), save("a.npy", overwrite=True)
    )
    assert Pipeline.load(beside.save(tmp_path / "steps.toml")) == beside
