"""Tiles that many workers write elsewhere, each its own chunks, are the whole image."""

import json
import pickle
import subprocess
import sys
import urllib.request

import numpy as np
import pytest
import zarr

import segkit
from segkit.io import (
    DamagedImageError,
    ImageRequestError,
    MisalignedWriteError,
    UnfinishedImageError,
)
from segkit.io.described import as_image
from segkit.io.elsewhere.constructing import Construction
from segkit.io.elsewhere.place import Place
from segkit.io.formats import format_of
from segkit.io.options import SaveOptions

VOLUME = np.random.default_rng(3).integers(0, 90, (12, 20, 24)).astype(np.uint16)
VOLUME[:8, :16] = 0  # chunks of the fill value are stored as well
CHUNKS = (8, 16, 16)
ABOUT = {"axes": "zyx", "spacing": (40, 8, 8), "units": "nanometer"}


@pytest.fixture(
    params=[
        *("s3 a.zarr", "s3 a.precomputed", "gs a.n5", "gs a.zarr"),
        *("folder a.precomputed", "folder a.n5"),
    ]
)
def target(request, tmp_path):
    """Where an image of a format is written."""
    kind, name = request.param.split()
    if kind == "folder":
        return str(tmp_path / name)
    return request.getfixturevalue(kind)(name)


WORKERS = """
import multiprocessing
import sys

import numpy as np

import segkit
from segkit.tiling.cutting import tiles

address, volume = sys.argv[1], np.load(sys.argv[2])
writer = segkit.open_writer(address)
grid = [tile.write for tile in tiles(volume.shape, (8, 16, 16))]


def write(boxes):
    for box in boxes:
        writer.write(box, volume[box.slices])


write(grid[:1])  # so that forks come of a process that has a fetcher
context = multiprocessing.get_context("fork")
shares = [grid[number::3] for number in range(3)] + [grid[::4]]
workers = [context.Process(target=write, args=(share,)) for share in shares]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
    assert worker.exitcode == 0
"""
"""Some tiles are written twice, at once."""


def test_what_is_saved_is_read_back(target):
    path = segkit.save(target, VOLUME, chunks=CHUNKS, **ABOUT)
    for where in (path, target):
        image = segkit.open_image(where)
        assert (image.read() == VOLUME).all()
        found = (image.axes, image.spacing, image.unit, image.stated)
        assert found == ("zyx", (40.0, 8.0, 8.0), "nanometer", True)
    with pytest.raises(FileExistsError, match="exists already; choose another"):
        segkit.save(target, VOLUME)
    segkit.save(target, VOLUME + 1, chunks=16, overwrite=True, **ABOUT)
    assert (segkit.open_image(path).read() == VOLUME + 1).all()


def test_tiles_of_many_processes_are_the_whole(target, tmp_path):
    writer = segkit.create_image(
        target, VOLUME.shape, VOLUME.dtype, chunks=CHUNKS, **ABOUT
    )
    with pytest.raises((UnfinishedImageError, FileNotFoundError), match="not finished"):
        segkit.open_image(target)
    np.save(tmp_path / "volume.npy", VOLUME)
    command = [sys.executable, "-c", WORKERS, target, str(tmp_path / "volume.npy")]
    subprocess.run(command, check=True)
    pickle.loads(pickle.dumps(writer)).finish()
    assert (segkit.open_image(target).read() == VOLUME).all()


def test_what_was_not_written_is_told(target):
    writer = segkit.create_image(target, VOLUME.shape, np.uint16, chunks=CHUNKS)
    with pytest.raises(MisalignedWriteError, match=r"shares chunks of shape \(8, 16,"):
        writer.write((slice(0, 8), slice(0, 8), slice(0, 24)), VOLUME[:8, :8])
    with pytest.raises(ImageRequestError, match="do not fit uint16"):
        writer.write(..., VOLUME.astype(np.int32) - 1)
    part = (slice(0, 8), slice(0, 16), slice(0, 16))
    segkit.open_writer(target).write(part, VOLUME[part])
    with pytest.raises(DamagedImageError, match=r"chunks have not been written, the f"):
        writer.finish()
    writer.abandon()
    with pytest.raises(FileNotFoundError, match="no image there"):
        segkit.open_image(target)
    with pytest.raises(UnfinishedImageError, match="not under construction"):
        segkit.open_writer(target)


def test_a_segmentation_is_one_that_neuroglancer_shows(tmp_path):
    labels = VOLUME.astype(np.int32) << 12
    segkit.save(tmp_path / "a.precomputed", labels, labels=True, offset=(1, 2, 3))
    info = json.loads((tmp_path / "a.precomputed/info").read_bytes())
    assert info["@type"] == "neuroglancer_multiscale_volume"
    assert (info["type"], info["data_type"]) == ("segmentation", "uint32")
    (scale,) = info["scales"]
    assert scale["encoding"] == "compressed_segmentation"
    assert (scale["size"], scale["voxel_offset"]) == ([24, 20, 12], [3, 2, 1])
    image = segkit.open_image(tmp_path / "a.precomputed")
    assert (image.read() == labels).all()
    # What is made of it lies where it does.
    segkit.save(tmp_path / "b.precomputed", image, labels=True, compression="raw")
    info = json.loads((tmp_path / "b.precomputed/info").read_bytes())
    assert info["scales"][0]["voxel_offset"] == [3, 2, 1]
    assert info["scales"][0]["encoding"] == "raw"
    for wide in (labels.astype(np.int64) << 20, labels.astype(np.uint64)):
        segkit.save(tmp_path / "c.precomputed", wide, labels=True, overwrite=True)
        image = segkit.open_image(tmp_path / "c.precomputed")
        assert image.dtype == np.uint64
        assert (image.read() == wide).all()


@pytest.mark.parametrize(
    ("name", "compression"),
    [
        *(("a.n5", one) for one in ("raw", "gzip", "zstd", "blosc")),
        *(("a.precomputed", one) for one in ("raw", "png")),
    ],
)
def test_each_compression_keeps_the_voxels(tmp_path, name, compression):
    path = segkit.save(tmp_path / name, VOLUME, compression=compression)
    assert (segkit.open_image(path).read() == VOLUME).all()


@pytest.mark.parametrize(
    ("name", "array", "options", "message"),
    [
        ("a.precomputed", VOLUME > 3, {}, "image holds no bool; convert it to one of"),
        ("a.precomputed", VOLUME[0], {}, "wants 'zyx' or 'czyx'"),
        (
            "a.precomputed",
            VOLUME / 2,
            {"labels": True},
            "segmentation holds no float64",
        ),
        ("a.precomputed", VOLUME, {"offset": (1, 2)}, "offset .1, 2. has 2 numbers"),
        (
            "a.precomputed",
            VOLUME.astype(np.float32),
            {"compression": "png"},
            "'png' is for uint8, uint16, not for float32",
        ),
        ("a.n5", VOLUME > 3, {}, "N5 holds no bool; convert"),
        ("a.n5", VOLUME, {"compression": "png"}, "'png' is for precomputed; leave"),
        ("a.precomputed", VOLUME, {"compression": "gzip"}, "'gzip' is for N5; leave"),
        (
            "a.precomputed",
            VOLUME,
            {"compression": "jpeg"},
            "'jpeg' is unknown; use one",
        ),
        ("a.zarr", VOLUME, {"offset": (1, 1, 1)}, "offset= is for precomputed"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(tmp_path, name, array, options, message):
    with pytest.raises(ValueError, match=message):
        segkit.save(tmp_path / name, array, **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "a.tif",
            {},
            "TIFF is not written at addresses; take .zarr, .precomputed, .n5",
        ),
        ("a", {}, "a folder of pictures is not written at addresses; take .zarr"),
        ("a.zarr::labels", {}, "name the image itself"),
    ],
)
def test_what_is_not_written_elsewhere_is_told(s3, name, options, message):
    where, _, query = s3("X").partition("X")
    address = f"{where}{name.replace('::', query + '::')}"
    with pytest.raises(ImageRequestError, match=message):
        segkit.save(address if "::" in name else address + query, VOLUME, **options)


def test_a_web_server_is_not_written_to(web):
    with pytest.raises(ImageRequestError, match="web servers are read only"):
        segkit.save(f"{web.url}/a.zarr", VOLUME)


def test_objects_of_others_are_not_removed(s3, buckets):
    segkit.save(s3("a.zarr"), VOLUME, axes="zyx")
    path = s3("a.zarr").partition("?")[0].removeprefix("s3://")
    url = f"http://127.0.0.1:{buckets.port}/{path}/notes.txt"
    urllib.request.urlopen(urllib.request.Request(url, b"mine", method="PUT")).close()
    with pytest.raises(FileExistsError, match=r"holds notes.txt, which segkit did not"):
        segkit.save(s3("a.zarr"), VOLUME, overwrite=True)
    assert (segkit.open_image(s3("a.zarr")).read() == VOLUME).all()


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr_elsewhere_is_that_of_here(s3, tmp_path, version):
    """Its documents say the same, so that the same programs read it."""
    image = {"chunks": CHUNKS, "labels": True, "ome_version": version, **ABOUT}
    image["levels"] = 2
    segkit.save(s3("a.zarr"), VOLUME, **image)
    segkit.save(tmp_path / "a.zarr", VOLUME, **image)
    names = ["zarr.json"] if version == "0.5" else [".zattrs", ".zgroup"]
    array = "zarr.json" if version == "0.5" else ".zarray"
    for name in [*names, f"0/{array}", f"1/{array}"]:
        elsewhere = json.loads((Place.of(s3("a.zarr")) / name).read_bytes())
        here = json.loads((tmp_path / "a.zarr" / name).read_bytes())
        for known in (here, elsewhere):
            known.pop("storage_transformers", None)
            for codec in [known.get("compressor") or {}, *known.get("codecs", [])]:
                codec.pop("checksum", None)
        assert elsewhere == here


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_zarr_itself_reads_what_was_written_elsewhere(s3, tmp_path, version):
    segkit.save(s3("a.zarr"), VOLUME, chunks=CHUNKS, ome_version=version, **ABOUT)
    place = Place.of(s3("a.zarr"))
    for path, _, _ in place.listed():
        name = path.removeprefix(f"{place.address.path}/")
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((place / name).read_bytes())
    assert (zarr.open_array(str(tmp_path / "0"), mode="r")[...] == VOLUME).all()
    assert (segkit.open_image(tmp_path).read() == VOLUME).all()


def test_two_owners_do_not_write_into_one_image(s3):
    """Chunks of both would be mixed, as they lie where they stay."""
    layout = format_of(s3("a.zarr")).layout(as_image(VOLUME), SaveOptions())
    mine, other = (Construction.at(s3("a.zarr"), owner) for owner in ("mine", "other"))
    mine.create(layout, overwrite=False)
    with pytest.raises(UnfinishedImageError, match=r"by others \(.*mine.partial"):
        other.create(layout, overwrite=True)
    assert mine.is_there
    assert not other.is_there
    mine.create(layout, overwrite=False)  # again, after it was killed
    mine.reopen()[1].write(tuple(slice(0, n) for n in VOLUME.shape), VOLUME)
    mine.finish(layout)
    assert (segkit.open_image(s3("a.zarr")).read() == VOLUME).all()
    other.create(layout, overwrite=True)
    assert other.is_there
