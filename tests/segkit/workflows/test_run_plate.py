"""A plate is run by a call as by the command: the same tables, the same tasks."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

import segkit
import taskgraph
from segkit.io import ImageRequestError
from segkit.pipeline import Pipeline, PipelineError, binarize, label, regionprops, save
from segkit.workflows import run_plate

PATTERN = "{well}_s{field}_w{channel}.tif"
STEPS = Pipeline(
    binarize("otsu").having(channel="DAPI"),
    label(),
    regionprops(
        properties=["label", "area", "intensity_mean"], channel=["DAPI", "GFP"]
    ),
)
CHANNELS = ["DAPI", "GFP"]
NAMES = ("B02_s1", "B02_s2", "C10_s1")


@pytest.fixture
def scan(tmp_path):
    """Write three fields of two channels, in two wells."""
    (tmp_path / "scan").mkdir()
    for seed, name in enumerate(NAMES):
        for channel in (1, 2):
            plane = np.random.default_rng(seed).integers(0, 20, (24, 28), np.uint16)
            plane[3:9, 4 : 9 + seed] += 1000 * channel
            tifffile.imwrite(tmp_path / "scan" / f"{name}_w{channel}.tif", plane)
    return tmp_path / "scan"


def rows(path):
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def as_rows(table):
    columns = [[str(value) for value in column.tolist()] for column in table.values()]
    return [dict(zip(table, row, strict=True)) for row in zip(*columns, strict=True)]


def test_the_call_and_the_command_give_the_same_tables_of_the_same_tasks(scan):
    folder = scan.parent
    path = STEPS.save(folder / "cells.toml")
    given = {"pattern": PATTERN, "channels": CHANNELS, "out": folder / "out"}
    made = run_plate(path, scan, **given)
    assert as_rows(made.objects) == rows(folder / "out" / "scan-objects.csv")
    assert as_rows(made.wells) == rows(folder / "out" / "scan-wells.csv")
    assert made.files == tuple(
        folder / "out" / f"scan-{k}.csv" for k in ("objects", "wells")
    )
    assert (made.left_out, made.objects["field"].tolist()) == ({}, [1, 2, 1])
    words = ["--pattern", PATTERN, "--channels", "DAPI,GFP", "-o", str(folder / "out")]
    command = [sys.executable, "-m", "segkit", "run", str(path), str(scan), *words]
    command += ["--dry-run", "--json"]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    stages = json.loads(ran.stdout)
    assert stages
    assert all(stage["done"] == stage["tasks"] for stage in stages)


@pytest.mark.parametrize("workers", [0, 2])
def test_only_what_a_changed_field_touches_is_computed_anew(scan, workers):
    store = str(scan.parent / "store")
    given = {"pattern": PATTERN, "channels": CHANNELS, "out": scan.parent / "out"}

    def run():
        results = taskgraph.open_store(store)
        results.backend.poll()
        before = {*results.backend.keys()}
        made = run_plate(STEPS, scan, store=store, workers=workers, **given)
        results.backend.poll()
        new = {*results.backend.keys()} - before
        return made, [results.record(key).name.rpartition(".")[2] for key in new]

    first, _ = run()
    again, nothing = run()
    assert nothing == []
    assert as_rows(again.objects) == as_rows(first.objects)
    green = scan / "C10_s1_w2.tif"
    tifffile.imwrite(green, tifffile.imread(green) + 1)
    changed, new = run()
    assert "run_whole" not in new
    assert new.count("measure_tile") == 1
    brighter = (
        changed.objects["intensity_mean-GFP"] - first.objects["intensity_mean-GFP"]
    )
    np.testing.assert_allclose(brighter, [0, 0, 1], atol=1e-9)


def test_what_is_broken_is_left_out_and_told(scan):
    given = {"pattern": PATTERN, "channels": CHANNELS, "out": scan.parent / "out"}
    (scan / "B02_s1_w2.tif").unlink()
    damaged = scan / "B02_s2_w1.tif"
    tifffile.imwrite(damaged, np.ones((24, 28), np.uint16), compression="zlib")
    with tifffile.TiffFile(damaged) as tif:
        start, count = tif.pages[0].dataoffsets[0], tif.pages[0].databytecounts[0]
    data = bytearray(damaged.read_bytes())
    data[start : start + count] = os.urandom(count)
    damaged.write_bytes(data)
    made = run_plate(STEPS, scan, **given)
    assert made.objects["well"].tolist() == ["C10"]
    assert made.wells["fields_missing"].tolist() == [2, 0]
    assert {*made.left_out} == {"B02-1", "B02-2"}
    assert "lacks B02_s1_w2.tif" in made.left_out["B02-1"]
    assert "DamagedImageError" in made.left_out["B02-2"]
    for name in NAMES:
        (scan / f"{name}_w1.tif").write_bytes(data)
        (scan / f"{name}_w2.tif").write_bytes(data)
    with pytest.raises(PipelineError, match=r"no field could be computed: .*Damaged"):
        run_plate(STEPS, scan, **given)


def test_a_plate_without_a_table_has_none(scan):
    steps = Pipeline(binarize("otsu").having(channel=0), save("{name}.tif"))
    made = run_plate(steps, scan, pattern=PATTERN, out=scan.parent / "out")
    assert (made.objects, made.wells, made.files) == ({}, {}, ())
    assert any("measures nothing" in note for note in made.notes)
    assert segkit.open_image(scan.parent / "out" / "B02-1.tif").shape == (24, 28)


def test_a_folder_without_a_pattern_is_no_plate(scan):
    with pytest.raises(ImageRequestError, match="is no OME-Zarr plate"):
        run_plate(STEPS, scan, out=scan.parent / "out")


def test_the_files_of_another_plate_are_not_replaced_and_no_field_is_left_out(scan):
    folder = scan.parent
    steps = [*STEPS.steps, save("{name}.csv")]
    path = Pipeline(*steps).save(folder / "cells.toml")
    given = {"pattern": PATTERN, "channels": CHANNELS}
    run_plate(path, scan, out=folder / "out", **given)
    before = (folder / "out" / "B02-1.csv").read_bytes()
    shutil.copytree(scan, folder / "second scan")
    for file in (folder / "second scan").glob("B02_s1_*.tif"):
        file.rename(file.with_name(file.name.replace("B02", "D03")))
    with pytest.raises(FileExistsError, match=r"B02-2\.csv: holds what was made of"):
        run_plate(path, folder / "second scan", out=folder / "out", **given)
    assert (folder / "out" / "B02-1.csv").read_bytes() == before
    made = run_plate(path, folder / "second scan", out=folder / "second", **given)
    assert sorted({*made.objects["well"]}) == ["B02", "C10", "D03"]
    assert made.left_out == {}
