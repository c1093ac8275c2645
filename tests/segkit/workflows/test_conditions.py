"""What was done to the wells of a plate is in all tables; wells are compared by it."""

import csv
import statistics
from pathlib import Path

import numpy as np
import pytest
import tifffile

import segkit
from segkit.io import ImageRequestError
from segkit.io.arranged.views import with_names
from segkit.io.plates.fields import Field
from segkit.io.plates.layout_file import read_layout
from segkit.io.plates.opening import plate_of
from segkit.pipeline import Pipeline, PipelineError, binarize, label, load, regionprops
from segkit.workflows import run_plate
from segkit.workflows.plates.plate_jugfile import PlateJugfile, jugfile_of
from taskgraph import open_store

PATTERN = "{well}_s{field}.tif"
STEPS = Pipeline(binarize("otsu"), label(), regionprops(properties=["label", "area"]))
LAYOUT = """Well,treatment,dose,replicate
A1,DMSO,0,1
A02,DMSO,0,2
A3,taxol,0.5,1
A4,taxol,0.5,2
B1,taxol,2,1
"""


def squares(sizes):
    """Return a field with a square of each size."""
    image = np.zeros((24, 12 * len(sizes) + 4), np.uint8)
    for k, size in enumerate(sizes):
        image[3 : 3 + size, 3 + 12 * k : 3 + 12 * k + size] = 200
    return image


@pytest.fixture
def scan(tmp_path):
    """Write four wells, of which one has two fields, and a layout of five."""
    (tmp_path / "scan").mkdir()
    (tmp_path / "plate.csv").write_text(LAYOUT)
    fields = {"A01_s1": [2, 2], "A01_s2": [4], "A02_s1": [3], "A03_s1": [5, 5, 5]}
    for name, sizes in (fields | {"A04_s1": [6]}).items():
        tifffile.imwrite(tmp_path / "scan" / f"{name}.tif", squares(sizes))
    return tmp_path / "scan"


def rows(path):
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def test_conditions_are_in_all_tables_and_wells_are_compared_not_cells(scan):
    out = scan.parent / "out"
    layout = scan.parent / "plate.csv"
    made = run_plate(STEPS, scan, pattern=PATTERN, layout=layout, out=out)
    assert list(made.objects)[:7] == [
        *("well", "row", "column", "treatment", "dose", "replicate", "field")
    ]
    assert made.objects["treatment"].tolist() == ["DMSO"] * 4 + ["taxol"] * 4
    assert made.wells["well"].tolist() == ["A01", "A02", "A03", "A04", "B1"]
    assert made.wells["dose"].tolist() == [0, 0, 0.5, 0.5, 2]
    assert [path.name for path in made.files] == [
        *("scan-objects.csv", "scan-wells.csv", "scan-conditions.csv")
    ]
    found = made.conditions
    assert list(found)[:5] == [
        *("treatment", "dose", "wells", "wells_missing", "wells_without_objects")
    ]
    assert found["treatment"].tolist() == ["DMSO", "taxol", "taxol"]
    assert found["wells"].tolist() == [2, 2, 0]
    assert found["wells_missing"].tolist() == [0, 0, 1]
    means = [statistics.mean([4, 4, 16]), 9]  # of the wells A01 and A02
    assert found["area-mean"][0] == pytest.approx(statistics.mean(means))
    assert found["area-std"][0] == pytest.approx(statistics.stdev(means))
    assert found["area-median"][0] == statistics.median([4, 9])
    assert found["area-mad"][0] == 2.5
    assert found["objects_per_field-mean"].tolist()[:2] == [1.25, 2]
    assert np.isnan(found["area-mean"][2])
    assert [row["area-mean"] for row in rows(made.files[2])] == [
        str(value) for value in found["area-mean"]
    ]
    assert any("lists wells without images: B1" in note for note in made.notes)


def test_another_column_of_the_layout_computes_no_field_anew(scan):
    import taskgraph

    store = str(scan.parent / "store")
    given = {"pattern": PATTERN, "out": scan.parent / "out", "store": store}
    layout = scan.parent / "plate.csv"
    run_plate(STEPS, scan, **given)
    results = taskgraph.open_store(store)
    results.backend.poll()
    before = {*results.backend.keys()}
    run_plate(STEPS, scan, layout=layout, by=["treatment"], **given)
    results.backend.poll()
    new = {results.record(key).name for key in {*results.backend.keys()} - before}
    assert new == {
        f"segkit.workflows.{name}"
        for name in (
            *("join_tables", "per_well", "per_condition", "reserve", "save_table"),
        )
    }


def test_a_folder_for_each_condition_is_a_group_that_is_said(scan):
    for drug in ("no drug", "0.5 µM"):
        (scan / drug).mkdir()
        for well in ("A1", "A2"):
            tifffile.imwrite(scan / drug / f"{well}_s1.tif", squares([3, 4]))
    pattern = "{drug}/{well}_s{field}.tif"
    out = scan.parent / "out"
    made = run_plate(STEPS, scan, pattern=pattern, by="drug", out=out)
    assert made.conditions["drug"].tolist() == ["0.5 µM", "no drug"]
    assert made.conditions["wells"].tolist() == [2, 2]
    assert made.wells["fields"].tolist() == [1, 1, 1, 1]
    with pytest.raises(ImageRequestError, match=r"group \{drug\}; .* say --by drug"):
        run_plate(STEPS, scan, pattern=pattern, out=out)
    with pytest.raises(ImageRequestError, match=r"of no \{well\}, and conditions are"):
        plate_of(scan, "{drug}/A1_s{field}.tif", by=["drug"])
    with pytest.raises(ImageRequestError, match=r"of wells is called \{well\}"):
        plate_of(scan, pattern, by=["drug", "well"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "lists no well"),
        ("well,drug\n", "lists no well"),
        ("wel,drug\nA1,x\n", r"no column well, .* but wel, drug \(did you mean well"),
        (",1,2\nA,x,y\n", "no column well, nor row and column, but 1, 2; give a row"),
        ("well,row\nA1,A\n", "says nothing of its wells"),
        ("well,drug,drug\nA1,x,y\n", "has two columns 'drug'"),
        ("well,objects\nA1,x\n", "has a column 'objects', which is one of the plate's"),
        ("well,area-std\nA1,x\n", "has a column 'area-std', which is one of the plate"),
        ("well,class-a\nA1,x\n", "has a column 'class-a', which is one of the plate's"),
        ("well,drug\nA1,x\nB2,\n", "line 3: B2 has no drug; write one"),
        ("well,drug\nA1,x\nB2\n", "line 3: B2 has no drug; write one"),
        ("well,drug\nA1,x\n,y\n", "line 3: does not say which well it is"),
        ("row,col,drug\nA,1,x\nA,,y\n", "line 3: does not say which well it is"),
        ("well,drug\nA1,x,y\n", "line 2: has a cell below no name"),
        ("well,drug,\nA1,x,y\n", "line 2: has a cell below no name"),
        ("well,drug\nA1,x\nA01,y\n", "line 3: A01 is there twice; list each well once"),
        ("well,drug\nA1,x\nA02,y\n", "does not list A03, A04, of which .*scan has im"),
        ("well,replicate\nA1,1\nA2,1\nA3,1\nA4,2\n", r"only which repetition .*\(rep"),
    ],
)
def test_a_layout_that_does_not_fit_is_a_sentence(scan, text, words):
    path = scan.parent / "plate.csv"
    path.write_text(text)
    with pytest.raises(ImageRequestError, match=words):
        plate_of(scan, PATTERN, path)


def test_a_layout_of_another_kind_is_a_sentence(scan):
    path = scan.parent / "plate.csv"
    path.write_bytes(b"PK\x03\x04\xff\xfe")
    with pytest.raises(ImageRequestError, match="is no text in UTF-8; save the table"):
        read_layout(path)
    for nothing in (scan / "none.csv", scan):
        with pytest.raises(ImageRequestError, match=r"cannot be read \(.*\); give the"):
            read_layout(nothing)
    path.write_text(LAYOUT)
    with pytest.raises(ImageRequestError, match=r"'treatmen' \(did you mean treatment"):
        plate_of(scan, PATTERN, path, by=["treatmen"])
    with pytest.raises(
        ImageRequestError, match=r"nothing called 'drug' to .* but noth"
    ):
        plate_of(scan, PATTERN, by=["drug"])
    with pytest.raises(PipelineError, match="--layout speaks of the wells of a plate"):
        jugfile_of(Path("steps.toml"), ["one.tif"], layout=path)


def test_a_layout_is_read_as_spreadsheets_save_it(tmp_path):
    path = tmp_path / "plate.csv"
    text = "\ufeffROW;Col;Dose;cell line;;\nA;1;0,5;HeLa;;\nB;02;1;007;;\n;;;;;\n"
    path.write_text(text, encoding="utf-8")
    found = read_layout(path)
    assert found.names == ("Dose", "cell line")
    assert found.rows == {"A1": ("A1", (0.5, "HeLa")), "B2": ("B02", (1.0, "007"))}


def test_one_well_for_each_condition_is_told(scan):
    layout = scan.parent / "plate.csv"
    given = {"pattern": PATTERN, "layout": layout, "out": scan.parent / "out"}
    made = run_plate(STEPS, scan, by=["treatment", "dose", "replicate"], **given)
    assert any("each of 5 conditions" in note for note in made.notes)
    assert np.isnan(made.conditions["area-std"]).all()


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("area", ["area"]),
        ("area", None),
        ("centroid-1", None),
        ("intensity_max-0", ["intensity_max"]),
        ("centroid_weighted-0-DAPI", ["centroid_weighted"]),
    ],
)
def test_a_layout_column_called_as_what_is_measured_is_told_before_a_task(
    scan, name, properties
):
    (scan.parent / "plate.csv").write_text(LAYOUT.replace("dose", name))
    steps = Pipeline(binarize("otsu"), label(), regionprops(properties=properties))
    given = {"pattern": PATTERN, "layout": scan.parent / "plate.csv"}
    source = PlateJugfile(Path("s.toml"), [str(scan)], given=steps, **given)
    source.require_usable()
    with pytest.raises(PipelineError, match=f"'{name}' names a column of the wells"):
        source.load(open_store("memory://"))


def test_a_layout_column_called_as_what_is_not_measured_is_taken(scan):
    (scan.parent / "plate.csv").write_text(LAYOUT.replace("dose", "depth"))
    layout, out = scan.parent / "plate.csv", scan.parent / "out"
    made = run_plate(STEPS, scan, pattern=PATTERN, layout=layout, out=out)
    assert "depth" in made.objects


def test_the_words_of_a_run_name_its_layout(scan):
    source = PlateJugfile(
        *(Path("s.toml"), [str(scan)]), pattern=PATTERN, layout=Path("p.csv"), by=("a",)
    )
    assert source.arguments[-4:] == ("--layout", "p.csv", "--by", "a")


def test_frames_that_a_field_lacks_are_missing_not_empty(scan):
    for name, frames in (("A01_s1", 2), ("A01_s2", 1), ("A02_s1", 1)):
        movie = np.stack([squares([4])] * frames)
        segkit.save(scan / f"{name}.tif", movie, axes="tyx", overwrite=True)
    for name in ("A03_s1", "A04_s1"):
        (scan / f"{name}.tif").unlink()
    steps = Pipeline(load(per="t"), *STEPS.steps)
    made = run_plate(steps, scan, pattern=PATTERN, out=scan.parent / "out")
    columns = ("well", "t", "fields", "fields_missing", "objects")
    found = zip(*(made.wells[name].tolist() for name in columns), strict=True)
    assert [*found] == [
        *(("A01", 0, 2, 0, 2), ("A01", 1, 1, 1, 1)),
        *(("A02", 0, 1, 0, 1), ("A02", 1, 0, 1, 0)),
    ]
    assert any("2 of 3 fields have fewer frames" in note for note in made.notes)


def test_channels_of_a_field_are_those_of_its_files_and_of_a_plate_are_told(scan):
    for t, names in enumerate((["DAPI", "GFP"], ["DAPI", "GFP"], ["GFP", "DAPI"])):
        both = np.stack([squares([4])] * 2)
        image = with_names(segkit.io.as_image(both, axes="cyx"), names)
        segkit.save(scan / f"t{t}.ome.tif", image)
    files = tuple(str(scan / f"t{t}.ome.tif") for t in range(3))
    one = Field(("A1",), "A1", files[:2], "t", (2,))
    assert one.open({}).channels == ("DAPI", "GFP")
    assert one.open({"channels": ["a", "b"]}).channels == ("a", "b")
    with pytest.raises(ImageRequestError, match=r"has channels \('GFP', 'DAPI'\), but"):
        Field(("A1",), "A1", files, "t", (3,)).open({})
    steps = Pipeline(binarize("otsu").having(channel="DAPI"), *STEPS.steps[1:])
    pattern = "t{well}.ome.tif"
    made = run_plate(steps, scan, pattern=pattern, out=scan.parent / "out")
    assert any("2 of DAPI, GFP; 1 of GFP, DAPI: a step" in note for note in made.notes)
