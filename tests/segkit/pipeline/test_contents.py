"""A plan knows masks from labels: what is separate stays so, and keeps its id."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

import segkit
import taskgraph
from segkit.io import as_image
from segkit.pipeline import (
    Pipeline,
    PipelineError,
    array_steps,
    bounds_classifier,
    classify,
    clear_border,
    fill_holes,
    florinate,
    gaussian,
    hysteresis,
    keep_largest,
    keep_within,
    label,
    load,
    ndnt,
    reconstruct,
    regionprops,
    remove_small_holes,
    remove_small_objects,
    save,
    segment_cells,
    segment_nuclei,
    slic,
    tile,
)
from segkit.pipeline.contents import content_after
from segkit.workflows import pipeline_tasks


def touching_discs():
    """Return a picture of discs that touch, some of them at the border."""
    y, x = np.mgrid[:96, :84]
    away = [np.hypot(y - a, x - b) for a in (6, 36, 66) for b in (12, 29, 46, 63)]
    noise = np.random.default_rng(0).normal(10, 2, y.shape)
    return np.uint8(np.clip(noise + 120 * (np.min(away, axis=0) < 9), 0, 255))


IMAGE = touching_discs()
METHODS = {
    "segment_nuclei": (segment_nuclei(), segkit.segment_nuclei(IMAGE)),
    "segment_cells": (
        segment_cells(min_size=20),
        segkit.segment_cells(IMAGE, min_size=20),
    ),
    "slic": (slic(30), segkit.slic(IMAGE, 30)),
}
SORTED = (
    regionprops(),
    classify(bounds_classifier("wide", width=(20, None)), bounds_classifier("rest")),
)


def ids(table):
    return table["label"].tolist()


def own_labels(image):
    return ndimage.label(image > 60)[0]


@pytest.fixture(params=METHODS)
def method(request):
    return METHODS[request.param]


@pytest.fixture(params=["arrays", "file", "tasks"])
def run(request, tmp_path):
    """Run steps over the picture in each of the ways; return array, labels, table."""

    def run_steps(*steps, image=IMAGE):
        pipeline = Pipeline(*steps)
        if request.param == "file":
            path = pipeline.save(tmp_path / "steps.toml")
            pipeline = Pipeline.load(path, trust=True)
        if request.param != "tasks":
            result = pipeline.run(image)
            return result.array, result.labels, result.table
        outputs = pipeline_tasks(pipeline, image, block=2000)
        wanted = [task for some in outputs.tasks for task in some]
        assert taskgraph.run(wanted, store="memory://", workers=0).failed == 0
        table = None if outputs.table is None else outputs.table.value()
        return outputs.array.read(), outputs.labels.read(), table

    return run_steps


def test_there_are_as_many_rows_as_objects_with_their_ids(method, run):
    step, expected = method
    painted, labels, table = run(step, *SORTED, reconstruct())
    np.testing.assert_array_equal(labels, expected)
    assert ids(table) == np.unique(expected[expected > 0]).tolist()
    measured = segkit.region_properties(expected)
    for name, column in measured.items():
        np.testing.assert_allclose(table[name], column, err_msg=name)
    np.testing.assert_array_equal(
        painted, segkit.reconstruct(expected, segkit.classify(measured, *_classes()))
    )


def _classes():
    return SORTED[1].arguments


def test_label_after_labels_unites_nothing(method, run):
    step, expected = method
    _, labels, table = run(step, label(), regionprops(properties=["area"]))
    np.testing.assert_array_equal(labels, expected)
    assert ids(table) == np.unique(expected[expected > 0]).tolist()


def test_objects_of_methods_are_chosen_as_those_of_label(method, run):
    step, expected = method
    size = int(np.median(np.bincount(expected.ravel())[1:]))
    for chosen, kept in (
        (remove_small_objects(size), segkit.remove_small_objects(expected, size)),
        (clear_border(), segkit.clear_border(expected)),
        (keep_largest(3), segkit.keep_largest(expected, 3)),
        (
            keep_within(surface=(0, 70), intensity_mean=(20, 255)),
            segkit.keep_within(
                expected, IMAGE, surface=(0, 70), intensity_mean=(20, 255)
            ),
        ),
    ):
        array, labels, table = run(step, chosen, regionprops())
        np.testing.assert_array_equal(array, kept, err_msg=repr(chosen))
        np.testing.assert_array_equal(labels, kept)
        assert ids(table) == np.unique(kept[kept > 0]).tolist()


def test_holes_of_labelled_objects_are_filled_and_objects_stay_apart(run):
    mask = IMAGE > 60
    mask[35:37, 28:30] = mask[66:67, 46:47] = False
    image = np.where(mask, IMAGE, 0)
    steps = (segment_nuclei(), fill_holes(), remove_small_holes(min_size=30))
    _, labels, table = run(*steps, regionprops(), image=image)
    expected = segkit.segment_nuclei(image)
    expected = segkit.remove_small_holes(segkit.fill_holes(expected), 30)
    np.testing.assert_array_equal(labels, expected)
    assert len(ids(table)) == expected.max() > 1


def test_the_first_example_of_florin_runs(run, tmp_path):
    volume = np.full((30, 120, 120), 200, np.uint8)
    volume[4:20, 10:70, 20:80:3] = volume[4:20, 10:70:9, 20:80] = 50
    volume[2:8, 90:96, 90:99] = 50
    *_, table = run(
        tile(shape=(10, 64, 64), stride=(10, 32, 32)),
        ndnt(shape=(10, 64, 64), threshold=0.3),
        save(tmp_path / "segmented.tiff"),
        label(),
        remove_small_holes(min_size=20),
        regionprops(),
        classify(
            bounds_classifier(
                "cell",
                area=(100, 99999),
                depth=(10, 25),
                width=(50, 100),
                height=(50, 100),
            ),
            bounds_classifier("vasculature"),
        ),
        reconstruct(),
        save(tmp_path / "labeled.tiff"),
        image=volume,
    )
    assert table["class_name"].tolist() == ["vasculature", "cell"]
    sides = [table[name].tolist() for name in ("depth", "height", "width")]
    assert sides == [[6, 16], [6, 60], [9, 60]]


def test_a_function_of_ones_own_says_that_it_returns_labels(run):
    own = florinate(own_labels, returns="labels")()
    expected = own_labels(IMAGE)
    *_, table = run(own, *SORTED)
    assert len(ids(table)) == expected.max()
    with pytest.raises(PipelineError, match=r"returns='labels'.* returns = \"labels\""):
        run(own_labels, regionprops())


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ((segment_nuclei(), label(connectivity=2)), r"step 2 \(label\).*by_value=True"),
        ((regionprops(),), r"label\(by_value=True\) if the image holds labels"),
        (
            (segment_nuclei(), segkit.pipeline.binary_opening()),
            r"step 2 \(binary_opening\): takes a mask.*touch would be one",
        ),
        ((slic(), segkit.pipeline.distance_transform()), "takes a mask"),
        ((ndnt(), segkit.pipeline.keep_ids([1])), "needs labelled objects"),
        ((segment_nuclei(), gaussian(1), regionprops()), r"step 3 .*needs labelled"),
        ((tile(20, 10, join="or"), segment_nuclei()), r"makes labels, of which each"),
        ((florinate(own_labels, returns="ids")(),), "returns is 'ids', but must be"),
    ],
)
def test_what_would_mix_objects_is_refused_by_the_plan(steps, words):
    with pytest.raises(PipelineError, match=words):
        Pipeline(*steps).plan(IMAGE)


def test_a_function_of_segkit_says_itself_what_it_returns(tmp_path):
    (tmp_path / "a.toml").write_text(
        'format = 1\n[[step]]\nrun = "ndnt"\nreturns = "labels"\n'
    )
    with pytest.raises(PipelineError, match=r"\(ndnt\): says itself what it returns"):
        Pipeline.load(tmp_path / "a.toml")


def test_all_objects_as_one_mask_is_said_by_a_step():
    steps = (segment_nuclei(), hysteresis(0, 0), label(), regionprops())
    joined = Pipeline(*steps).run(IMAGE).table
    mask = segkit.segment_nuclei(IMAGE) > 0
    assert len(ids(joined)) == segkit.label(mask).max()


@pytest.mark.parametrize("dtype", [np.uint8, np.int32])
def test_a_loaded_image_of_labels_is_not_taken_for_a_mask(run, dtype):
    found = dtype(segkit.segment_nuclei(IMAGE))
    _, labels, table = run(label(by_value=True), regionprops(), image=found)
    assert len(ids(table)) == labels.max() == found.max()
    words = r"grey values or labels.*label\(by_value=True\)"
    with pytest.raises(PipelineError, match=words):
        Pipeline(label()).run(found)


def test_labels_are_no_mask_even_if_each_tile_holds_one_of_them():
    labels = np.repeat([[1], [2], [3], [3]], 24, axis=0).repeat(48, axis=1)
    with pytest.raises(PipelineError, match=r"label\(by_value=True\) keeps"):
        Pipeline(label()).run(labels)
    outputs = pipeline_tasks(Pipeline(tile((24, 48)), label()), labels, block=1200)
    assert len(outputs.tasks[1]) > 4
    wanted = [task for some in outputs.tasks for task in some]
    with pytest.raises(taskgraph.TasksFailedError, match=r"by_value=True\) keeps"):
        taskgraph.run(wanted, store="memory://", workers=0)


def test_saved_labels_are_no_means_of_labels_when_they_get_coarser(tmp_path):
    pytest.importorskip("zarr")
    steps = (segment_nuclei(), save("a.zarr", levels=2, chunks=(16, 16)))
    Pipeline(*steps).run(IMAGE, out=tmp_path)
    coarse = segkit.open_image(tmp_path / "a.zarr", level=1).read()
    labels = segkit.segment_nuclei(IMAGE)
    assert set(np.unique(coarse)) <= set(np.unique(labels))
    attributes = (tmp_path / "a.zarr" / "zarr.json").read_text()
    assert '"image-label"' in attributes


def test_the_spacing_of_an_image_reaches_the_steps_that_take_one(tmp_path, run):
    z, y, x = np.mgrid[:64:4, :64, :40]
    balls = [(z - 16 - 15 * k) ** 2 + (y - 20 - 12 * (k % 2)) ** 2 for k in range(3)]
    mask = np.min([ball + (x - 20) ** 2 for ball in balls], axis=0) < 81
    image = np.uint8(100 * mask)
    path = segkit.save(tmp_path / "a.tif", image, spacing=(2, 0.5, 0.5), units="um")
    steps = (load(path), segment_nuclei(), regionprops())
    _, labels, table = run(*steps, image=None)
    np.testing.assert_array_equal(
        labels, segkit.segment_nuclei(image, spacing=(4, 1, 1))
    )
    assert labels.max() == 3
    assert table["area"].sum() == pytest.approx((labels > 0).sum() * 0.5)
    stages = Pipeline(segkit.pipeline.distance_transform(), slic()).plan
    planned = [
        step.keywords for one in stages(_opened(image))[1:] for step in one.steps
    ]
    assert [options["spacing"] for options in planned] == [(4, 1, 1)] * 2


@pytest.mark.parametrize(
    "steps",
    [
        (segment_nuclei(),),
        (slic(),),
        (label(by_value=True), regionprops()),
        (label(by_value=True), keep_within(area=(1, 2))),
    ],
)
def test_a_spacing_that_is_known_in_part_is_asked_for(steps):
    image = np.zeros((4, 20, 20), np.uint8)
    units = ("pixel", "micrometer", "micrometer")
    opened = as_image(image, axes="zyx", spacing=(1, 0.2, 0.2), units=units)
    with pytest.raises(PipelineError, match=r"none along 'z'; give spacing="):
        Pipeline(*steps).plan(opened)
    *others, last = steps
    last = replace(last, options=(*last.options, ("spacing", (1.0, 0.2, 0.2))))
    assert Pipeline(*others, last).plan(opened)
    assert Pipeline(label(by_value=True), remove_small_objects()).plan(opened)


def _opened(image):
    return as_image(image, axes="zyx", spacing=(2, 0.5, 0.5))


def test_axes_that_nobody_names_are_no_volume_unasked(run, tmp_path):
    movie = np.stack([IMAGE] * 3)
    with pytest.raises(PipelineError, match=r"step 1 \(segment_nuclei\): image has 3"):
        run(segment_nuclei(), regionprops(), image=movie)
    path = segkit.save(tmp_path / "movie.npy", movie)
    with pytest.raises(PipelineError, match=r"step 2 \(segment_nuclei\): image has 3"):
        run(load(path), segment_nuclei(), regionprops(), image=None)
    said = (load(path, spacing=(1, 1, 1)), segment_nuclei(), regionprops())
    assert len(ids(run(*said, image=None)[2])) > 0
    *_, table = run(segment_nuclei(axes="tyx"), regionprops(), image=movie)
    assert len(ids(table)) == 3 * segkit.segment_nuclei(IMAGE).max()
    assert not {"touches_border", "eccentricity"} & {*table}  # along time, too
    shape = regionprops(properties=["label", "eccentricity"])
    with pytest.raises(PipelineError, match="'eccentricity' is one of space"):
        run(segment_nuclei(axes="tyx"), shape, image=movie)


EXAMPLES = {
    "binarize_local": [5],
    "blobs": [2, 5],
    "canny": [1, 2],
    "convert": ["float32"],
    "drop_ids": [[1]],
    "gaussian": [1],
    "h_maxima": [1],
    "hessian_eigenvalues": [2],
    "hysteresis": [30, 60],
    "join_segmentations": [segkit.slic(IMAGE, 4)],
    "keep_ids": [[1, 2]],
    "laplacian_of_gaussian": [2],
    "local_threshold": [5],
    "percentile": [50],
    "random_walker": [segkit.slic(IMAGE, 4)],
    "relabel_tile": [np.arange(99)],
    "remove_small_holes": [3],
    "subtract_background": [5],
    "uniform": [3],
    "watershed": [segkit.slic(IMAGE, 4)],
}
LABELS_GIVEN = {"drop_ids", "keep_ids", "relabel_tile"} | {
    "expand_labels",
    "find_boundaries",
    "join_segmentations",
}
NO_STEPS = {"StepFunction"}
MADE = ("segment_nuclei", "segment_cells", "slic", "watershed", "random_walker")


@pytest.mark.parametrize("name", sorted({*array_steps.__annotations__} - NO_STEPS))
def test_each_function_returns_what_its_step_says(name):
    before = "labels" if name in LABELS_GIVEN else None
    given = segkit.slic(IMAGE, 9) if before else IMAGE
    options = EXAMPLES.get(name, [])
    said = content_after(getattr(segkit.pipeline, name)(*options), before or "mask")
    if name in {"fill_holes", "remove_small_holes"}:
        given = given > 60
    found = getattr(segkit, name)(given, *options)
    assert (found.dtype == bool) == (said == "mask")
    assert (said == "labels") == (
        name in MADE or name in LABELS_GIVEN - {"find_boundaries"}
    )
