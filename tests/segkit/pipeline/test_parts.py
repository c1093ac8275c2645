"""Time points by themselves, and channels by their names: the same any way they lie."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import segkit
import taskgraph
from segkit.io import ColourError, ImageRequestError, as_image
from segkit.pipeline import (
    Pipeline,
    PipelineError,
    binarize,
    bounds_classifier,
    classify,
    gaussian,
    keep_within,
    label,
    load,
    ndnt,
    reconstruct,
    regionprops,
    save,
    save_overlay,
    segment_nuclei,
    tile,
)
from segkit.workflows import pipeline_tasks

PROPERTIES = ["label", "area", "centroid", "intensity_mean", "intensity_max"]


def blobs(shape, seed=0):
    """Return an image t, c, (z,) y, x in which two channels are alike, not equal."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 50, shape, np.uint8)
    for at in itertools.product(range(shape[0]), range(4)):
        corner = [rng.integers(0, max(1, n - 5)) for n in shape[2:]]
        box = tuple(slice(start, start + 5) for start in corner)
        image[(at[0], slice(None), *box)] += rng.integers(60, 150, dtype=np.uint8)
    image[:, 1] = image[:, 1] // 2 + 20
    return image


def steps(per="t", first=1, channels=(0, 1)):
    return Pipeline(
        load(per=per),
        gaussian(1).having(channel=first),
        binarize(),
        label(),
        regionprops(properties=PROPERTIES, channel=channels),
    )


def same(one, other):
    assert list(one) == list(other)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


@settings(max_examples=12, deadline=None)
@given(
    order=st.permutations("tczyx"),
    deep=st.booleans(),
    seed=st.integers(0, 99),
    one=st.sampled_from(["", "t", "c", "z"]),
)
def test_any_order_of_axes_gives_the_same_table(order, deep, seed, one):
    lengths = {"t": 3, "c": 2, "z": 4 if deep else 1, "y": 13, "x": 17}
    lengths |= {} if one in ("", "c") else {one: 1}
    image = blobs(tuple(lengths.values()), seed)
    straight = steps().run(as_image(image, axes="tczyx"))
    turned = image.transpose(["tczyx".index(name) for name in order])
    other = steps().run(as_image(turned, axes="".join(order)))
    same(straight.table, other.table)
    np.testing.assert_array_equal(straight.labels, other.labels)


@settings(max_examples=10, deadline=None)
@given(
    frames=st.integers(1, 4),
    depth=st.sampled_from([0, 3]),
    seed=st.integers(0, 99),
    size=st.sampled_from([None, 5, 8]),
)
def test_each_frame_is_as_in_a_loop_over_them_and_tiled_equals_whole(
    frames, depth, seed, size
):
    space = ((depth,) if depth else ()) + (14, 19)
    image = blobs((frames, 2, *space), seed)
    axes = "tczyx" if depth else "tcyx"
    pipeline = Pipeline(
        load(per="t"),
        *([tile(size)] if size else []),
        ndnt(shape=5, threshold=0.1, polarity="bright").having(channel=1),
        label(),
        regionprops(properties=PROPERTIES, channel=0),
    )
    found = pipeline.run(as_image(image, axes=axes))
    tasks = pipeline_tasks(pipeline, as_image(image, axes=axes), block=64)
    taskgraph.run([tasks.table], store="memory://", workers=0)
    same(found.table, tasks.table.value())
    alone = Pipeline(ndnt(shape=5, threshold=0.1, polarity="bright"), label())
    for t in range(frames):
        own = alone.run(as_image(image[t, 1], axes=axes[2:]))
        np.testing.assert_array_equal(own.labels, found.labels[t])
        table = segkit.region_properties(own.labels, image[t, 0], properties=PROPERTIES)
        rows = found.table["t"] == t
        same(table, {k: v[rows] for k, v in found.table.items() if k != "t"})


def test_channels_have_columns_in_the_order_in_which_they_are_asked_for():
    image = as_image(blobs((1, 2, 20, 20)), axes="tcyx")
    table = steps(channels=(1, 0)).run(image).table
    assert list(table) == [
        *("t", "label", "area", "centroid-0", "centroid-1"),
        *("intensity_mean-1", "intensity_mean-0", "intensity_max-1", "intensity_max-0"),
    ]
    one = steps(channels=1).run(image).table
    assert "intensity_mean" in one
    np.testing.assert_array_equal(one["intensity_mean"], table["intensity_mean-1"])


def test_weighted_places_are_those_of_each_channel():
    image = blobs((1, 2, 20, 25))
    names = ["label", "area_filled", "centroid_weighted"]
    measure = regionprops(properties=names, channel=(1, 0))
    detect = (load(per="t"), gaussian(1).having(channel=1), binarize(), label())
    found = Pipeline(*detect, measure).run(as_image(image, axes="tcyx"))
    assert list(found.table) == [
        *("t", "label", "area_filled"),
        *("centroid_weighted-0-1", "centroid_weighted-0-0"),
        *("centroid_weighted-1-1", "centroid_weighted-1-0"),
    ]
    for channel in (0, 1):
        own = segkit.region_properties(
            found.labels[0], image[0, channel], properties=names
        )
        for axis in (0, 1):
            column = found.table[f"centroid_weighted-{axis}-{channel}"]
            np.testing.assert_array_equal(column, own[f"centroid_weighted-{axis}"])


def test_what_is_saved_has_all_frames(tmp_path):
    image = blobs((3, 2, 20, 25))
    space = {"spacing": (2, 1, 0.5, 0.5), "units": ("second", "pixel", "um", "um")}
    path = segkit.save(tmp_path / "a.tif", image, axes="tcyx", **space)
    pipeline = Pipeline(
        *steps().steps,
        save("{name}-labels.tif"),
        save_overlay("{name}.png"),
        keep_within(intensity_mean=(1, None)),
        regionprops(properties=["label", "area"]),
        classify(bounds_classifier("large", area=(5, None))),
        save("{name}.csv"),
        reconstruct(colours=True),
        save("{name}-classes.tif"),
    )
    alone = pipeline.run(path, out=tmp_path / "alone")
    tasks = pipeline_tasks(pipeline, path, out=tmp_path / "tasks", block=300)
    taskgraph.run([tasks.table, *tasks.saved], store="memory://", workers=0)
    assert [p.name for p in alone.saved] == [p.name for p in tasks.files]
    for one, other in zip(alone.saved, tasks.files, strict=True):
        if one.suffix == ".tif":
            both = segkit.open_image(one), segkit.open_image(other)
            np.testing.assert_array_equal(*(image.read() for image in both))
            assert both[0].axes.removesuffix("s") == both[1].axes[:3] == "tyx"
            assert both[0].spacing[:3] == both[1].spacing[:3] == (2.0, 0.5, 0.5)
        else:
            assert one.read_bytes() == other.read_bytes()
    assert (tmp_path / "alone" / "a.csv").read_text().startswith("t,label,area,class")


@pytest.mark.parametrize("per", ["z", "tz", "zt"])
def test_planes_are_taken_apart_too(per):
    image = blobs((2, 2, 3, 12, 12))
    given = image if "t" in per else image[:1]
    found = steps(per, first=0, channels=0).run(as_image(given, axes="tczyx"))
    names = sorted(per, key="tz".index)
    assert list(found.table)[: len(per)] == names
    assert found.labels.shape == (2, 3, 12, 12)[-2 - len(per) :]


def test_an_image_without_the_axis_is_one_frame():
    image = blobs((1, 2, 20, 20))[0]
    table = steps().run(as_image(image, axes="cyx")).table
    assert {*table["t"].tolist()} == {0}


def test_a_file_of_steps_says_it_and_is_written_as_it_was(tmp_path):
    text = (
        'format = 1\nper = "t"\n\n[[step]]\nrun = "segment_nuclei"\nchannel = "DAPI"\n'
        '\n[[step]]\nrun = "regionprops"\nchannel = ["DAPI", 1]\n'
        'with = { properties = ["label", "intensity_mean"] }\n'
    )
    (tmp_path / "a.toml").write_text(text)
    pipeline = Pipeline.load(tmp_path / "a.toml")
    assert pipeline == Pipeline(
        load(per="t"),
        segment_nuclei().having(channel="DAPI"),
        regionprops(properties=["label", "intensity_mean"], channel=["DAPI", 1]),
    )
    for name in ("b.toml", "b.json"):
        pipeline.save(tmp_path / name)
        assert Pipeline.load(tmp_path / name) == pipeline
    assert (tmp_path / "b.toml").read_text() == text


def own_function(image, channel=3):
    return image + channel


def test_a_channel_is_an_argument_of_a_function_that_takes_one():
    step = segkit.florinate(own_function, reach=0)(channel=2)
    found = Pipeline(step).run(np.zeros((4, 4), np.uint8))
    assert found.array.max() == 2


IMAGE = as_image(blobs((2, 2, 12, 12)), axes="tcyx")
BRIGHT = {"properties": ["label", "intensity_mean"]}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: steps("y"), "per is 'y', but must be letters of axes"),
        (lambda: steps("tt"), "per is 'tt'"),
        (lambda: Pipeline(label(), save("a.tif", channel=1)), "reads no image"),
        (lambda: Pipeline(label().having(channel=True)), "a name or a number from 0"),
        (lambda: Pipeline(label().having(channel=-1)), "counted from the last"),
        (
            lambda: Pipeline(label().having(channel=(0, 1))),
            "only regionprops reads sev",
        ),
        (
            lambda: regions(properties=["area"], channel=[0, 1]),
            "measures no bright",
        ),
        (lambda: regions(**BRIGHT, channel=[1, "1"]), "name each channel once"),
        (lambda: steps("c").run(IMAGE), "leave channel out, or c out of per"),
    ],
)
def test_what_makes_no_sense_is_refused_before_any_voxel_is_read(wrong, words):
    with pytest.raises(PipelineError, match=words):
        wrong()


def regions(**options):
    return Pipeline(label(), regionprops(**options))


@pytest.mark.parametrize(
    ("pipeline", "image", "error", "words"),
    [
        (Pipeline(label()), IMAGE, ColourError, r"several time points .* per = \"t\""),
        (Pipeline(load(per="t"), label()), IMAGE, ColourError, "several channels"),
        (steps(first="DAPI"), IMAGE, ImageRequestError, "names no channels"),
        (steps(first=7, channels=7), IMAGE, ImageRequestError, "has no channel 7"),
        (steps(), np.zeros((2, 2, 9, 9)), ImageRequestError, "which of its 4 axes"),
        (
            steps(channels=0),
            as_image(np.zeros((2, 2, 9, 9, 3), np.uint8), axes="tcyxs"),
            ColourError,
            "is a colour picture",
        ),
    ],
)
def test_an_image_that_steps_cannot_take_is_refused(pipeline, image, error, words):
    with pytest.raises(error, match=words):
        pipeline.run(image)
    with pytest.raises(error, match=words):
        pipeline_tasks(pipeline, image)


@pytest.mark.parametrize(
    ("per", "channels", "ndim", "axes"),
    [
        ("", (0,), 3, "cyx"),
        ("", (0,), 4, "czyx"),
        ("t", (0,), 4, "tcyx"),
        ("", (0,), 5, "tczyx"),
        ("t", (), 3, "tyx"),
        ("z", (), 3, "zyx"),
        ("z", (), 4, "tzyx"),
        ("t", (), 5, "ctzyx"),
    ],
)
def test_axes_that_are_proposed_are_as_many_and_have_what_is_asked_for(
    per, channels, ndim, axes
):
    image = np.arange(2.0 ** (ndim - 2) * 81).reshape(*[2] * (ndim - 2), 9, 9)
    measured = Pipeline(load(per=per), label(), regionprops())
    if channels:
        measured = steps(per=per, first=0, channels=list(channels))
    with pytest.raises(ImageRequestError, match=rf"run --axes {axes}`,"):
        measured.run(image)


def test_a_step_reads_the_channel_before_it_only_if_it_says_none():
    image = np.stack([np.zeros((9, 9), np.uint8), np.full((9, 9), 7, np.uint8)])
    both = as_image(image, axes="cyx")
    found = Pipeline(gaussian(1).having(channel=0), gaussian(1).having(channel=1))
    assert found.run(both).array.max() == 7
    again = Pipeline(gaussian(1).having(channel=1), gaussian(1).having(channel=0))
    assert again.run(both).array.max() == 0
    tiled = Pipeline(tile(4), *found.steps, gaussian(1).having(channel=0))
    assert tiled.run(both).array.max() == 0


@pytest.mark.parametrize("suffix", ["tif", "zarr", "h5", "n5"])
@pytest.mark.parametrize("stored", [False, True])
def test_what_is_made_of_each_channel_is_called_as_the_channel(
    tmp_path, suffix, stored
):
    voxels = np.random.default_rng(1).integers(0, 99, (2, 24, 20), np.uint8)
    image = segkit.save(tmp_path / "a.tif", voxels, axes="cyx", channels=["A", "B"])
    steps = Pipeline(
        load(per="c"), binarize(), label(), save(f"{{name}}-cells.{suffix}")
    )
    if stored:
        tasks = pipeline_tasks(steps, image, out=tmp_path / "out")
        taskgraph.run(tasks.saved, store=tmp_path / "store", workers=0)
    else:
        steps.run(image, out=tmp_path / "out")
    found = segkit.open_image(tmp_path / f"out/a-cells.{suffix}")
    assert (found.axes, found.shape) == ("cyx", voxels.shape)
    assert found.channels == (() if suffix == "n5" else ("A", "B"))
