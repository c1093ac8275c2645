"""A plate is run by one command; what is broken is told, and the others go on."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile

import segkit
import taskgraph
from segkit.io import ImageRequestError, SpacingWarning
from segkit.io.plates.file_names import fields_by_names
from segkit.io.plates.opening import plate_of
from segkit.pipeline import Pipeline, PipelineError
from segkit.workflows.plan_report import planned
from segkit.workflows.plates.plate_jugfile import PlateJugfile, jugfile_of

PATTERN = "{well}_s{field}_w{channel}.tif"
STEPS = """
format = 1

[[step]]
run = "binarize"
with = { method = "otsu" }
channel = "DAPI"

[[step]]
run = "label"

[[step]]
run = "regionprops"
channel = ["DAPI", "GFP"]
with = { properties = ["label", "area", "intensity_mean"] }

[[step]]
run = "save"
arguments = ["{name}.npy"]
"""
LOADED = STEPS.replace(
    "format = 1\n",
    'format = 1\n\n[[step]]\nrun = "load"\nwith = { channels = ["DAPI", "GFP"] }\n',
)


def field(seed, shape=(24, 28)):
    """Return two channels of a field, with as many squares as its number says."""
    image = np.random.default_rng(seed).integers(0, 20, (2, *shape), np.uint16)
    for k in range(1 + seed % 3):
        image[0, 3 + 7 * k : 7 + 7 * k, 4:9] += 1000
        image[1, 3 + 7 * k : 7 + 7 * k, 4:9] += 100 * (seed + 1)
    return image


@pytest.fixture
def folder(tmp_path):
    """Make a folder of two wells with two fields each, and the pipelines."""
    (tmp_path / "steps.toml").write_text(STEPS)
    (tmp_path / "loaded.toml").write_text(LOADED)
    (tmp_path / "scan").mkdir()
    for number, place in enumerate(("B02_s1", "B02_s2", "C10_s1", "C10_s2")):
        for channel, plane in enumerate(field(number), start=1):
            tifffile.imwrite(tmp_path / "scan" / f"{place}_w{channel}.tif", plane)
    return tmp_path


def ome_zarr(path, *, wells=("B/2", "C/10"), frames=0, spacing=0.5):
    """Write a plate of OME-Zarr, by hand."""
    zarr = pytest.importorskip("zarr")
    root = zarr.open_group(path, mode="w", zarr_format=2)
    listed = [{"path": well, "rowIndex": 0, "columnIndex": 0} for well in wells]
    root.attrs["plate"] = {"version": "0.4", "wells": listed}
    axes = "tcyx" if frames else "cyx"
    units = {"y": {"unit": "micrometer"}, "x": {"unit": "micrometer"}}
    for number, (well, name) in enumerate((w, f) for w in wells for f in "01"):
        group = root.require_group(well)
        group.attrs["well"] = {"images": [{"path": "0"}, {"path": "1"}]}
        image = group.require_group(name)
        data = field(number)
        if frames:
            data = np.stack([field(number + t) for t in range(frames)])
        image.create_array("0", data=data, chunks=data.shape)
        scale = [1.0] * (data.ndim - 2) + [spacing] * 2
        image.attrs["multiscales"] = [
            {
                "version": "0.4",
                "axes": [{"name": n, **units.get(n, {})} for n in axes],
                "datasets": [
                    {
                        "path": "0",
                        "coordinateTransformations": [
                            {"type": "scale", "scale": scale}
                        ],
                    }
                ],
            }
        ]
        labels = [{"label": "DAPI"}, {"label": "GFP"}]
        image.attrs["omero"] = {"channels": labels}
    return path


def run(source, store):
    """Run a plate; return what failed, with its tables made without it."""
    source.require_usable()
    results = taskgraph.open_store(str(store))
    loaded = source.load(results)
    report = taskgraph.run(
        list(loaded.graph.tasks), store=results, workers=0, check=False
    )
    if source.incomplete(report):
        loaded = source.load(results)
        report = taskgraph.run(
            list(loaded.graph.tasks), store=results, workers=0, check=False
        )
    return report


def rows(path):
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def by_pattern(folder, steps="loaded.toml", **given):
    return PlateJugfile(
        folder / steps,
        [str(folder / "scan")],
        out=folder / "out",
        pattern=PATTERN,
        **given,
    )


def test_a_folder_and_a_plate_of_the_same_fields_give_the_same_tables(folder):
    ome_zarr(folder / "plate.zarr", spacing=1.0)
    plate = [str(folder / "plate.zarr")]
    assert isinstance(jugfile_of(folder / "steps.toml", plate), PlateJugfile)
    first = PlateJugfile(folder / "steps.toml", plate, out=folder / "zarr")
    assert not run(first, folder / "store").failed
    assert not run(by_pattern(folder), folder / "store2").failed
    one, other = (
        rows(folder / file)
        for file in ("zarr/plate-objects.csv", "out/scan-objects.csv")
    )
    assert [row["well"] for row in one] == ["B2"] * 3 + ["C10"] * 4
    assert [row["well"] for row in other] == ["B02"] * 3 + ["C10"] * 4
    for a, b in zip(one, other, strict=True):
        assert (a["row"], a["column"]) == (b["row"], b["column"])
        assert int(a["field"]) + 1 == int(b["field"])
        names = ("label", "area", "intensity_mean-DAPI", "intensity_mean-GFP")
        assert [a[name] for name in names] == [b[name] for name in names]
    wells = rows(folder / "out" / "scan-wells.csv")
    assert [row["objects"] for row in wells] == ["3", "4"]
    assert [row["fields"] for row in wells] == ["2", "2"]
    areas = [float(row["area"]) for row in other[:3]]
    assert float(wells[0]["area-mean"]) == pytest.approx(np.mean(areas))


def test_each_field_is_as_if_it_were_run_alone(folder):
    run(by_pattern(folder), folder / "store")
    alone = Pipeline.load(folder / "steps.toml")
    for number, place in enumerate(("B02-1", "B02-2", "C10-1", "C10-2")):
        image = segkit.io.as_image(field(number), axes="cyx")
        segkit.save(folder / "one.tif", image, overwrite=True)
        given = segkit.open_image(folder / "one.tif", channels=["DAPI", "GFP"])
        found = alone.run(given, out=folder / "alone", overwrite=True)
        labels = np.load(folder / "out" / f"{place}.npy")
        np.testing.assert_array_equal(labels, found.labels)


def test_a_changed_field_or_step_runs_what_it_touches(folder):
    def keys():
        results = taskgraph.open_store(str(folder / "store"), create=False)
        results.backend.poll()
        names = [results.record(key).name for key in set(results.backend.keys())]
        return {name: names.count(name) for name in {*names}}

    run(by_pattern(folder), folder / "store")
    first = keys()
    run(by_pattern(folder), folder / "store")
    assert keys() == first
    green = folder / "scan" / "B02_s1_w2.tif"
    tifffile.imwrite(green, tifffile.imread(green) + 1)
    run(by_pattern(folder), folder / "store")
    more = {name: n - first[name] for name, n in keys().items() if n > first[name]}
    assert "segkit.workflows.run_whole" not in more  # nothing is segmented anew
    assert more["segkit.workflows.measure_tile"] == 1
    assert more["segkit.workflows.per_well"] == 1


def test_frames_of_a_plate_are_rows_of_its_tables(folder):
    ome_zarr(folder / "movie.zarr", frames=2)
    text = STEPS.replace("format = 1", 'format = 1\nper = "t"').replace(".npy", ".tif")
    (folder / "steps.toml").write_text(text)
    source = jugfile_of(
        folder / "steps.toml", [str(folder / "movie.zarr")], out=folder / "out"
    )
    run(source, folder / "store")
    found = rows(folder / "out" / "movie-wells.csv")
    assert [(row["well"], row["t"], row["objects"]) for row in found] == [
        *(("B2", "0", "3"), ("B2", "1", "5"), ("C10", "0", "4"), ("C10", "1", "3"))
    ]
    assert {row["unit"] for row in found} == {"micrometer"}
    labels = segkit.open_image(folder / "out" / "B2-0.tif")
    assert (labels.axes, labels.shape) == ("tyx", (2, 24, 28))


def test_what_is_broken_is_told_and_the_others_go_on(folder):
    plate = ome_zarr(folder / "plate.zarr", wells=("B/2", "C/10", "D/1"))
    shutil.rmtree(plate / "B" / "2" / "1")  # a field that the well names
    shutil.rmtree(plate / "D" / "1")  # a well that the plate names
    (plate / "C/10/0/.zattrs").write_text("{")
    chunk = next(path for path in (plate / "C/10/1/0").iterdir() if path.name[0] != ".")
    chunk.write_bytes(chunk.read_bytes()[:40])  # seen when it is read
    source = jugfile_of(folder / "steps.toml", [str(plate)], out=folder / "out")
    report = run(source, folder / "store")
    assert {*source.refused} == {"B2-1", "C10-0", "D1"}
    assert "3 of 5 fields cannot be taken; left out: " in source.notes()[0]
    assert "B2-1: " in source.notes()[0]
    assert report.failed == 1
    assert source.left_out == {"C10-1"}
    found = rows(folder / "out" / "plate-wells.csv")
    assert [(r["well"], r["fields"], r["fields_missing"]) for r in found] == [
        *(("B2", "1", "1"), ("C10", "0", "2"), ("D1", "0", "1"))
    ]
    assert len(rows(folder / "out" / "plate-objects.csv")) == 1
    assert found[1]["area-mean"] == "nan"
    again = ome_zarr(folder / "whole.zarr", wells=("B/2", "C/10", "D/1"))
    shutil.rmtree(plate)
    again.rename(plate)
    source = jugfile_of(folder / "steps.toml", [str(plate)], out=folder / "out")
    assert not run(source, folder / "store").failed
    found = rows(folder / "out" / "plate-wells.csv")
    assert [row["fields"] for row in found] == ["2", "2", "2"]


def test_missing_files_are_named_and_their_field_is_left_out(folder):
    (folder / "scan" / "C10_s2_w1.tif").unlink()
    small = field(1, (20, 20))[1]
    tifffile.imwrite(folder / "scan" / "B02_s2_w2.tif", small)
    (folder / "scan" / "notes.txt").touch()
    source = by_pattern(folder)
    run(source, folder / "store")
    assert "lacks C10_s2_w1.tif" in source.refused["C10-2"]
    assert "B02_s2_w2.tif: has shape (20, 20), but" in source.refused["B02-2"]
    assert any("not named by the pattern" in note for note in source.notes())
    wells = rows(folder / "out" / "scan-wells.csv")
    assert [row["fields_missing"] for row in wells] == ["1", "1"]


def test_colours_where_file_names_tell_channels_are_refused_as_such(folder):
    for path in folder.glob("scan/C10_s2_w*.tif"):
        plane = tifffile.imread(path).astype(np.uint8)
        segkit.save(path, np.dstack([plane] * 3), axes="yxs", overwrite=True)
    found = fields_by_names(folder / "scan", PATTERN).fields[-1]
    for options in ({}, {"channel": 0}, {"channels": ("DAPI", "GFP")}):
        with pytest.raises(ImageRequestError, match=r"_w1.tif: is a colour picture, w"):
            found.open(options)
    assert found.open({"to_grey": True, "channel": 0}).axes == "yx"


def test_fields_are_measured_in_one_unit_or_left_out(folder):
    plate = ome_zarr(folder / "plate.zarr")
    for place, unit in (("B/2/1", "nanometer"), ("C/10/1", None)):
        file = plate / place / ".zattrs"
        metadata = json.loads(file.read_text())
        (image,) = metadata["multiscales"]
        scale = image["datasets"][0]["coordinateTransformations"][0]["scale"]
        scale[1:] = [500.0, 500.0] if unit else [1.0, 1.0]
        image["axes"][1:] = [
            {"name": n, **({"unit": unit} if unit else {})} for n in "yx"
        ]
        file.write_text(json.dumps(metadata))
    source = jugfile_of(folder / "steps.toml", [str(plate)], out=folder / "out")
    run(source, folder / "store")
    assert (
        "has no spacing, so it cannot be measured in micrometer"
        in (source.refused["C10-1"])
    )
    areas = {row["area"] for row in rows(folder / "out" / "plate-objects.csv")}
    assert areas == {"5.0"}


def test_fields_of_other_types_are_told_and_of_other_axes_refused(folder):
    for channel in "12":
        file = folder / "scan" / f"B02_s2_w{channel}.tif"
        tifffile.imwrite(file, tifffile.imread(file).astype(np.float32))
        deep = np.zeros((3, 24, 28), np.uint16)
        file = folder / "scan" / f"C10_s2_w{channel}.tif"
        segkit.save(file, deep, axes="zyx", overwrite=True)
    source = by_pattern(folder)
    source.load(taskgraph.open_store("memory://"))
    assert "fields have voxels of several types" in source.notes()[-1]
    assert "has axes 'zyx', and the fields before it 'yx'" in source.refused["C10-2"]


def test_a_dry_run_shows_the_stages_of_all_fields(folder):
    found = planned(by_pattern(folder), None)
    assert {stage.image for stage in found} == {"4 fields", "all"}
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("names", "pattern", "words"),
    [
        (["A1.tif"], "{wel}.tif", r"group \{wel\} \(did you mean well\?\)"),
        (["A1.tif"], "{t}.tif", "neither {well} nor {field}"),
        (["A1.tif"], "{well}{well}.tif", r"has \{well\} twice"),
        (["A1.tif"], "{well}_{row}.tif", "and row or column, too"),
        (["A1.tif"], "{well}_s{field}.tif", "no file that is named .*; it has A1.tif"),
        ([], "{well}.tif", "and no file at all"),
        (["A0112.tif"], "{well}{field}.tif", "read in two ways .* put text between"),
        (["A1.tif", "A01.tif"], "{well}.tif", "says well 'A1', and A01.tif says 'A01'"),
        (
            ["A1_a.tif", "A1_b.tif"],
            "{well}_*.tif",
            "is the same part .* as A1_a",
        ),
    ],
)
def test_a_pattern_that_does_not_say_which_file_is_which_is_refused(
    tmp_path, names, pattern, words
):
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(ImageRequestError, match=words):
        fields_by_names(tmp_path, pattern)


def test_files_in_folders_and_of_frames_and_planes_make_one_image(tmp_path):
    for place in ("r02c03", "r02c04"):
        (tmp_path / place).mkdir()
        for t in (9, 10):
            for z in (1, 2):
                plane = np.full((4, 5), 10 * t + z, np.uint8)
                tifffile.imwrite(tmp_path / place / f"f1t{t}z{z}-x{t}.tif", plane)
    found = fields_by_names(tmp_path, "r{row}c{column}/f{field}t{t}z{z}-*.tif")
    assert found.names == ("well", "row", "column", "field")
    assert [one.place for one in found.fields] == [
        ("0203", "02", 3, 1),
        ("0204", "02", 4, 1),
    ]
    image = found.fields[0].open({})
    assert (image.axes, image.shape) == ("tzyx", (2, 2, 4, 5))
    assert image.read()[:, :, 0, 0].tolist() == [[91, 92], [101, 102]]
    one = image.select(t=1, z=0)
    assert one.path.endswith("f1t10z1-x10.tif")
    assert one.files == ()


def test_wells_without_images_are_told_and_have_a_row(folder):
    plate = ome_zarr(folder / "plate.zarr", wells=("B/2", "C/10"))
    file = plate / "C" / "10" / ".zattrs"
    file.write_text(json.dumps({"well": {"images": []}}))
    found = plate_of(plate)
    assert "wells without images: C10" in found.notes[0]
    source = jugfile_of(folder / "steps.toml", [str(plate)], out=folder / "out")
    run(source, folder / "store")
    wells = rows(folder / "out" / "plate-wells.csv")
    assert [(row["fields"], row["objects"]) for row in wells] == [
        ("2", "3"),
        ("0", "0"),
    ]


def test_a_plate_is_run_over_by_itself(folder):
    with pytest.raises(PipelineError, match="2 images are given, and a folder of"):
        jugfile_of(folder / "steps.toml", ["a", "b"], pattern=PATTERN)
    (folder / "steps.toml").write_text(STEPS.replace("{name}.npy", "scan-wells.csv"))
    with pytest.raises(PipelineError, match="would be written twice"):
        by_pattern(folder, "steps.toml").require_usable()
    (folder / "none").mkdir()
    with pytest.raises(ImageRequestError, match="is no OME-Zarr plate; of a folder"):
        plate_of(folder / "none")


def test_a_step_that_cannot_be_is_told_once_of_all_fields_that_state_it(folder):
    for file in (folder / "scan").glob("*_w1.tif"):
        known = {"axes": "YX", "spacing": [0, 0], "units": ["um", "um"]}
        tifffile.imwrite(file, tifffile.imread(file), metadata=known)
    with pytest.warns(
        SpacingWarning, match="states a step of 0 micrometer along"
    ) as told:
        by_pattern(folder).load(taskgraph.open_store("memory://"))
    (message,) = {str(one.message) for one in told}
    assert "(4 images): states" in message
