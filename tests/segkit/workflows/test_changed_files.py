"""Of an image in several files all are looked at, whatever comes of each."""

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tifffile

import segkit
import taskgraph
from segkit.workflows import ImageChangedError
from segkit.workflows.plates.plate_jugfile import PlateJugfile

STEPS = """
format = 1

[[step]]
run = "binarize"
with = { method = "otsu" }

[[step]]
run = "label"

[[step]]
run = "regionprops"
with = { properties = ["label", "area", "intensity_mean"] }
"""
CHANNELS = STEPS.replace('"otsu" }', '"otsu" }\nchannel = "1"').replace(
    '"intensity_mean"] }', '"intensity_mean"] }\nchannel = ["1", "2"]'
)


def plane(seed):
    """Return a plane with a square that is brighter the higher its number."""
    image = np.random.default_rng(seed).integers(0, 20, (24, 28), np.uint16)
    image[4:12, 5:15] += 1000 + seed
    return image


def plate(folder, steps, pattern, **given):
    (folder / "steps.toml").write_text(steps)
    path, scan = folder / "steps.toml", str(folder / "scan")
    return PlateJugfile(path, [scan], out=folder / "out", pattern=pattern, **given)


@pytest.mark.parametrize("known_by", ["stamp", "content"])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_every_file_of_a_field_is_looked_at(tmp_path, known_by, number):
    names = [f"B02_z{number}.tif" for number in range(3)]
    (tmp_path / "scan").mkdir()
    for place, name in enumerate(names):
        tifffile.imwrite(tmp_path / "scan" / name, plane(place))
    source = plate(tmp_path, STEPS, "{well}_z{z}.tif", known_by=known_by)
    loaded = source.load(taskgraph.open_store(str(tmp_path / "store")))
    noted = {Path(path).name for path in loaded.inputs}
    assert noted >= {*names}  # what `tg status` looks at
    image = source.outputs[0].source
    image.read(segkit.tiling.Box((0, 0, 0), (1, 2, 2)))
    os.utime(tmp_path / "scan" / names[number], ns=(5, 5))
    with pytest.raises(ImageChangedError, match=f"{names[number]}: was changed"):
        image.read(segkit.tiling.Box((0, 0, 0), (1, 2, 2)))


def test_a_changed_channel_runs_what_is_made_of_it_and_nothing_else(tmp_path):
    (tmp_path / "scan").mkdir()
    for number, place in enumerate(("B02_w1", "B02_w2", "C10_w1", "C10_w2")):
        tifffile.imwrite(tmp_path / "scan" / f"{place}.tif", plane(number))

    def ran():
        results = taskgraph.open_store(str(tmp_path / "store"))
        loaded = plate(tmp_path, CHANNELS, "{well}_w{channel}.tif").load(results)
        before = {*results.backend.keys()}
        taskgraph.run(list(loaded.graph.tasks), store=results, workers=0)
        made = {*results.backend.keys()} - before
        return Counter(results.record(key).name.rpartition(".")[2] for key in made)

    ran()
    assert not ran()
    nuclei = tmp_path / "scan" / "C10_w1.tif"
    tifffile.imwrite(nuclei, tifffile.imread(nuclei)[::-1])
    both = ran()
    assert both["run_whole"] == 1  # those of this field, of two
    green = tmp_path / "scan" / "C10_w2.tif"
    tifffile.imwrite(green, tifffile.imread(green)[::-1])
    one = ran()
    assert "run_whole" not in one
    assert (both["measure_tile"], one["measure_tile"]) == (2, 1)  # of each channel
    assert one["save_objects"] == both["save_objects"]
