from __future__ import annotations

import numpy as np
import pytest
from imageio import v3 as iio

from segkit import pictures
from segkit.thresholding.methods import try_all
from segkit.tiling.boxes import Box


def test_contours_are_the_rim_of_each_object():
    labels = np.zeros((7, 7), int)
    labels[1:6, 1:6] = 3
    drawn = pictures.overlay(np.zeros((7, 7)), labels, fill=0).any(axis=-1)
    expected = labels > 0
    expected[2:5, 2:5] = False
    np.testing.assert_array_equal(drawn, expected)


def test_an_overlay_without_labels_is_the_image():
    image = np.arange(12).reshape(3, 4)
    np.testing.assert_array_equal(
        pictures.overlay(image, np.zeros((3, 4), int)), pictures.grey_picture(image)
    )


def test_a_volume_is_shown_by_its_plane():
    volume = np.random.default_rng(0).normal(size=(5, 8, 9))
    shown = pictures.overlay(volume, np.ones((5, 8, 9), int), plane=4, fill=0)
    np.testing.assert_array_equal(
        shown[1:-1, 1:-1], pictures.grey_picture(volume[4])[1:-1, 1:-1]
    )


def test_saved_pictures_are_read_back(tmp_path):
    rgb = np.random.default_rng(0).integers(0, 255, (6, 8, 3)).astype(np.uint8)
    pictures.save_png(tmp_path / "a.png", rgb)
    np.testing.assert_array_equal(iio.imread(tmp_path / "a.png"), rgb)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_pictures_are_written_by_the_rules_of_all_files(tmp_path):
    first, second = np.zeros((3, 4), np.uint8), np.ones((3, 4), np.uint8)
    path = tmp_path / "new" / "a.png"
    pictures.save_png(path, first)
    with pytest.raises(FileExistsError, match=r"a\.png: exists already"):
        pictures.save_png(path, second)
    np.testing.assert_array_equal(iio.imread(path), first)
    pictures.save_png(path, second, overwrite=True)
    np.testing.assert_array_equal(iio.imread(path), second)
    with pytest.raises(ValueError, match=r"pp\.tif: is no name of a PNG file"):
        pictures.save_png(tmp_path / "new" / "pp.tif", first)
    (tmp_path / "b.png").mkdir()
    with pytest.raises(FileExistsError, match=r"b\.png: is a folder"):
        pictures.save_png(tmp_path / "b.png", first, overwrite=True)
    assert [file.name for file in path.parent.iterdir()] == ["a.png"]


def test_notebooks_get_a_png(tmp_path):
    rgb = np.full((3, 5, 3), 9, np.uint8)
    picture = pictures.Picture(rgb)
    np.testing.assert_array_equal(iio.imread(picture._repr_png_()), rgb)
    picture.save(tmp_path / "p.png")
    assert (tmp_path / "p.png").read_bytes() == picture._repr_png_()


def test_the_zoom_shows_the_same_detail_of_each_picture():
    left = np.random.default_rng(0).integers(0, 255, (40, 60, 3)).astype(np.uint8)
    right = 255 - left
    zoom = Box((10, 20), (20, 35))
    sheet = pictures.side_by_side({"a": left, "b": right}, zoom=zoom, magnify=2)
    for picture, x in ((left, 0), (right, 66)):
        detail = sheet[-20:, x : x + 30]
        np.testing.assert_array_equal(detail[::2, ::2], picture[zoom.slices])


def test_a_sheet_holds_every_picture_with_its_caption():
    cells = {f"t = {t}": np.full((30, 40, 3), t, np.uint8) for t in (90, 120, 150)}
    sheet = pictures.contact_sheet(cells, columns=2)
    for value in (90, 120, 150):
        assert (sheet == value).all(axis=-1).sum() >= 30 * 40
    assert (sheet.max(axis=-1) > 200).any()  # letters
    plain = pictures.contact_sheet(cells, columns=2, captions=False)
    assert plain.shape == (66, 86, 3)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: pictures.contact_sheet({}), "no pictures"),
        (lambda: pictures.side_by_side({}), "at least one"),
        (
            lambda: pictures.side_by_side({"a": np.ones((4, 4)), "b": np.ones((4, 5))}),
            "sizes",
        ),
        (
            lambda: pictures.side_by_side(
                {"a": np.ones((4, 4))}, zoom=Box((0, 0), (5, 2))
            ),
            "not inside",
        ),
        (lambda: pictures.overlay(np.ones((4, 4)), np.ones((4, 5), int)), "do not lie"),
        (lambda: pictures.save_png("x.png", np.ones((4, 4))), "float64 is no picture"),
        (lambda: pictures.grey_picture(np.ones(4)), "is no picture; give .y, x., .z"),
    ],
)
def test_what_cannot_be_drawn_is_named(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_not_a_number_is_drawn_black():
    image = np.array([[np.nan, 1.0], [2.0, np.inf]])
    assert pictures.grey_picture(image)[0, 0].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda a: pictures.overlay(a[0], a[0] > 3, fill=9), ValueError, "fill is 9"),
        (lambda a: pictures.overlay(a[0], a[0] > 3, fill=-1), ValueError, "fill is -1"),
        (
            lambda a: pictures.overlay(a, a, plane=7),
            ValueError,
            r"plane is 7, but .* has planes 0 to 4",
        ),
        (lambda a: pictures.grey_picture(a * 1j), TypeError, "take the real part"),
        (
            lambda a: pictures.contact_sheet({"a": a}, columns=0),
            ValueError,
            "columns is 0",
        ),
    ],
)
def test_what_cannot_be_shown_is_told_in_words(call, error, message):
    with pytest.raises(error, match=message):
        call(np.arange(5 * 6 * 7).reshape(5, 6, 7))


VOLUME = np.arange(5 * 6 * 7, dtype=np.uint8).reshape(5, 6, 7)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: pictures.overlay(VOLUME, VOLUME[:3]), ValueError, "do not lie"),
        (
            lambda: pictures.overlay(VOLUME, VOLUME[2]),
            ValueError,
            r"labels of shape .6, 7. do",
        ),
        (
            lambda: pictures.overlay(VOLUME[2], VOLUME),
            ValueError,
            r"an image of .6, 7.",
        ),
        (
            lambda: pictures.overlay(VOLUME[0], VOLUME[0].astype(int) - 1),
            ValueError,
            "labels holds the id -1",
        ),
        (
            lambda: pictures.overlay(np.ones((0, 5)), np.ones((0, 5), int)),
            ValueError,
            "image is empty: axis 0",
        ),
        (lambda: pictures.grey_picture(np.ones((4, 0))), ValueError, "is empty"),
        (lambda: pictures.label_colours([[0, -7]]), ValueError, "holds the id -7"),
        (
            lambda: pictures.contact_sheet({"a": VOLUME}, width=0),
            ValueError,
            "width is 0, but must be at least 1",
        ),
        (lambda: pictures.side_by_side([VOLUME]), TypeError, "came as list; give a"),
        (lambda: pictures.contact_sheet([VOLUME]), TypeError, "mapping of captions"),
    ],
)
def test_what_would_be_drawn_wrong_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_mask_of_an_array_is_not_ignored():
    masked = np.ma.masked_greater(VOLUME[0], 9)
    for call in (
        lambda: pictures.grey_picture(masked),
        lambda: pictures.overlay(masked, VOLUME[0]),
        lambda: pictures.overlay(VOLUME[0], masked),
        lambda: pictures.contact_sheet({"a": masked}),
    ):
        with pytest.raises(TypeError, match="is a masked array"):
            call()


@pytest.mark.parametrize(("value", "shade"), [(0, 0), (-3, 0), (7, 255), (True, 255)])
def test_an_image_of_one_value_is_black_or_white(value, shade):
    assert (pictures.grey_picture(np.full((4, 5), value)) == shade).all()


@pytest.mark.parametrize("few", [False, True])
def test_a_few_pixels_that_differ_are_seen(few):
    mask = np.full((50, 50), not few)
    mask[3, 4] = few
    np.testing.assert_array_equal(pictures.grey_picture(mask)[..., 0], mask * 255)


def test_trials_of_thresholds_are_laid_out_by_their_masks():
    image = np.random.default_rng(0).normal(size=(40, 60))
    trials = try_all(image, ["otsu", "mean"])
    np.testing.assert_array_equal(
        pictures.contact_sheet(trials),
        pictures.contact_sheet({name: trial.mask for name, trial in trials.items()}),
    )


def test_captions_may_be_numbers_as_parameters_are():
    named = pictures.contact_sheet({"0.5": VOLUME[0], "1": VOLUME[1]})
    numbers = {0.5: VOLUME[0], 1: VOLUME[1]}
    np.testing.assert_array_equal(pictures.contact_sheet(numbers), named)
    assert pictures.side_by_side(numbers).shape[2] == 3
