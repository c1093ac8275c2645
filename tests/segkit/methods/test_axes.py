"""Objects extend along axes of space, at their spacing, and along no others."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import segkit
from segkit.io import as_image
from segkit.methods import classic
from segkit.methods.membranes import membrane_map, segment_cells
from segkit.methods.nuclei import segment_nuclei

SMALL_DISCS = partial(classic.distance_watershed, sigma=2, min_distance=6, min_size=20)
METHODS = {"segment_nuclei": segment_nuclei, "distance_watershed": SMALL_DISCS}
PLANES_ONLY = [
    membrane_map,
    classic.mean,
    classic.otsu,
    classic.rc,
    classic.gaussian_mean,
    classic.gaussian_otsu,
]


def touching_balls(every, axis=0, seed=0):
    """Return 27 balls that touch, sampled at every so many voxels along an axis."""
    size, radius = 72, 8
    step = [1, 1, 1]
    step[axis] = every
    z, y, x = np.mgrid[: size : step[0], : size : step[1], : size : step[2]]
    mask = np.zeros(z.shape, bool)
    rng = np.random.default_rng(seed)
    for place in np.ndindex(3, 3, 3):
        a, b, c = 20 + 15 * np.array(place) + rng.integers(-1, 2, 3)
        mask |= (z - a) ** 2 + (y - b) ** 2 + (x - c) ** 2 < radius**2
    return 100.0 * mask + rng.normal(20, 4, mask.shape), tuple(step)


def frames():
    """Return a movie of three discs that move little."""
    y, x = np.mgrid[:60, :90]
    return np.stack(
        [
            100.0 * sum(np.hypot(y - 30 - t, x - c) < 10 for c in (15, 45, 75))
            for t in range(4)
        ]
    )


@pytest.mark.parametrize("every", [1, 2, 3, 4])
def test_touching_balls_are_parted_however_far_apart_the_planes_are(every):
    image, spacing = touching_balls(every)
    assert segment_nuclei(image, spacing=spacing).max() == 27
    found = classic.distance_watershed(
        image, spacing=spacing, sigma=2, min_distance=6, min_size=20
    )
    assert found.max() == 27


def test_the_coarse_axis_may_be_any():
    image, spacing = touching_balls(4, axis=2)
    assert segment_nuclei(image, spacing=spacing).max() == 27


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_only_ratios_of_the_spacing_matter(method):
    image, (dz, dy, dx) = touching_balls(4)
    image = image[:, :36]
    expected = method(image, spacing=(dz, dy, dx))
    nanometres = (250.0 * dz, 250.0 * dy, 250.0 * dx)
    np.testing.assert_array_equal(method(image, spacing=nanometres), expected)


def test_a_plane_may_have_oblong_pixels():
    y, x = np.mgrid[:120:3, :160]
    discs = sum(np.hypot(y - 60, x - c) < 18 for c in (40, 72, 104, 136)) > 0
    assert segment_nuclei(100.0 * discs, spacing=(3, 1)).max() == 4


def test_a_single_plane_is_a_volume_too():
    plane = frames()[0]
    volume = segment_nuclei(plane[None], spacing=(5, 1, 1))
    assert volume.max() == segment_nuclei(plane).max() == 3


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("shape", [(2, 40, 40), (5, 40, 40), (2, 3, 40, 40)])
def test_an_array_of_unnamed_axes_is_no_volume_unasked(method, shape):
    with pytest.raises(ValueError, match=r"image has \d axes.*axes='tz?yx'"):
        method(np.zeros(shape))


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("name", ["t", "c"])
def test_frames_and_channels_are_taken_one_by_one(method, name):
    movie = frames()
    labels = method(movie, axes=f"{name}yx")
    assert labels.shape == movie.shape
    assert labels.max() == sum(method(frame).max() for frame in movie)
    for one, frame in zip(labels, movie, strict=True):
        np.testing.assert_array_equal(one > 0, method(frame) > 0)
    ids = [set(np.unique(one)) - {0} for one in labels]
    assert sum(map(len, ids)) == len(set.union(*ids)) == labels.max()


def test_axes_stand_where_they_are_named():
    movie = frames()
    first = segment_nuclei(movie, axes="tyx")
    last = segment_nuclei(np.ascontiguousarray(np.moveaxis(movie, 0, -1)), axes="yxt")
    np.testing.assert_array_equal(np.moveaxis(last, -1, 0), first)
    balls, spacing = touching_balls(4)
    assert segment_nuclei(balls[None], axes="tzyx", spacing=spacing).max() == 27


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ("yx", "give two or more, and each"),
        ("tty", "each a letter of its own"),
        ("tcx", "name 1 of space"),
        ("ZYX", "name 0 of space"),
    ],
)
def test_names_that_do_not_fit_are_refused(axes, words):
    with pytest.raises(ValueError, match=words):
        segment_nuclei(np.zeros((4, 40, 40)), axes=axes)
    with pytest.raises(TypeError, match="axes is 3"):
        segment_nuclei(np.zeros((4, 40, 40)), axes=3)


@pytest.mark.parametrize("spacing", [0, -1, (1, 0, 1), (1, np.nan, 1)])
def test_a_spacing_that_no_voxel_has_is_refused(spacing):
    for method in METHODS.values():
        with pytest.raises(ValueError, match="spacing is"):
            method(np.zeros((4, 40, 40)), spacing=spacing)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_an_opened_image_says_its_axes_and_spacing(tmp_path, method):
    image, spacing = touching_balls(4)
    image = image[:, :36]
    path = segkit.save(
        tmp_path / "balls.tif", np.float32(image), spacing=spacing, units="micrometer"
    )
    opened = segkit.open_image(path)
    expected = method(np.float32(image), spacing=spacing)
    np.testing.assert_array_equal(method(opened), expected)


@pytest.mark.filterwarnings("ignore:nobody says how far")  # planes of noise look so
@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_file_that_does_not_say_its_axes_is_no_volume_unasked(tmp_path, method):
    movie = frames()
    path = segkit.save(tmp_path / "movie.npy", movie)
    with pytest.raises(ValueError, match="image has 3 axes: a volume, a movie"):
        method(segkit.open_image(path))
    for said in ({"axes": "zyx"}, {"spacing": (1, 1, 1)}):
        expected = method(movie, **said)
        opened = segkit.open_image(path, **said)
        np.testing.assert_array_equal(method(opened), expected)
        np.testing.assert_array_equal(method(segkit.open_image(path), **said), expected)
    with pytest.raises(segkit.ColourError, match="several time points"):
        method(segkit.open_image(path, axes="tyx"))


@pytest.mark.parametrize(
    "method", [*METHODS.values(), segment_cells, *PLANES_ONLY, segkit.slic]
)
@pytest.mark.parametrize("axes", ["tyx", "cyx", "yxs"])
def test_an_opened_movie_or_picture_is_refused(method, axes):
    image = as_image(np.uint8(frames().reshape(60, 90, 4)), axes="yxs")
    if axes != "yxs":
        image = as_image(np.uint8(frames()), axes=axes)
    with pytest.raises(segkit.ColourError, match="choose one"):
        method(image)


@pytest.mark.parametrize("name", ["t", "c"])
def test_an_opened_movie_is_taken_apart_where_that_is_said(name):
    movie = as_image(frames(), axes=f"{name}yx", spacing=(0.5, 0.5))
    found = segment_nuclei(movie, axes=movie.axes)
    np.testing.assert_array_equal(found, segment_nuclei(frames(), axes="tyx"))


@pytest.mark.parametrize("method", PLANES_ONLY)
def test_methods_for_planes_refuse_stacks(method):
    with pytest.raises(ValueError, match=r"shape \(4, 60, 90\)"):
        method(np.uint8(frames()))


def test_dark_nuclei_are_found_where_it_is_said_that_they_are_dark():
    image = np.uint8(frames()[0])
    expected = segment_nuclei(image)
    found = segment_nuclei(255 - image, polarity="dark")
    np.testing.assert_array_equal(found, expected)
    assert expected.max() == 3
    with pytest.raises(ValueError, match="unknown polarity 'down'; use one of"):
        segment_nuclei(image, polarity="down")


def test_bright_membranes_are_found_where_it_is_said_that_they_are_bright():
    section = np.full((64, 64), 200.0)
    section[:, 30:34] = 40
    for method in (membrane_map, segment_cells):
        found = method(240 - section, polarity="bright")
        np.testing.assert_allclose(found, method(section), rtol=1e-9)
        with pytest.raises(ValueError, match="unknown polarity"):
            method(section, polarity="up")


@pytest.mark.parametrize(
    "method", [segment_nuclei, partial(classic.distance_watershed, min_size=0)]
)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_volume_of_one_plane_is_that_plane(method, axis):
    y, x = np.mgrid[:64, :96]
    discs = [(32, 30, 12), (32, 52, 12), (30, 80, 11)]  # the first two touch
    plane = 100.0 * (sum((y - a) ** 2 + (x - b) ** 2 <= r * r for a, b, r in discs) > 0)
    alone = method(plane)
    assert alone.max() in (2, 3)
    spacing = np.insert([1.0, 1.0], axis, 7.0)
    volume = np.expand_dims(plane, axis)
    thick = method(volume, spacing=spacing)
    np.testing.assert_array_equal(thick, np.expand_dims(alone, axis))


def test_an_opened_movie_is_refused_with_the_way_to_take_each_frame(tmp_path):
    path = segkit.save(tmp_path / "movie.tif", frames(), axes="tyx")
    movie = segkit.open_image(path)
    with pytest.raises(segkit.io.ColourError, match="axes='tyx' does so, too"):
        segment_nuclei(movie)
    found = segment_nuclei(movie, axes="tyx")
    np.testing.assert_array_equal(found, segment_nuclei(frames(), axes="tyx"))
