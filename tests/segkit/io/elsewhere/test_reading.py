"""Any box of a volume elsewhere is that of the array, whoever wrote it."""

import gzip
import math
import shutil

import numpy as np
import pytest
import zarr
from hypothesis import given, settings, strategies as st

import segkit
from segkit.io import DamagedImageError, ImageRequestError

from . import peer

GREY = peer.grey()
ZARRS = ("two.zarr", "three.zarr", "shards.zarr")
VOLUMES = {
    **{name: array for name, (_, array, _) in peer.PRECOMPUTED.items()},
    **{f"{name}.n5::raw": GREY for name in peer.N5},
    **dict.fromkeys(ZARRS, GREY),
}
boxes = st.tuples(
    *(
        st.tuples(st.integers(0, n), st.integers(0, n)).map(
            lambda pair: slice(min(pair), max(pair))
        )
        for n in peer.SHAPE
    )
)


@pytest.mark.parametrize("name", VOLUMES)
@pytest.mark.parametrize("here", [False, True], ids=["web", "folder"])
def test_any_box_is_that_of_the_array(written, name, here):
    address = written.folder / name if here else f"{written.url}/{name}"
    image, array = segkit.open_image(str(address)), VOLUMES[name]
    assert image.shape == array.shape
    assert image.dtype == array.dtype

    @settings(max_examples=6, database=None)
    @given(boxes)
    def compare(box):
        tolerance = 12 if name == "jpeg" else 0
        difference = np.abs(image.read(box).astype(float) - array[box].astype(float))
        assert difference.max(initial=0) <= tolerance

    compare()


def test_a_box_asks_for_the_chunks_that_it_touches(written):
    image = segkit.open_image(f"{written.url}/raw")
    written.asked.clear()
    image.read((slice(0, 8), slice(16, 32), slice(15, 17)))
    chunks = {path for path in written.asked if "info" not in path}
    assert {path.rpartition("/")[2] for path in chunks} == {
        "3-19_18-34_1-9",
        "19-35_18-34_1-9",
    }


def test_of_a_shard_the_parts_that_are_needed_are_asked_for(written):
    sizes = {p: p.stat().st_size for p in (written.folder / "sharded").rglob("*.shard")}
    image = segkit.open_image(f"{written.url}/sharded")
    written.sent = 0
    image.read((slice(0, 8), slice(0, 16), slice(0, 16)))
    assert written.sent < sum(sizes.values()) / 3


@pytest.mark.parametrize(
    ("address", "spacing"),
    [("scales", (40, 8, 8)), ("scales.n5", (40, 8, 8))],
    ids=["precomputed", "n5"],
)
def test_mip_is_an_index_or_a_spacing(written, address, spacing):
    url = f"{written.url}/{address}"
    image = segkit.open_image(url)
    assert (image.axes, image.levels, image.spacing) == ("zyx", 2, spacing)
    assert image.unit == "nanometer"
    coarse = (40, 16, 16)
    for mip in (1, coarse):
        level = segkit.open_image(url, mip=mip)
        assert level.spacing == coarse
        assert (level.read() == GREY[:, ::2, ::2]).all()
    assert segkit.open_image(url, level=1).spacing == coarse
    with pytest.raises(ImageRequestError, match=r"there are \(40, 8, 8\), \(40, 16"):
        segkit.open_image(url, mip=(40, 4, 4))
    with pytest.raises(ImageRequestError, match=r"has 2 scales; level=2 is none"):
        segkit.open_image(url, mip=2)
    with pytest.raises(ImageRequestError, match="neither a level nor a spacing"):
        segkit.open_image(url, mip="fine")
    with pytest.raises(ImageRequestError, match="are the same"):
        segkit.open_image(url, mip=1, level=1)


def test_channels_come_first(written):
    image = segkit.open_image(f"{written.url}/channels")
    assert image.axes == "czyx"
    assert (image.read() == np.stack([GREY, GREY + 1])).all()
    assert (segkit.open_image(image.path, channel=1).read() == GREY + 1).all()


def test_chunks_are_as_the_formats_say(written):
    """Decoded here by hand: no library has a part in it."""
    chunk = written.folder / "raw" / "8_8_40" / "3-19_2-18_1-9"
    voxels = np.frombuffer(chunk.read_bytes(), "<u2").reshape((16, 16, 8), order="F")
    assert (segkit.open_image(written.folder / "raw")[:8, :16, :16] == voxels.T).all()
    block = (written.folder / "raw.n5/raw/0/0/0").read_bytes()
    head = 4 + 4 * 3
    assert np.frombuffer(block[4:head], ">u4").tolist() == [16, 16, 8]
    voxels = np.frombuffer(block[head:], ">u2").reshape(8, 16, 16)
    image = segkit.open_image(f"{written.folder}/raw.n5::raw")
    assert (voxels == image[:8, :16, :16]).all()
    assert math.prod(voxels.shape) == 2048


def test_files_of_this_machine_have_addresses_too(written):
    name = f"file://{written.folder}/raw"
    assert (segkit.open_image(name).read() == GREY).all()
    assert (segkit.open_image(f"precomputed://{name}").read() == GREY).all()


@pytest.mark.parametrize("name", ["raw", "segmentation"])
def test_chunks_in_gzip_are_unpacked(tmp_path, written, web, name):
    """As cloud-volume has them: `Content-Encoding`, and in folders other names."""
    array = VOLUMES[name]
    packed = shutil.copytree(written.folder / name, web.folder / "packed" / name)
    served = segkit.open_image(f"{web.url}/packed/{name}")
    assert (served.read() == array).all()
    for chunk in [path for path in packed.rglob("*-*_*") if path.is_file()]:
        data = gzip.compress(chunk.read_bytes())
        chunk.with_name(f"{chunk.name}.gz").write_bytes(data)
        chunk.unlink()
    image = segkit.open_image(packed)
    assert (image.read() == array).all()
    for box in ((slice(3, 17), slice(15, 33), slice(2, 3)), (7, slice(16, 17))):
        assert (image[box] == array[box]).all()
    max(packed.rglob("*.gz")).unlink()
    with pytest.raises(DamagedImageError, match="is missing; write it again"):
        image.read()


def test_plates_and_labels_are_found_elsewhere(web):
    plate = zarr.create_group(store=str(web.folder / "plate.zarr"), zarr_format=3)
    plate.attrs["ome"] = {"plate": {"wells": [{"path": "B/2"}]}}
    well = plate.create_group("B/2")
    well.attrs["ome"] = {"well": {"images": [{"path": "0"}]}}
    field = web.folder / "plate.zarr/B/2/0"
    segkit.save(field.with_name("0.zarr"), GREY, axes="zyx").rename(field)
    labels = field / "labels" / "nuclei"
    labels.parent.mkdir()
    about = {"axes": "zyx", "labels": True}
    segkit.save(labels.with_name("n.zarr"), GREY + 1, **about).rename(labels)
    address = f"{web.url}/plate.zarr"
    assert segkit.open_plate(address).wells == ("B/2",)
    assert (segkit.open_image(address, well="B/2").read() == GREY).all()
    image = segkit.open_image(f"{address}/B/2/0::labels/nuclei")
    assert (image.read() == GREY + 1).all()
    with pytest.raises(ImageRequestError, match=r"is a plate; choose a well by well="):
        segkit.open_image(address)
