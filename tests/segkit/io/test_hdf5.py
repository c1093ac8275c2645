"""A dataset of an HDF5 file is chosen by its name."""

import h5py
import numpy as np
import pytest

import segkit
from segkit.io import ImageRequestError

from .samples import BOX, SPACING, VOLUME


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
