"""Compressed TIFF is read by box; what TIFF cannot hold is refused."""

import numpy as np
import pytest

import segkit
from segkit.io import ImageRequestError
from segkit.tiling.boxes import Box


@pytest.mark.parametrize("compression", ["zlib", "zstd", "lzw"])
def test_compressed_tiff_by_box(volume, compression):
    big = np.zeros((3, 300, 600), np.int32)
    big[1, 20:280, 30:500] = 5
    path = volume("labels.tif", big, compression=compression, labels=True)
    assert path.stat().st_size < big.nbytes / 20
    box = Box((1, 200, 400), (3, 300, 600))
    np.testing.assert_array_equal(segkit.open_image(path).read(box), big[box.slices])


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("a.ome.tif", "f2"), ("a.ome.tif", "c8"), ("a.tif", "c16"), ("a.tif", "g")],
)
def test_voxels_that_tiff_cannot_hold_are_refused_in_words(tmp_path, name, dtype):
    with pytest.raises(ImageRequestError, match=r"TIFF cannot hold .*; convert to flo"):
        segkit.save(tmp_path / name, np.zeros((4, 4), dtype))
    assert not list(tmp_path.iterdir())
