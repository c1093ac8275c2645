"""A pipeline has one spacing and one unit, whoever says them."""

from __future__ import annotations

import csv

import numpy as np
import pytest

import segkit
import taskgraph
from segkit.io import as_image
from segkit.pipeline import (
    Pipeline,
    PipelineError,
    bounds_classifier,
    classify,
    keep_within,
    label,
    load,
    random_walker,
    regionprops,
    save,
    segment_cells,
    segment_nuclei,
    slic,
)
from segkit.workflows import pipeline_tasks
from segkit.workflows.pipeline_jugfile import PipelineJugfile
from taskgraph import open_store

VOLUME = np.zeros((6, 30, 30), np.uint8)
VOLUME[1:4, 4:12, 4:12] = VOLUME[2:5, 16:26, 16:26] = 200
MASK = VOLUME > 0
SPACING = (4.0, 1.0, 1.0)
OBJECTS = (label(), regionprops())
BOUNDS = (
    classify(bounds_classifier("cell", area=(1, 2))),
    classify(bounds_classifier("cell", **{"centroid-0": (1, 2)})),
    classify(bounds_classifier("cell", axis_major_length=(1, 2))),
)


def options_of(pipeline, image):
    """Return the spacing of each step in a plan; None if it has none of its own."""
    stages = pipeline.plan(image)
    steps = [step for stage in stages for step in stage.steps]
    return [step.keywords.get("spacing") for step in steps]


def tables(pipeline, image):
    """Return the tables of one image, in memory and by tasks."""
    outputs = pipeline_tasks(pipeline, image)
    taskgraph.run(outputs.table)
    return pipeline.run(image).table, outputs.table.value()


@pytest.mark.parametrize(
    "method",
    [
        segment_nuclei(spacing=SPACING),
        segment_nuclei(axes="zyx", spacing=SPACING),
        slic(4, spacing=SPACING),
        random_walker(MASK.astype(int), spacing=SPACING),
    ],
)
def test_what_a_method_is_given_is_measured_with(method):
    for table in tables(Pipeline(method, regionprops()), VOLUME):
        assert len(table["label"])
        np.testing.assert_allclose(table["area"], 4 * table["count"])
    steps = (method, keep_within(area=(8, None)), regionprops())
    assert options_of(Pipeline(*steps), VOLUME)[1:] == [SPACING] * 2


def test_what_is_measured_with_is_what_a_method_gets():
    alone = segkit.segment_nuclei(VOLUME, spacing=SPACING)
    pipeline = Pipeline(segment_nuclei(), regionprops(spacing=SPACING))
    np.testing.assert_array_equal(pipeline.run(VOLUME).labels, alone)
    kept = Pipeline(segment_nuclei(), keep_within(area=(1, None), spacing=SPACING))
    np.testing.assert_array_equal(kept.run(VOLUME).labels, alone)


def test_a_plane_taken_alone_is_measured_in_it():
    pipeline = Pipeline(segment_nuclei(axes="tyx", spacing=(0.5, 0.5)), regionprops())
    for table in tables(pipeline, VOLUME):
        np.testing.assert_allclose(table["area"], table["count"] / 4)


@pytest.mark.parametrize("axes", [None, "zyx"])
def test_a_step_that_names_axes_keeps_the_spacing_of_the_image(axes):
    opened = as_image(VOLUME, axes="zyx", spacing=SPACING, units="um")
    step = segment_nuclei() if axes is None else segment_nuclei(axes=axes)
    (spacing,) = options_of(Pipeline(step), opened)
    assert spacing == SPACING
    labels = Pipeline(step).run(opened).labels
    np.testing.assert_array_equal(labels, segkit.segment_nuclei(opened, axes=axes))
    by_frame = Pipeline(segment_nuclei(axes="tyx"))
    assert options_of(by_frame, opened) == [(1.0, 1.0)]


@pytest.mark.parametrize(
    ("steps", "image", "words"),
    [
        (
            (segment_nuclei(spacing=SPACING), regionprops(spacing=1)),
            None,
            r"step 2 \(regionprops\) has spacing \(1.0, 1.0, 1.0\) where step 1 \(seg",
        ),
        (
            (slic(spacing=(2, 1, 1)), keep_within(area=(1, 2), spacing=SPACING)),
            None,
            r"step 2 \(keep_within\) has .* where step 1 \(slic\) has",
        ),
        (
            (segment_nuclei(spacing=1), regionprops()),
            SPACING,
            r"step 1 \(segment_nuclei\) has .* where the image has \(4.0, 1.0, 1.0\)",
        ),
        (
            (segment_nuclei(axes="tyx", spacing=(2, 1)),),
            SPACING,
            r"step 1 .* where the image has .*; give one spacing",
        ),
        (
            (
                slic(spacing=SPACING),
                segment_nuclei(spacing=(8, 2, 2)),
                regionprops(properties=["area"]),
            ),
            None,
            r"have spacings .* of step 1 \(slic\) and .* of step 2 \(segment_nuclei\)",
        ),
    ],
)
def test_spacings_that_contradict_each_other_are_told(steps, image, words):
    if image is not None:
        image = as_image(VOLUME, axes="zyx", spacing=image, units="um")
    for go in (Pipeline(*steps).plan, Pipeline(*steps).run):
        with pytest.raises(PipelineError, match=words):
            go(VOLUME if image is None else image)


def test_ratios_may_be_given_beside_lengths():
    opened = as_image(VOLUME, axes="zyx", spacing=(2, 0.499, 0.499), units="um")
    steps = (segment_nuclei(spacing=(4, 1, 1)), regionprops())
    assert options_of(Pipeline(*steps), opened) == [(4, 1, 1), None]
    both = (segment_nuclei(spacing=(4, 1, 1)), regionprops(spacing=(2, 0.5, 0.5)))
    assert options_of(Pipeline(*both), VOLUME) == [(4, 1, 1), (2, 0.5, 0.5)]


def test_no_spacing_is_that_of_the_image():
    opened = as_image(VOLUME > 0, axes="zyx", spacing=SPACING, units="um")
    steps = (label(), keep_within(area=(1, None), spacing=None), regionprops())
    expected = Pipeline(label(), regionprops()).run(opened)
    for last in (regionprops(), regionprops(spacing=None)):
        found = Pipeline(*steps[:-1], last).run(opened)
        np.testing.assert_array_equal(found.table["area"], expected.table["area"])
        assert found.unit == "micrometer"


def volume_file(folder, name, units, factor=1.0):
    spacing = None if units is None else [factor * step for step in (0.4, 0.1, 0.1)]
    return segkit.save(folder / name, MASK, axes="zyx", spacing=spacing, units=units)


@pytest.fixture
def three(tmp_path):
    """The same objects in micrometers, nanometers and in voxels only."""
    return (
        volume_file(tmp_path, "um.ome.tif", "micrometer"),
        volume_file(tmp_path, "nm.zarr", "nanometer", 1000),
        volume_file(tmp_path, "none.tif", None),
    )


@pytest.mark.parametrize("bounds", BOUNDS)
def test_images_in_two_units_are_bounded_in_one(three, bounds, tmp_path):
    um, nm, _ = map(str, three)
    pipeline = Pipeline(*OBJECTS, bounds, save("{name}.csv"))
    for images, unit in (((um, nm), "micrometer"), ((nm, um), "nanometer")):
        results = pipeline.run(images, out=tmp_path, overwrite=True)
        assert [one.unit for one in results] == [unit] * 2
        first, second = (one.table for one in results)
        np.testing.assert_allclose(first["area"], second["area"])
        np.testing.assert_array_equal(first["class"], second["class"])
        source = PipelineJugfile(pipeline.save(tmp_path / "p.toml"), images)
        source.load(open_store("memory://"))
        stages = [stage for one in source.outputs for stage in one.stages]
        assert {s.unit for s in stages if s.kind == "measure"} == {unit}
    kept = Pipeline(label(), keep_within(area=(1, 5))).run([um, nm])
    np.testing.assert_array_equal(kept[0].labels, kept[1].labels)


def test_images_without_a_unit_beside_others_are_refused_where_lengths_are_bounded(
    three, tmp_path
):
    um, _, none = map(str, three)
    pipeline = Pipeline(*OBJECTS, BOUNDS[0])
    for images in ((um, none), (none, um)):
        words = r"none\.tif: has no spacing.* load\(spacing=.*classify bounds 'area'"
        with pytest.raises(PipelineError, match=words):
            pipeline.run(images)
        source = PipelineJugfile(pipeline.save(tmp_path / "p.toml"), images)
        with pytest.raises(PipelineError, match=words):
            source.load(open_store("memory://"))
    with pytest.raises(PipelineError, match=r"image: has no spacing|<array>|has no"):
        pipeline.run([um, MASK])
    said = Pipeline(load(spacing=(4, 1, 1), units="um"), *OBJECTS, BOUNDS[0])
    assert len(said.run((um, none))) == 2
    voxels = classify(bounds_classifier("cell", count=(1, 500), width=(1, 9)))
    assert len(Pipeline(*OBJECTS, voxels).run((um, none))) == 2
    assert [one.unit for one in Pipeline(*OBJECTS).run((um, none))] == [
        "micrometer",
        "pixel",
    ]


def test_lengths_are_measured_in_the_unit_that_is_asked_for(three):
    outputs = pipeline_tasks(Pipeline(*OBJECTS), three[1], unit="um")
    taskgraph.run(outputs.table)
    np.testing.assert_allclose(
        outputs.table.value()["area"], Pipeline(*OBJECTS).run(three[0]).table["area"]
    )
    with pytest.raises(PipelineError, match="has no spacing, so it cannot be measured"):
        pipeline_tasks(Pipeline(*OBJECTS), three[2], unit="um")


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_a_saved_table_says_its_unit(three, suffix, tmp_path):
    pandas = pytest.importorskip("pandas")
    read = pandas.read_parquet if suffix == ".parquet" else pandas.read_csv
    options = {"sep": "\t"} if suffix == ".tsv" else {}
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    pipeline = Pipeline(*OBJECTS, save("{name}" + suffix))
    files = [one.saved[0] for one in pipeline.run(three, out=tmp_path)]
    found = [read(file, **options) for file in files]
    assert [set(one.get("unit", ["none"])) for one in found] == [
        {"micrometer"},
        {"nanometer"},
        {"none"},
    ]
    assert list(found[0].columns) == [*found[2].columns, "unit"]


def test_a_table_without_lengths_or_of_a_given_spacing_says_no_unit(three, tmp_path):
    def columns(step):
        pipeline = Pipeline(label(), step, save("{name}.csv"))
        (file,) = pipeline.run(three[0], out=tmp_path, overwrite=True).saved
        with file.open() as lines:
            return next(csv.reader(lines))

    assert columns(regionprops(properties=["label", "count"])) == ["label", "count"]
    assert columns(regionprops(properties=["area"], spacing=(8, 2, 2))) == [
        "label",
        "area",
    ]
    assert columns(regionprops(properties=["area"])) == ["label", "area", "unit"]


UNNAMED = (".npy", ".npz", ".h5", ".tif")


def unnamed_file(folder, suffix):
    import h5py
    import tifffile

    path = folder / f"image{suffix}"
    if suffix == ".h5":
        with h5py.File(path, "w") as file:
            file["image"] = VOLUME
    elif suffix == ".tif":
        with tifffile.TiffWriter(path) as writer:
            for plane in VOLUME:
                writer.write(plane, metadata=None, contiguous=False)
    else:
        save_arrays = np.save if suffix == ".npy" else np.savez
        save_arrays(path, VOLUME)
    return path


@pytest.mark.filterwarnings("ignore:nobody says how far")  # which the volume is asked
@pytest.mark.parametrize("suffix", UNNAMED)
@pytest.mark.parametrize("method", [segment_nuclei(), segment_cells(), slic(4)])
def test_methods_ask_alike_what_the_axes_of_a_file_are(tmp_path, suffix, method):
    path = unnamed_file(tmp_path, suffix)
    words = r"image has 3 axes: a volume, a movie or channels\?.* axes='zyx', for"
    for go in (
        Pipeline(method).run,
        lambda path: pipeline_tasks(Pipeline(method), path),
        lambda path: method(segkit.open_image(path)),
    ):
        with pytest.raises((PipelineError, ValueError), match=words):
            go(path)
    said = Pipeline(load(axes="zyx"), method).run(path).labels
    np.testing.assert_array_equal(said, method(segkit.open_image(path, axes="zyx")))
    assert Pipeline(load(spacing=SPACING), method).plan(
        segkit.open_image(path, spacing=SPACING)
    )
    frame = load(axes="tyx", select={"t": 2})
    assert Pipeline(frame, method).run(path).labels.shape == VOLUME.shape[1:]
