"""A pipeline is data, and running it tiled gives what the whole image gives."""

import csv
import json
from functools import partial

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given, settings, strategies as st

import segkit
from segkit.pipeline import (
    Pipeline,
    PipelineError,
    Step,
    binary_opening,
    bounds_classifier,
    classify,
    clear_border,
    florinate,
    keep_largest,
    keep_within,
    label,
    load,
    ndnt,
    reconstruct,
    regionprops,
    remove_small_objects,
    save,
    tile,
)


def blobs(shape=(20, 60, 70), seed=0):
    noise = np.random.default_rng(seed).normal(size=shape)
    smooth = scipy.ndimage.gaussian_filter(noise, 3)
    return np.uint8(np.clip(150 - 900 * np.maximum(smooth - 0.01, 0), 0, 255))


IMAGE = blobs()
SEGMENT = (ndnt(shape=(6, 16, 16), threshold=0.2), binary_opening())
OBJECTS = (label(), remove_small_objects(20), regionprops())
CLASSES = (
    classify(bounds_classifier("cell", area=(20, 120)), bounds_classifier("rest")),
    reconstruct(),
)


def invert(image, top=255):
    return top - image


def smooth(image, size=3):
    return scipy.ndimage.uniform_filter(image, size)


def make_counter():
    def inner(image):
        return image

    return inner


def by_hand(image):
    """The same steps as array functions over the whole image."""
    mask = segkit.ndnt(image, (6, 16, 16), 0.2)
    mask = segkit.binary_opening(mask)
    labels = scipy.ndimage.label(mask)[0]
    sizes = np.bincount(labels.ravel())
    kept = np.where(sizes[labels] >= 20, labels, 0)
    kept[labels == 0] = 0
    cells = (sizes >= 20) & (sizes <= 120)
    classes = np.where(kept == 0, 0, np.where(cells[kept], 1, 2))
    return mask, kept, classes


def test_pipeline_equals_the_functions_by_hand():
    mask, kept, classes = by_hand(IMAGE)
    result = Pipeline(load(), *SEGMENT, *OBJECTS, *CLASSES).run(IMAGE)
    np.testing.assert_array_equal(result.labels, kept)
    np.testing.assert_array_equal(result.array, classes)
    assert set(result.table["class_name"]) == {"cell", "rest"}
    np.testing.assert_array_equal(Pipeline(*SEGMENT).run(IMAGE).array, mask)


@settings(max_examples=25, deadline=None)
@given(
    # Not of 3 or 4 columns: of these, larger ones look like colour pictures.
    shape=st.tuples(
        st.integers(1, 20), st.integers(1, 40), st.sampled_from([1, 2, *range(5, 41)])
    ),
    size=st.tuples(st.integers(1, 25), st.integers(1, 25), st.integers(1, 25)),
    workers=st.integers(1, 2),
    seed=st.integers(0, 3),
)
def test_tiled_equals_whole(shape, size, workers, seed):
    image = np.random.default_rng(seed).integers(0, 255, shape, dtype=np.uint8)
    steps = (ndnt(shape=(3, 8, 8), threshold=0.1), binary_opening(), *OBJECTS)
    whole = Pipeline(*steps).run(image)
    tiled = Pipeline(tile(size), *steps).run(image, workers=workers)
    np.testing.assert_array_equal(tiled.array, whole.array)
    for name, column in whole.table.items():
        np.testing.assert_array_equal(tiled.table[name], column, err_msg=name)


def test_processes_give_the_same():
    steps = (florinate(smooth, reach=2)(size=5), *SEGMENT)
    whole = Pipeline(*steps).run(IMAGE).array
    tiled = Pipeline(tile((8, 64, 64)), *steps)
    processed = tiled.run(IMAGE, workers=2, processes=True).array
    np.testing.assert_array_equal(processed, whole)


def test_florin_tiles_are_joined_by_or():
    shape, stride = (10, 32, 32), (5, 16, 16)
    overlapping = tile(shape, stride, join="or")
    result = Pipeline(overlapping, ndnt(shape=(6, 16, 16))).run(IMAGE).array
    expected = np.zeros(IMAGE.shape, bool)
    for one in segkit.overlapping_tiles(IMAGE.shape, shape, stride):
        expected[one.read.slices] |= segkit.ndnt(IMAGE[one.read.slices], (6, 16, 16))
    np.testing.assert_array_equal(result, expected)


def test_everything_is_saved_with_spacing(tmp_path):
    path = segkit.save(
        tmp_path / "cells.tif", IMAGE, spacing=(2, 0.5, 0.5), units="micrometer"
    )
    steps = (
        *SEGMENT,
        save("{name}-mask.tif"),
        *OBJECTS,
        classify(bounds_classifier("cell", area=(10, 60)), bounds_classifier("rest")),
        save("objects.csv"),
        reconstruct(colours=True),
        save("classes.tif"),
    )
    result = Pipeline(load(path), *steps).run(out=tmp_path / "out")
    names = ["cells-mask.tif", "objects.csv", "classes.tif"]
    assert [file.name for file in result.saved] == names
    mask, picture = (segkit.open_image(result.saved[n]) for n in (0, 2))
    assert mask.spacing == (2, 0.5, 0.5)
    np.testing.assert_array_equal(mask.read(), by_hand(IMAGE)[0])
    assert picture.axes == "zyxs"
    painted = picture.read().max(-1) > 0
    np.testing.assert_array_equal(painted, result.labels > 0)
    with result.saved[1].open() as file:
        rows = list(csv.DictReader(file))
    voxels = np.bincount(result.labels[result.labels > 0])
    assert [float(row["area"]) for row in rows] == [
        voxels[int(row["label"])] * 0.5 for row in rows
    ]
    with pytest.raises(FileExistsError):
        Pipeline(load(path), *steps).run(out=tmp_path / "out")
    Pipeline(load(path), *steps).run(out=tmp_path / "out", overwrite=True)


def test_several_images_have_a_result_each(tmp_path):
    images = [IMAGE, IMAGE[:, ::-1], IMAGE[:12]]
    paths = [
        segkit.save(tmp_path / f"{n}.tif", one, axes="zyx")
        for n, one in enumerate(images)
    ]
    pipeline = Pipeline(*SEGMENT, *OBJECTS, save("{name}.csv"))
    for some in (paths, tuple(map(str, paths)), iter(paths)):
        results = pipeline.run(some, out=tmp_path, overwrite=True)
        assert [one.saved for one in results] == [
            [tmp_path / f"{n}.csv"] for n in range(3)
        ]
        for one, image in zip(results, images, strict=True):
            alone = Pipeline(*SEGMENT, *OBJECTS).run(image)
            np.testing.assert_array_equal(one.labels, alone.labels)
            np.testing.assert_array_equal(one.table["area"], alone.table["area"])
    opened = [segkit.open_image(paths[0]), IMAGE]
    first, second = Pipeline(*SEGMENT).run(opened)
    np.testing.assert_array_equal(first.array, second.array)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        ([], "the list of images is empty"),
        ([[1, 2], [3, 4]], r"image 1 of the list is \[1, 2\]; give paths, opened"),
        ([IMAGE, IMAGE], "because two images are both called 'image'; rename one"),
        (["a.npy", "sub/a.npy"], r"a\.npy would .* are both called 'a'"),
    ],
)
def test_what_is_wrong_with_one_of_several_images_is_told_before_any_work(
    tmp_path, monkeypatch, images, words
):
    ran = []
    monkeypatch.chdir(tmp_path)
    for name in ("a.npy", "sub/a.npy"):
        segkit.save(name, IMAGE)
    steps = (lambda image: ran.append(1) or image, save("out-{name}.npy"))
    with pytest.raises(PipelineError, match=words):
        Pipeline(*steps).run(images)
    with pytest.raises(FileNotFoundError, match=r"none\.npy"):
        Pipeline(*steps).run(["a.npy", "none.npy"])
    assert ran == []


def test_the_image_that_does_not_fit_is_named():
    wrong = r"image 2: .*looks like a colour|image 2: step 1 \(ndnt\).*2 numbers"
    with pytest.raises(PipelineError, match=wrong):
        Pipeline(ndnt(shape=(8, 8))).run([IMAGE[0], IMAGE])


def test_results_do_not_leave_their_folder(tmp_path):
    inside = Pipeline(invert, save("masks/a.npy")).run(IMAGE, out=tmp_path / "out")
    assert inside.saved == [tmp_path / "out" / "masks" / "a.npy"]
    with pytest.raises(PipelineError, match=r"'\.\./a\.npy'.* leaves the folder"):
        Pipeline(invert, save("../a.npy")).run(IMAGE, out=tmp_path / "out")
    Pipeline(invert, save(tmp_path / "a.npy")).run(IMAGE, out=tmp_path / "out")
    assert (tmp_path / "a.npy").exists()


def test_what_is_in_the_way_is_told_before_the_work(tmp_path):
    ran = []

    def slow(image):
        ran.append(1)
        return image

    (tmp_path / "a.npy").write_bytes(b"mine")
    with pytest.raises(FileExistsError, match=r"a\.npy exists; pass overwrite=True"):
        Pipeline(slow, save("a.npy")).run(IMAGE, out=tmp_path)
    with pytest.raises(
        PipelineError, match=r"b\.npy would be written twice; .*\{name\} in"
    ):
        Pipeline(slow, save("b.npy"), save("b.npy")).run(IMAGE, out=tmp_path)
    assert ran == []
    assert (tmp_path / "a.npy").read_bytes() == b"mine"


@pytest.mark.parametrize("options", [{}, {"tile": 16}, {"tile": 16, "workers": 2}])
def test_a_step_that_changes_the_shape_is_named(options):
    with pytest.raises(PipelineError, match=r"max made an array of shape .* one value"):
        Pipeline(partial(np.max, axis=0), label()).run(IMAGE, **options)


def test_grey_values_are_not_labelled():
    smooth = partial(segkit.gaussian, sigma=1)
    with pytest.raises(PipelineError, match=r"grey values, of.*binarize"):
        Pipeline(smooth, label()).run(IMAGE)
    with pytest.raises(TypeError, match="by value needs integers"):
        Pipeline(smooth, label(by_value=True)).run(IMAGE)
    none = Pipeline(label()).run(np.zeros((0, 5), np.float32)).labels
    assert none.shape == (0, 5)
    for value in (1, 255):
        mask = np.float32(value) * (IMAGE > 100)
        expected = segkit.label(mask)
        np.testing.assert_array_equal(Pipeline(label()).run(mask).labels, expected)


def test_a_threshold_of_the_image_makes_a_mask_before_labelling():
    dark = partial(segkit.binarize, method="mean", polarity="dark")
    near = segkit.pipeline.binarize_local(9, method="mean", polarity="dark")
    found = Pipeline(tile(16), near, label()).run(IMAGE).labels
    np.testing.assert_array_equal(
        found, segkit.label(segkit.local_threshold(IMAGE, 9, method="mean") >= IMAGE)
    )
    found = Pipeline(tile(16), dark, label()).run(IMAGE).labels
    np.testing.assert_array_equal(found, segkit.label(IMAGE.mean() >= IMAGE))


def test_a_result_is_told_in_a_line():
    told = repr(Pipeline(*SEGMENT, *OBJECTS).run(IMAGE))
    assert told.startswith("Result(array=int32[20, 60, 70], labels=int32[20, 60, 70]")
    assert "table=21 objects" in told
    assert len(told) < 200


def test_steps_of_others_that_know_the_reach_of_some_images_only_run_on_the_whole():
    def reach_of(ndim, **_):
        raise ValueError("depends on the image")

    @segkit.declare_reach(reach_of)
    def odd(image):
        return image > 100

    found = Pipeline(tile(16), odd, label()).run(IMAGE).labels
    np.testing.assert_array_equal(found, segkit.label(IMAGE > 100))


def test_a_failing_step_is_named():
    def fail(image):
        raise RuntimeError("out of luck")

    with pytest.raises(PipelineError, match=r"fail failed .*out of luck"):
        Pipeline(fail).run(IMAGE)


def test_what_is_no_step_is_refused():
    with pytest.raises(PipelineError, match="step 2 is 3"):
        Pipeline(label(), 3)
    with pytest.raises(PipelineError, match="no image"):
        Pipeline(label()).run()


def test_a_function_without_a_name_runs_but_is_not_saved(tmp_path):
    unnamed = Pipeline(lambda image: image > 100, make_counter())
    np.testing.assert_array_equal(unnamed.run(IMAGE).array, IMAGE > 100)
    with pytest.raises(PipelineError, match=r"step 1 .*cannot be saved"):
        unnamed.save(tmp_path / "a.toml")
    assert list(tmp_path.iterdir()) == []


def test_bare_functions_join_in():
    assert Pipeline(segkit.ndnt).steps == (Step("ndnt"),)
    assert Pipeline(np.transpose).steps == (Step("numpy:transpose"),)
    result = Pipeline(invert, partial(invert, top=10)).run(np.arange(4, dtype=np.uint8))
    np.testing.assert_array_equal(
        result.array, invert(invert(np.arange(4, dtype=np.uint8)), 10)
    )


def test_arguments_that_are_bound_before_the_image_stay_there(tmp_path):
    for step, expected in (
        (partial(np.multiply, 2), IMAGE * 2),
        (partial(np.subtract, 255), 255 - IMAGE),
        (partial(partial(np.clip, a_max=90), a_min=60), IMAGE.clip(60, 90)),
    ):
        np.testing.assert_array_equal(Pipeline(step).run(IMAGE).array, expected)
    with pytest.raises(PipelineError, match=r"step 1 \(functools:partial\(multiply\)"):
        Pipeline(partial(np.multiply, 2)).save(tmp_path / "a.toml")


def test_clear_border_drops_what_touches_it():
    mask = np.zeros((20, 20), bool)
    mask[0:3, 5:9] = mask[10:14, 10:14] = True
    result = Pipeline(label(), clear_border()).run(mask)
    assert set(np.unique(result.array)) == {0, 2}


def test_filters_equal_the_functions_of_whole_images():
    mask, _, _ = by_hand(IMAGE)
    labels = segkit.label(mask)
    for step, expected in (
        (keep_largest(3), segkit.keep_largest(labels, 3)),
        (keep_within(area=(20, 90)), segkit.keep_within(labels, area=(20, 90))),
        (remove_small_objects(30), segkit.remove_small_objects(labels, 30)),
        (
            keep_within(surface=(0, 60), centroid_0=(5, None)),
            segkit.keep_within(labels, surface=(0, 60), centroid_0=(5, None)),
        ),
        (
            keep_within(intensity_mean=(0, 70)),
            segkit.keep_within(labels, IMAGE, intensity_mean=(0, 70)),
        ),
    ):
        found = Pipeline(*SEGMENT, label(), step).run(IMAGE).array
        np.testing.assert_array_equal(found, expected, err_msg=repr(step))


def test_small_objects_leave_a_mask_before_labelling():
    mask, _, _ = by_hand(IMAGE)
    found = Pipeline(tile(8), *SEGMENT, remove_small_objects(30)).run(IMAGE).array
    np.testing.assert_array_equal(found, segkit.remove_small_objects(mask, 30))


@pytest.mark.parametrize("value", [0, 255])
def test_no_object_and_one_object(value):
    flat = np.full((4, 20, 20), value, np.uint8)
    result = Pipeline(lambda a: a > 0, *OBJECTS, *CLASSES).run(flat)
    assert len(result.table["label"]) == (value > 0)
    assert set(np.unique(result.array)) == ({2} if value else {0})


def test_a_colour_picture_is_refused(tmp_path):
    picture = np.zeros((30, 30, 3), np.uint8)
    path = segkit.save(tmp_path / "a.png", picture, axes="yxs")
    with pytest.raises(segkit.io.ColourError, match="to_grey=True"):
        Pipeline(load(), *SEGMENT).run(path)
    grey = Pipeline(load(path, to_grey=True), ndnt(shape=8)).run()
    assert grey.array.shape == (30, 30)


def test_json_keeps_none(tmp_path):
    steps = Pipeline(regionprops(properties=None), *())
    with pytest.raises(PipelineError, match=r"TOML has no word for None"):
        steps.save(tmp_path / "a.toml")
    content = json.loads(steps.save(tmp_path / "a.json").read_text())
    assert content["step"][0]["with"] == {"properties": None}
