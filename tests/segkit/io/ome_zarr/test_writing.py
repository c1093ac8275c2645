"""What is written is OME-Zarr that others read, and labels stay labels."""

import numpy as np
import pytest
import zarr

import segkit
from segkit.tiling.threads import at_most

from ..samples import SPACING, VOLUME


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


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_chunks_written_by_any_number_of_threads_are_the_image(tmp_path, threads):
    voxels = np.random.default_rng(0).integers(0, 9, (70, 90, 110), np.uint8)
    with at_most(threads):
        segkit.save(tmp_path / "a.zarr", voxels, chunks=(16, 32, 48), levels=2)
    np.testing.assert_array_equal(zarr.open_array(str(tmp_path / "a.zarr/0")), voxels)


@pytest.mark.parametrize(
    "name", ["a::b.zarr", "s3:.zarr", "new\nline.zarr", "ä b.zarr"]
)
def test_a_name_is_a_name_whatever_zarr_would_make_of_it(tmp_path, name):
    voxels = np.arange(24, dtype=np.uint8).reshape(4, 6)
    with segkit.create_image(tmp_path / name, (4, 6), np.uint8, chunks=2) as writer:
        writer.write(..., voxels)
    assert (segkit.open_image(tmp_path / name).read() == voxels).all()
