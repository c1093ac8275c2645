"""A pipeline is written and read, and its mistakes are told before it runs."""

import inspect
import sys
import tomllib
from functools import partial

import numpy as np
import pytest
import scipy.ndimage

import segkit
from segkit.argument_kinds import hints_of
from segkit.io import MissingExtraError
from segkit.pipeline import (
    Pipeline,
    PipelineError,
    binary_opening,
    bounds_classifier,
    classify,
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
from segkit.workflows import pipeline_tasks

IMAGE = np.zeros((20, 60, 70), np.uint8)
SEGMENT = (ndnt(shape=(6, 16, 16), threshold=0.2), binary_opening())
CELLS = classify(bounds_classifier("cell", area=(20, 120)), bounds_classifier("rest"))


def never(image):
    pytest.fail(f"{image.shape}: was worked on")


def invert(image):
    return 255 - image


def smooth(image, size=3):
    return scipy.ndimage.uniform_filter(image, size)


FULL = Pipeline(
    load("volume.h5", key="stack"),
    tile((10, 64, 64), (10, 32, 32)),
    *SEGMENT,
    invert,
    partial(smooth, size=5),
    florinate(smooth, reach=(1, 2, 2))(3),
    save("segmented.tif"),
    label(connectivity=3),
    remove_small_objects(20),
    regionprops(properties=["area", "centroid", "extent"]),
    classify(
        bounds_classifier("cell", area=(100, 300), extent=0.7),
        bounds_classifier("vasculature"),
    ),
    reconstruct(),
    save("labeled.tif"),
)


@pytest.mark.parametrize("name", ["a.toml", "a.json"])
def test_a_pipeline_is_saved_and_loaded(tmp_path, name):
    path = FULL.save(tmp_path / name)
    assert Pipeline.load(path, trust=True) == FULL
    assert Pipeline.load(path, trust=True).steps[-2:] == FULL.steps[-2:]


def test_a_saved_pipeline_is_readable(tmp_path):
    written = Pipeline(tile(64), *SEGMENT, CELLS).save(tmp_path / "a.toml")
    assert (
        written.read_text()
        == """format = 1

[[step]]
run = "tile"
with = { shape = 64 }

[[step]]
run = "ndnt"
with = { shape = [6, 16, 16], threshold = 0.2 }

[[step]]
run = "binary_opening"

[[step]]
run = "classify"
arguments = [{ class = "cell", area = [20.0, 120.0] }, { class = "rest" }]
"""
    )
    assert tomllib.loads(written.read_text())["format"] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("format = 1\n[[step", "is no pipeline"),
        ("format = 2\n", "has format 2; this version reads format 1"),
        ("", "add `format = 1`"),
        ("format = 1\n", "has no steps"),
        ("format = 1\n[step]\nrun = 'ndnt'\n", "two brackets"),
        ("format = 1\n[[steps]]\nrun = 'ndnt'\n", "'steps' .did you mean step"),
        ("format = 1\n[[step]]\nrun = 'ndtn'\n", "did you mean ndnt"),
        ("format = 1\n[[step]]\nrun = 'ndnt'\nwith = 3\n", "write with = {"),
        ("format = 1\n[[step]]\nwith = {}\n", "step 1 does not say what to run"),
        ('format = 1\n[[step]]\nrun = "ndnt"\nshape = 3\n', "unknown keys shape"),
        ('format = 1\n[[step]]\nrun = "nothing"\n', "no function 'nothing'"),
        ('format = 1\n[[step]]\nrun = "os:nothing"\n', "no function 'os:nothing'"),
        ('format = 1\n[[step]]\nrun = "mine:f"\n', "'mine'; install it, .*PYTHONPATH"),
        (
            'format = 1\n[[step]]\nrun = "ndnt"\nwith = { thresshold = 1 }\n',
            r"step 1 \(ndnt\): .*'thresshold'.*; it takes shape, threshold",
        ),
        (
            (
                'format = 1\n[[step]]\nrun = "classify"\n'
                'arguments = [{ class = "cell", area = [3, 1] }]\n'
            ),
            r"step 1 \(classify\): class 'cell': bounds",
        ),
        (
            (
                'format = 1\n[[step]]\nrun = "classify"\n'
                'arguments = [{ class = "cell", area = "big" }]\n'
            ),
            r"step 1 \(classify\): class 'cell': bounds 'big' of 'area' are no numbers",
        ),
        (
            (
                'format = 1\n[[step]]\nrun = "classify"\n'
                'arguments = [{ class = "cell", area = [1, 2], unit = "um" }]\n'
            ),
            r"bounds 'um' of 'unit' are no numbers",
        ),
        (
            (
                'format = 1\n[[step]]\nrun = "classify"\n'
                'with = { classifiers = [{ class = "cell" }] }\n'
            ),
            r"'classifiers': values are given .* arguments = .*; it takes .classifi",
        ),
    ],
)
def test_a_wrong_file_names_the_step(tmp_path, text, message):
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(PipelineError, match=rf"a\.toml.*{message}"):
        Pipeline.load(tmp_path / "a.toml", trust=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": "a"}, "threshold is 'a', but must be a number"),
        ({"threshold": 7}, "threshold is 7, .*or percent=7"),
        ({"percent": 101}, "percent is 101"),
        ({"shape": "9"}, "shape is '9', but must be an integer or a list"),
        ({"shape": (3, "9")}, r"shape is \(3, '9'\)"),
        ({"polarity": "up"}, "polarity is 'up', but must be 'dark' or 'bright'"),
    ],
)
def test_values_that_no_image_would_fit_are_refused_at_once(options, message):
    with pytest.raises(PipelineError, match=rf"step 1 \(ndnt\): {message}"):
        Pipeline(segkit.pipeline.ndnt(**options))


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([save("a.xyz")], r"step 1 \(save\): a.xyz: suffix '.xyz' means no format"),
        ([save("a.tif", levls=2)], r"step 1 \(save\): .*'levls'.*; it takes axes"),
        ([save("a.csv", levels=2)], r"step 1 \(save\): .*'levels'.*; it takes overwr"),
        ([load("a.tif", sereis=1)], r"step 1 \(load\): .*'sereis'.*; it takes key"),
        ([label(conectivity=2)], r"step 1 \(label\): .*'conectivity'.*; it takes conn"),
        ([regionprops(properties=["aera"])], r"\(regionprops\): property 'aera' is"),
        ([remove_small_objects(-1)], r"min_size is -1"),
        ([keep_largest("3")], r"number is '3', but must be an integer"),
        ([keep_within(aera=(1, 2))], r"no property 'aera' \(did you mean area\?\)"),
        ([keep_within(area=3)], r"bounds of area are 3; give \(least, largest\)"),
        ([keep_within(area=("1", 2))], r"bounds of area are \('1', 2\); give"),
        ([classify("cell")], r"'cell' is no class; give bounds_classifier"),
        ([classify(bounds_classifier("a"), bounds_classifier("a"))], r"are called a"),
        (
            [regionprops(), classify(bounds_classifier("cell", aera=(1, 2)))],
            r"step 2 .*'aera' \(did you mean area\?\), which the object table will not",
        ),
        (
            [
                regionprops(properties=["area"]),
                classify(bounds_classifier("cell", extent=(0, 0.5))),
            ],
            r"not have; it has label, area; ask for it: .*\[..., 'extent'\]",
        ),
        ([segkit.segment_nuclei, save("a.tif", axes="qq")], "axes is 'qq'; give each"),
        ([segkit.pipeline.segment_nuclei(axes="qq")], "axes is 'qq'; give each"),
        ([segkit.pipeline.gaussian(float("nan"))], r"\(gaussian\): sigma is nan, but"),
        (
            [segkit.pipeline.gaussian([1, float("nan")])],
            r"sigma is \(1, nan\), but NaN",
        ),
        ([segkit.pipeline.segment_nuclei(spacing=[1, 0])], "give positive distances"),
        ([regionprops(spacing=(1, -1))], "give positive distances"),
        (
            [regionprops(intensity=True)],
            r"intensity is .* pipeline gives; leave it out, .* it takes properties",
        ),
        (
            [regionprops(), classify(bounds_classifier("a", intensity_mean=(1, 2)))],
            r"ask for it: regionprops\(properties=\[..., 'intensity_mean'\]\)",
        ),
        ([classify()], r"step 1 \(classify\): no class is given"),
        ([save("{nmae}.tif")], r"\{nmae\} is not known; \{name\} stands for"),
        ([segkit.pipeline.threshold("otsu")], r"\(threshold\): makes no image .*binar"),
        ([segkit.try_all], r"\(try_all\): makes no image .* binarize"),
        ([segkit.pipeline.label_colours()], r"\(label_colours\): makes no image"),
        ([segkit.pipeline.scores()], r"\(scores\): makes no image of an image"),
        ([np.zeros((50, 50))], r"step 1 is array\(.{,60}, neither a step nor a func"),
    ],
)
def test_what_would_fail_after_the_work_is_refused_before_it(steps, message):
    with pytest.raises(PipelineError, match=message):
        Pipeline(*steps)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (save("a.tif", axes="zyx"), "axes is 'zyx', but the image has 2 axes"),
        (save("a.tif", spacing=(1, 2, 3)), r"spacing \(1, 2, 3\) has 3 numbers, but"),
        (
            segkit.pipeline.segment_nuclei(axes="zyx"),
            "axes is 'zyx', but the image has",
        ),
        (
            segkit.pipeline.segment_nuclei(spacing=(1, 2, 3)),
            r"spacing \(1, 2, 3\) has 3 numbers, but",
        ),
        (regionprops(spacing=(1,)), r"spacing \(1,\) has 1 numbers, but"),
    ],
)
def test_axes_and_spacing_that_do_not_fit_the_image_are_refused_by_the_plan(
    step, message
):
    steps = [step] if step.function == "segment_nuclei" else [label(), step]
    with pytest.raises(PipelineError, match=message):
        Pipeline(*steps).plan(np.ones((20, 30), bool))


@pytest.mark.parametrize(
    ("library", "name"),
    [("pyarrow", "a.parquet"), ("zarr", "{name}.ome.zarr"), ("h5py", "a.h5::labels")],
)
def test_what_cannot_be_written_here_is_refused_before_the_work(
    tmp_path, monkeypatch, library, name
):
    monkeypatch.setitem(sys.modules, library, None)
    first = florinate(never, reach=0, returns="mask")
    table = (label(), regionprops()) if name == "a.parquet" else ()
    steps = Pipeline(first(), *table, save(name))
    with pytest.raises(MissingExtraError, match=f"needs {library}; install it with"):
        pipeline_tasks(steps, np.ones((20, 30), bool), out=tmp_path)
    with pytest.raises(MissingExtraError, match=f"needs {library}; install it with"):
        steps.run(np.ones((20, 30), bool), out=tmp_path)


def test_columns_that_the_image_has_no_axes_for_are_refused_by_the_plan():
    far = classify(bounds_classifier("far", **{"centroid-2": (5, None)}))
    steps = Pipeline(label(), regionprops(), far)
    assert steps.plan(IMAGE)
    with pytest.raises(PipelineError, match=r"step 3 .*'centroid-2'"):
        steps.plan(IMAGE[0])


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (ndnt(shape=[0, 3, 3]), r"\(ndnt\): shape is 0 on axis 0.* at least 1"),
        (ndnt(shape=[3, 3]), r"\(ndnt\): shape \(3, 3\) has 2 numbers"),
        (partial(segkit.gaussian, sigma=-1), r"\(gaussian\): sigma is -1"),
        (partial(segkit.median, radius=-1), r"\(median\): radius is -1"),
        (binary_opening(-1), r"\(binary_opening\): radius is -1"),
    ],
)
@pytest.mark.parametrize("before", [(), (tile(8),)])
def test_sizes_that_no_image_has_are_refused_by_the_plan(before, step, message):
    with pytest.raises(PipelineError, match=message):
        Pipeline(*before, step).plan(IMAGE)


def test_a_file_gives_arguments_by_position_or_by_keyword(tmp_path):
    (tmp_path / "a.toml").write_text("""format = 1
[[step]]
run = "load"
with = { path = "a.tif" }
[[step]]
run = "tile"
arguments = [8]
[[step]]
run = "label"
[[step]]
run = "remove_small_objects"
arguments = [20]
[[step]]
run = "keep_largest"
[[step]]
run = "save"
with = { path = "b.tif" }
""")
    assert Pipeline.load(tmp_path / "a.toml") == Pipeline(
        load("a.tif"),
        tile(8),
        label(),
        remove_small_objects(20),
        keep_largest(),
        save("b.tif"),
    )


def test_a_missing_pipeline_file_is_told_in_words(tmp_path):
    with pytest.raises(
        PipelineError, match=r"none\.toml: cannot be read as a pipeline"
    ):
        Pipeline.load(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([label(), classify(bounds_classifier("a"))], r"step 2 \(classify\).*regionpr"),
        ([regionprops()], r"step 1 \(regionprops\): .*put label\(\)"),
        ([keep_within(area=(3, 4))], r"step 1 \(keep_within\): .*label\(\)"),
        ([label(), regionprops(), reconstruct()], r"step 3 .*put classify"),
        ([label(), invert, regionprops()], r"step 3 \(regionprops\): .*label\(\)"),
        ([save("a.csv")], r"step 1 \(save\): needs a table"),
        ([tile(4, 8)], r"step 1 \(tile\): stride 8 is larger than tile 4"),
        ([tile((4, 4))], r"step 1 \(tile\): tile \(4, 4\) has 2 numbers"),
        ([invert, load("a.tif")], r"step 2 \(load\): .*first step"),
        ([tile(4, join="sum")], r"step 1 \(tile\): join is 'sum'"),
    ],
)
def test_steps_in_a_wrong_order_are_named(steps, message):
    with pytest.raises(PipelineError, match=message):
        Pipeline(*steps).plan(IMAGE)


def test_the_types_of_every_public_function_can_be_read():
    for name in segkit.__all__:
        function = getattr(segkit, name)
        if inspect.isfunction(function):
            assert hints_of(function).keys() >= function.__annotations__.keys(), name


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("[step]", ""),
        ("[step]", "[step]"),
        ("[step]", "[[step]]"),
        ("[[step]]", "[step]"),
    ],
)
def test_a_step_in_one_bracket_is_told_to_have_two(tmp_path, first, second):
    steps = f'format = 1\n{first}\nrun = "invert"\n{second}\n'
    path = tmp_path / "a.toml"
    path.write_text(steps + ('run = "label"\n' if second else ""))
    with pytest.raises(PipelineError, match=r"write \[\[step\]\], two brackets"):
        Pipeline.load(path)
