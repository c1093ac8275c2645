"""Every format gives back the voxels, the axes and the spacing that were written."""

import os
import pickle
from pathlib import Path

import h5py
import imageio.v3
import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import HealthCheck, given, settings, strategies as st

import segkit
from segkit.io import ColourError, DamagedImageError, ImageRequestError
from segkit.tiling.boxes import Box

VOLUME = np.random.default_rng(0).integers(0, 60000, (5, 70, 90)).astype(np.uint16)
SPACING = (2.0, 0.3, 0.25)
BOX = Box((1, 13, 20), (4, 64, 81))


@pytest.fixture
def volume(tmp_path):
    def save(name, array=VOLUME, **options):
        return segkit.save(tmp_path / name, array, **options)

    return save


@pytest.mark.parametrize(
    "name", ["a.npy", "a.tif", "a.ome.tif", "a.zarr", "a.h5", "planes"]
)
def test_saved_volume_reads_back_by_box(volume, name):
    image = segkit.open_image(volume(name))
    assert (image.shape, image.axes, image.dtype) == (VOLUME.shape, "zyx", VOLUME.dtype)
    np.testing.assert_array_equal(image.read(BOX), VOLUME[BOX.slices])
    np.testing.assert_array_equal(np.asarray(image), VOLUME)
    np.testing.assert_array_equal(image[2, :5], VOLUME[2, :5])


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif", "a.zarr", "a.h5"])
def test_spacing_and_units_are_carried_along(volume, name):
    path = volume(name, spacing=SPACING, units="micrometer")
    image = segkit.open_image(path)
    assert image.spacing == pytest.approx(SPACING)
    assert image.units == ("micrometer",) * 3


@pytest.mark.parametrize("ome_version", ["0.4", "0.5"])
def test_ome_zarr_is_plain_zarr_with_multiscales(volume, ome_version):
    path = volume("a.zarr", ome_version=ome_version, spacing=SPACING, levels=3)
    group = zarr.open_group(str(path), mode="r")
    attributes = group.attrs.asdict()
    scales = attributes if ome_version == "0.4" else attributes["ome"]
    datasets = scales["multiscales"][0]["datasets"]
    np.testing.assert_array_equal(group["0"][:], VOLUME)
    assert [dataset["path"] for dataset in datasets] == ["0", "1", "2"]
    coarse = segkit.open_image(path, level=1)
    assert coarse.shape == (3, 35, 45)
    assert coarse.spacing == (4.0, 0.6, 0.5)
    assert segkit.open_image(path).levels == 3


def test_pyramid_of_labels_invents_no_label(volume):
    labels = np.zeros((9, 33, 31), np.int32)
    labels[2:7, 4:20, 5:22] = 1000
    labels[2:7, 20:30, 5:22] = 7
    path = volume("labels.zarr", labels, labels=True, levels=3)
    for level in (1, 2):
        found = np.unique(np.asarray(segkit.open_image(path, level=level)))
        assert set(found) <= {0, 7, 1000}
    assert "image-label" in zarr.open_group(str(path)).attrs["ome"]


def test_label_volume_compresses(volume):
    labels = np.zeros((16, 256, 256), np.int32)
    labels[4:12, 40:200, 40:200] = 3
    path = volume("labels.zarr", labels, labels=True)
    stored = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    assert stored < labels.nbytes / 100


@pytest.mark.parametrize(
    "options",
    [
        {"tile": (32, 48), "compression": "zlib"},
        {"rowsperstrip": 7, "compression": "zstd"},
        {"tile": (32, 48), "compression": "lzw", "bigtiff": True},
        {"tile": (32, 48)},
        {"rowsperstrip": 11, "byteorder": ">"},
        {"bigtiff": True},
        {"compression": "zlib", "predictor": True, "byteorder": ">"},
    ],
    ids=str,
)
def test_tiff_of_any_layout_reads_by_box(tmp_path, options):
    tifffile.imwrite(tmp_path / "a.tif", VOLUME, metadata={"axes": "ZYX"}, **options)
    image = segkit.open_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.read(BOX), VOLUME[BOX.slices])
    np.testing.assert_array_equal(np.asarray(image), VOLUME)
    assert image.read().dtype.isnative


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_every_box_of_a_tiled_tiff_is_right(tmp_path, data):
    path = tmp_path / "tiled.tif"
    if not path.exists():
        tifffile.imwrite(path, VOLUME, tile=(16, 32), compression="zlib")
    bounds = []
    for length in VOLUME.shape:
        start = data.draw(st.integers(0, length))
        bounds.append((start, data.draw(st.integers(start, length))))
    box = Box(tuple(a for a, _ in bounds), tuple(b for _, b in bounds))
    voxels = segkit.open_image(path).read(box.slices)
    np.testing.assert_array_equal(voxels, VOLUME[box.slices])


def test_separate_tiff_stack_of_pages_is_a_volume(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for plane in VOLUME:
            writer.write(plane, contiguous=False, metadata=None, compression="zlib")
    image = segkit.open_image(tmp_path / "a.tif")
    assert image.axes == "zyx"
    np.testing.assert_array_equal(image.read(BOX), VOLUME[BOX.slices])


def test_imagej_stack_keeps_its_spacing(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif",
        VOLUME,
        imagej=True,
        resolution=(1 / 0.25, 1 / 0.3),
        metadata={"spacing": 2.0, "unit": "um", "axes": "ZYX"},
    )
    image = segkit.open_image(tmp_path / "a.tif")
    assert image.spacing == pytest.approx(SPACING, rel=1e-4)
    assert image.units == ("micrometer",) * 3


def test_foreign_ome_tiff_in_five_axes(tmp_path):
    movie = np.arange(2 * 3 * 4 * 8 * 9, dtype=np.uint16).reshape(2, 3, 4, 8, 9)
    tifffile.imwrite(
        tmp_path / "a.ome.tif",
        movie,
        metadata={
            "axes": "TCZYX",
            "PhysicalSizeZ": 500.0,
            "PhysicalSizeZUnit": "nm",
            "PhysicalSizeX": 0.1,
            "PhysicalSizeXUnit": "µm",
        },
    )
    image = segkit.open_image(tmp_path / "a.ome.tif", channel=1, select={"t": 1})
    assert (image.axes, image.spacing) == ("zyx", (500.0, 1.0, 0.1))
    assert image.units == ("nanometer", "pixel", "micrometer")
    np.testing.assert_array_equal(np.asarray(image), movie[1, 1])


def test_tiff_pyramid_levels(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        options = {"tile": (16, 16), "compression": "zlib"}
        writer.write(VOLUME[0], subifds=1, **options)
        writer.write(VOLUME[0, ::2, ::2], subfiletype=1, **options)
    image = segkit.open_image(tmp_path / "a.tif", level=1)
    assert (image.levels, image.spacing) == (2, (2.0, 2.0))
    np.testing.assert_array_equal(np.asarray(image), VOLUME[0, ::2, ::2])


def test_folder_is_sorted_by_number(tmp_path):
    for number in (1, 2, 9, 10, 11):
        plane = np.full((4, 5), number, np.uint8)
        imageio.v3.imwrite(tmp_path / f"plane{number}.png", plane)
    image = segkit.open_image(tmp_path)
    assert image.read()[:, 0, 0].tolist() == [1, 2, 9, 10, 11]
    assert segkit.open_image(tmp_path, pattern="*1*.png").shape == (3, 4, 5)


def test_hdf5_dataset_by_key_or_path(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["raw/volume"] = VOLUME
        file["other"] = VOLUME[0]
        file["raw/volume"].attrs["element_size_um"] = SPACING
    image = segkit.open_image(f"{tmp_path}/a.h5::raw/volume")
    assert image.spacing == SPACING
    np.testing.assert_array_equal(image.read(BOX), VOLUME[BOX.slices])
    assert segkit.open_image(tmp_path / "a.h5", key="other").axes == "yx"
    with pytest.raises(ImageRequestError, match=r"2 datasets .*key="):
        segkit.open_image(tmp_path / "a.h5")
    with pytest.raises(ImageRequestError, match="no dataset 'nothing'"):
        segkit.open_image(tmp_path / "a.h5", key="nothing")


def test_plain_zarr_arrays_of_both_formats(tmp_path):
    for version in (2, 3):
        array = zarr.create_array(
            str(tmp_path / f"{version}.zarr"),
            data=VOLUME,
            chunks=(2, 32, 32),
            zarr_format=version,
        )
        image = segkit.open_image(tmp_path / f"{version}.zarr")
        np.testing.assert_array_equal(image.read(BOX), array[BOX.slices])


def test_series_of_a_converted_file(tmp_path):
    path = tmp_path / "converted.zarr"
    root = zarr.create_group(store=str(path), zarr_format=3)
    root.attrs["ome"] = {"version": "0.5", "bioformats2raw.layout": 3}
    for series in (0, 1):
        segkit.save(path / f"{series}.zarr", VOLUME + series).rename(path / str(series))
    np.testing.assert_array_equal(segkit.open_image(path, series=1)[:], VOLUME + 1)


def test_labels_inside_an_image(tmp_path):
    path = segkit.save(tmp_path / "a.zarr", VOLUME)
    (path / "labels").mkdir()
    labels = segkit.save(path / "labels" / "nuclei.zarr", VOLUME // 2, labels=True)
    labels.rename(path / "labels" / "nuclei")
    image = segkit.open_image(f"{path}::labels/nuclei")
    np.testing.assert_array_equal(image[:], VOLUME // 2)


def test_sharded_zarr_and_its_missing_shard(tmp_path):
    path = tmp_path / "a.zarr"
    shards = {"chunks": (2, 16, 16), "shards": (4, 32, 48)}
    zarr.create_array(str(path), data=VOLUME, **shards)
    np.testing.assert_array_equal(segkit.open_image(path).read(BOX), VOLUME[BOX.slices])
    (path / "c" / "0" / "1" / "0").unlink()
    with pytest.raises(DamagedImageError, match="'c/0/1/0' is missing"):
        segkit.open_image(path).read(BOX)


@pytest.fixture(params=["0.4", "0.5"])
def plate(tmp_path, request):
    """A plate of two wells with two fields each, as other programs write it."""
    path = tmp_path / "plate.zarr"
    wrap = (lambda x: x) if request.param == "0.4" else (lambda x: {"ome": x})
    root = zarr.create_group(
        store=str(path), zarr_format=2 if request.param == "0.4" else 3
    )
    root.attrs.update(wrap({"plate": {"wells": [{"path": "A/1"}, {"path": "B/12"}]}}))
    for number, name in enumerate(("A/1", "B/12")):
        well = root.create_group(name)
        well.attrs.update(wrap({"well": {"images": [{"path": "0"}, {"path": "1"}]}}))
        for field in (0, 1):
            voxels = VOLUME[None, :2] + number * 10 + field
            segkit.save(
                path / name / f"{field}.zarr",
                voxels,
                axes="czyx",
                spacing=SPACING,
                units="micrometer",
                ome_version=request.param,
            ).rename(path / name / str(field))
    return path


def test_plate_is_read_per_well(plate):
    found = segkit.open_plate(plate)
    assert found.wells == ("A/1", "B/12")
    assert found.fields("B/12") == ("0", "1")
    image = found.open("B/12", 1)
    assert (image.axes, image.spacing) == ("czyx", (1.0, *SPACING))
    np.testing.assert_array_equal(image.read()[0], VOLUME[:2] + 11)
    same = segkit.open_image(plate, well="B/12", series=1)
    np.testing.assert_array_equal(same.read(), image.read())


def test_plate_asks_for_a_well(plate):
    with pytest.raises(ImageRequestError, match=r"plate.*well='...': A/1, B/12"):
        segkit.open_image(plate)
    with pytest.raises(ImageRequestError, match=r"no well 'C/1', only A/1"):
        segkit.open_image(plate, well="C/1")
    with pytest.raises(ImageRequestError, match="2 fields"):
        segkit.open_image(plate, well="A/1", series=2)


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp"])
def test_colour_where_grey_is_expected_says_what_to_do(tmp_path, suffix):
    picture = np.random.default_rng(1).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    path = (
        segkit.save(tmp_path / f"a.{suffix}", picture, axes="yxs")
        if (suffix != "bmp")
        else tmp_path / "a.bmp"
    )
    if suffix == "bmp":
        imageio.v3.imwrite(path, picture)
    image = segkit.open_image(path)
    assert image.axes == "yxs"
    with pytest.raises(ColourError, match=r"channel=0, or mix them by to_grey=True"):
        image.spatial()
    green = segkit.open_image(path, channel=1)
    np.testing.assert_array_equal(green.spatial().read(), picture[..., 1])
    grey = segkit.open_image(path, to_grey=True).read()
    expected = picture @ np.array([0.2125, 0.7154, 0.0721])
    assert grey.dtype == np.uint8
    assert np.abs(grey - expected).max() <= 0.5


def test_planar_colour_tiff(tmp_path):
    planes = np.random.default_rng(1).integers(0, 255, (3, 40, 50), dtype=np.uint8)
    tifffile.imwrite(
        tmp_path / "a.tif",
        planes,
        photometric="rgb",
        planarconfig="separate",
        rowsperstrip=7,
        compression="zlib",
    )
    image = segkit.open_image(tmp_path / "a.tif", channel=2)
    np.testing.assert_array_equal(image.read((slice(3, 20),)), planes[2, 3:20])


@pytest.mark.parametrize(
    "name", ["a.tif", "a.ome.tif", "a.npy", "a.zarr", "a.h5", "a.png"]
)
def test_image_pickles_and_reads_after(volume, name):
    array = VOLUME[0] if name.endswith("png") else VOLUME
    image = segkit.open_image(volume(name, array))
    np.testing.assert_array_equal(image.read(), array)
    again = pickle.loads(pickle.dumps(image))
    np.testing.assert_array_equal(again.read(), array)


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int8", "int32", "int64", "float32", "float64"]
)
@pytest.mark.parametrize("name", ["a.npy", "a.tif", "a.zarr", "a.h5"])
def test_dtypes_are_kept(volume, name, dtype):
    array = (VOLUME[:, :9, :11] % 100).astype(dtype)
    image = segkit.open_image(volume(name, array))
    assert image.dtype == dtype
    np.testing.assert_array_equal(image.read(), array)


@pytest.mark.parametrize("name", ["a.npy", "a.tif", "a.zarr", "a.h5"])
@pytest.mark.parametrize("shape", [(1, 40, 40), (3, 1, 7), (3, 7, 1), (1, 1, 1)])
def test_axes_of_length_one_survive(volume, name, shape):
    array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    image = segkit.open_image(volume(name, array))
    assert image.axes == "zyx"
    np.testing.assert_array_equal(image.read(), array)


def test_empty_axis(volume):
    empty = np.zeros((0, 4, 5), np.uint8)
    assert segkit.open_image(volume("a.npy", empty)).read().shape == (0, 4, 5)
    with pytest.raises(ImageRequestError, match="empty shape"):
        volume("a.tif", empty)


@pytest.mark.parametrize("compression", ["zlib", "zstd", "lzw"])
def test_compressed_tiff_by_box(volume, compression):
    big = np.zeros((3, 300, 600), np.int32)
    big[1, 20:280, 30:500] = 5
    path = volume("labels.tif", big, compression=compression, labels=True)
    assert path.stat().st_size < big.nbytes / 20
    box = Box((1, 200, 400), (3, 300, 600))
    np.testing.assert_array_equal(segkit.open_image(path).read(box), big[box.slices])


def test_a_lazy_image_is_copied_with_what_it_knows(volume, tmp_path):
    first = volume("a.tif", spacing=SPACING, units="micrometer")
    second = segkit.save(tmp_path / "b.zarr", segkit.open_image(first))
    copy = segkit.open_image(second)
    assert copy.spacing == SPACING
    assert copy.units == ("micrometer",) * 3
    np.testing.assert_array_equal(copy.read(), VOLUME)


@pytest.mark.skipif("SEGKIT_DATA" not in os.environ, reason="no data set")
def test_real_nuclei_open_as_grey():
    folder = Path(os.environ["SEGKIT_DATA"], "coelho2009", "ic100")
    picture = min(folder.rglob("*.png"))
    image = segkit.open_image(picture)
    grey = image if image.axes == "yx" else segkit.open_image(picture, channel=0)
    assert min(grey.spatial().shape) > 500


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("a.ome.tif", "f2"), ("a.ome.tif", "c8"), ("a.tif", "c16"), ("a.tif", "g")],
)
def test_voxels_that_tiff_cannot_hold_are_refused_in_words(tmp_path, name, dtype):
    with pytest.raises(ImageRequestError, match=r"TIFF cannot hold .*; convert to flo"):
        segkit.save(tmp_path / name, np.zeros((4, 4), dtype))
    assert not list(tmp_path.iterdir())
