"""Axes and spacing of a Zarr are those that it states, in any version and any words."""

import json

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings, strategies as st

import segkit
from segkit.io import ImageError, ImageRequestError, SpacingWarning

SPACE = {"type": "space", "unit": "micrometer"}


def write(path, shape, metadata, version=2):
    """Write a group with one array, and what is said of it."""
    group = zarr.open_group(str(path), mode="w", zarr_format=version)
    array = group.create_array("0", shape=shape, dtype="uint16", chunks=shape)
    array[...] = np.arange(np.prod(shape)).reshape(shape)
    name = "multiscales" if version == 2 else "ome"
    group.attrs[name] = metadata
    return path


def scaled(axes, scale, **more):
    steps = [{"type": "scale", "scale": scale}]
    datasets = [{"path": "0", "coordinateTransformations": steps}]
    return [{"version": "0.4", "axes": axes, "datasets": datasets, **more}]


@pytest.mark.parametrize(
    ("names", "types", "expected"),
    [
        (("time", "channel", "y", "x"), ("time", "channel", "space", "space"), "tcyx"),
        (("Z", "Y", "X"), ("space",) * 3, "zyx"),
        (("when", "stain", "row", "column"), ("time", "channel", *["space"] * 2), 0),
        (("c", "depth", "height", "width"), (None,) * 4, "czyx"),
        (("phase", "t", "y", "x"), (None, "time", "space", "space"), "ptyx"),
        (("y", "y", "x"), ("space",) * 3, "yqx"),
        (("z", "depth", "y", "x"), ("space",) * 4, "zdyx"),
    ],
)
def test_axes_are_known_by_type_or_name(tmp_path, names, types, expected):
    axes = [
        {"name": name} | ({"type": kind} if kind else {})
        for name, kind in zip(names, types, strict=True)
    ]
    scale = [1] * (len(names) - 2) + [0.5, 0.25]
    shape = (2, 3, 8, 9)[-len(names) :]
    path = write(tmp_path / "a.zarr", shape, scaled(axes, scale))
    image = segkit.open_image(path)
    assert image.axes == (expected or "tcyx")
    assert image.spacing[-2:] == (0.5, 0.25)
    given = "abyx"[-len(names) :]
    assert segkit.open_image(path, axes=given).axes == given


@pytest.mark.parametrize("version", ["0.1", "0.2"])
def test_versions_without_axes_have_always_five(tmp_path, version):
    metadata = [{"version": version, "datasets": [{"path": "0"}]}]
    image = segkit.open_image(write(tmp_path / "a.zarr", (1, 1, 2, 8, 9), metadata))
    assert (image.axes, image.spacing) == ("tczyx", (1,) * 5)


def test_a_version_with_names_only(tmp_path):
    datasets = [{"path": "0"}]
    metadata = [{"version": "0.3", "axes": ["z", "y", "x"], "datasets": datasets}]
    path = write(tmp_path / "a.zarr", (2, 8, 9), metadata)
    assert segkit.open_image(path).axes == "zyx"


def of_systems(steps):
    axes = [{"name": "y", **SPACE}, {"name": "x", **SPACE}]
    systems = [{"name": "physical", "axes": axes}]
    datasets = [{"path": "0", "coordinateTransformations": steps}]
    multiscales = [{"coordinateSystems": systems, "datasets": datasets}]
    return {"version": "0.6", "multiscales": multiscales}


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ({"type": "scale", "scale": [0.5, 0.25]}, (0.5, 0.25)),
        (
            {
                "type": "sequence",
                "transformations": [
                    {"type": "scale", "scale": [0.5, 0.25]},
                    {"type": "translation", "translation": [3, 4]},
                ],
            },
            (0.5, 0.25),
        ),
        ({"type": "rotation", "rotation": [[0, 1], [1, 0]]}, (1, 1)),
    ],
)
def test_axes_within_coordinate_systems(tmp_path, step, expected):
    steps = [{**step, "input": "0", "output": "physical"}]
    path = write(tmp_path / "a.zarr", (8, 9), of_systems(steps), version=3)
    image = segkit.open_image(path)
    assert (image.axes, image.spacing) == ("yx", expected)
    assert image.units == ("micrometer" if expected[0] != 1 else "pixel",) * 2


def test_a_version_that_says_nothing_of_axes_is_asked_for_them(tmp_path):
    metadata = {"version": "0.9", "multiscales": [{"datasets": [{"path": "0"}]}]}
    path = write(tmp_path / "a.zarr", (8, 9), metadata, version=3)
    with pytest.raises(
        ImageRequestError, match=r"version '0.9' without axes; give axes"
    ):
        segkit.open_image(path)
    assert segkit.open_image(path, axes="yx").axes == "yx"


@pytest.mark.parametrize("scale", [[0, 0.5, 0.5], [0.5, 0.5], [-1, 0.5, 0.5]])
def test_a_scale_that_cannot_be_is_unknown_and_can_be_given(tmp_path, scale):
    axes = [{"name": name, **SPACE} for name in "zyx"]
    path = write(tmp_path / "a.zarr", (2, 8, 9), scaled(axes, scale))
    with pytest.warns(SpacingWarning, match=r"a.zarr: states a step of .* along 'z'"):
        assert segkit.open_image(path).spacing[0] == 1
    assert segkit.open_image(path, spacing=(3, 2, 1)).spacing == (3, 2, 1)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_an_array_of_an_image_knows_what_the_image_says_of_it(tmp_path, version):
    steps = {"spacing": (2, 0.5, 0.5), "units": "micrometer", "axes": "zyx"}
    options = {"levels": 2, "ome_version": version}
    array = np.zeros((4, 8, 8), np.uint8)
    path = segkit.save(tmp_path / "a.zarr", array, **steps, **options)
    for level in range(2):
        image = segkit.open_image(path / str(level))
        whole = segkit.open_image(path, level=level)
        assert (image.spacing, image.units) == (whole.spacing, whole.units)
        assert segkit.open_image(f"{path}::{level}").spacing == whole.spacing


def test_names_of_dimensions_are_kept(tmp_path):
    for version, names in ((3, ("time", "y", "x")), (3, ("Z", "Y", "X")), (3, None)):
        path = tmp_path / f"{names}.zarr"
        zarr.create_array(
            str(path),
            data=np.zeros((2, 8, 9)),
            zarr_format=version,
            dimension_names=names,
        )
        expected = "tyx" if names and names[0] == "time" else "zyx"
        assert segkit.open_image(path).axes == expected


def test_several_images_of_a_converted_file_are_chosen_among(tmp_path):
    path = tmp_path / "a.zarr"
    group = zarr.create_group(store=str(path), zarr_format=3)
    group.attrs["ome"] = {"version": "0.5", "bioformats2raw.layout": 3}
    for series in (0, 1):
        array = np.full((8, 9), series, np.uint8)
        segkit.save(path / f"{series}.zarr", array).rename(path / str(series))
    with pytest.raises(
        ImageRequestError, match=r"has 2 images \(0, 1\); choose one by s"
    ):
        segkit.open_image(path)
    assert segkit.open_image(path, series=1).read().all()


def places(value, before=()):
    """Yield the way to each part of nested data."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for name, part in inner:
        yield (*before, name)
        if isinstance(part, (dict, list)):
            yield from places(part, (*before, name))


JUNK = st.sampled_from(
    [None, 0, -1, "x", "", [], {}, [1], {"a": 1}, True, [["z"]], 0.5]
)


@pytest.mark.parametrize("version", ["0.4", "0.5", "0.6"])
@pytest.mark.filterwarnings("ignore::segkit.io.SpacingWarning")
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(junk=JUNK, where=st.integers(0, 999))
def test_metadata_of_any_kind_give_an_image_or_an_image_error(
    tmp_path, version, junk, where
):
    path = tmp_path / "a.zarr"
    if not path.exists() and version == "0.6":
        step = {"type": "scale", "scale": [0.5, 0.25], "output": "physical"}
        write(path, (8, 9), of_systems([step]), version=3)
    elif not path.exists():
        steps = {"spacing": (2, 0.5), "units": "um", "ome_version": version}
        segkit.save(path, np.zeros((8, 9), np.uint8), **steps)
    file = path / (".zattrs" if version == "0.4" else "zarr.json")
    good = file.read_text()
    metadata = json.loads(good)
    ways = list(places(metadata))
    *way, last = ways[where % len(ways)]
    part = metadata
    for name in way:
        part = part[name]
    part[last] = junk
    try:
        file.write_text(json.dumps(metadata))
        for inner in (path, path / "0"):
            try:
                segkit.open_image(inner).read()
            except ImageError as error:
                assert "a.zarr" in str(error)  # noqa: PT017 (either outcome is right)
    finally:
        file.write_text(good)
