"""The example of FLoRIN's documentation: the same files, however it is run."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import segkit

FILE = Path(__file__).parents[1] / "jugfiles" / "florin_example.py"

LOCAL = ("-localhost", "127.0.0.1")


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("florin_example", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_volume(path):
    """Write a volume with some cells and a vessel."""
    rng = np.random.default_rng(0)
    voxels = np.full((20, 96, 80), 200, np.uint8)
    for z, y, x in rng.integers((2, 5, 5), (12, 80, 65), size=(9, 3)):
        voxels[z : z + 6, y : y + 7, x : x + 7] = 60  # 294 voxels, a cell
    voxels[9:12, 40:43, :] = 60  # a vessel
    return str(segkit.save(path, voxels, axes="zyx"))


@pytest.fixture(scope="module")
def volume(tmp_path_factory):
    return write_volume(tmp_path_factory.mktemp("volume") / "volume.tif")


def files(folder):
    """Return what the example has saved in a folder."""
    names = ("segmented.tiff", "labeled.tiff")
    return [segkit.open_image(folder / name, axes="zyx").read() for name in names]


def test_all_ways_of_running_it_make_the_same(example, volume, tmp_path, capsys):
    alone = example.main([volume, "--out", str(tmp_path / "alone"), "--workers", "1"])
    assert "cell" in capsys.readouterr().out
    table = alone.table
    cells = table["class_name"] == "cell"
    assert 0 < cells.sum() < len(cells)
    for name in ("depth", "height", "width"):
        assert (table[name][cells] >= 5).all()
    expected = files(tmp_path / "alone")
    assert expected[1].any()
    ways = "threads", "processes", "run", "ranks"
    threads, processes, tasks, ranks = (tmp_path / name for name in ways)
    example.main([volume, "--out", str(threads), "--workers", "2"])
    options = ["--workers", "2", "--processes"]
    example.main([volume, "--out", str(processes), *options])
    toml = str(tmp_path / "alone" / "florin.toml")
    call = [sys.executable, "-m", "segkit", "run", toml, volume, "-q"]
    mpiexec = Path(sys.executable).with_name("mpiexec")  # of the wheel `mpich`
    for folder, start in (tasks, ()), (ranks, (mpiexec, *LOCAL, "-n", "3")):
        where = ["-o", str(folder), "--store", f"{folder}.tgdata"]
        subprocess.run([*start, *call, *where], check=True)
    for folder in (threads, processes, tasks, ranks):
        for found, one in zip(files(folder), expected, strict=True):
            np.testing.assert_array_equal(found, one)
