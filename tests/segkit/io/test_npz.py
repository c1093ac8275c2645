"""An array of an npz file is chosen by its name."""

import zipfile

import numpy as np
import pytest

import segkit
from segkit.io import ImageRequestError, NotAnImageError


def test_one_of_several_arrays_is_chosen(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, image=np.zeros((5, 5)), labels=np.ones((5, 5), int))
    with pytest.raises(ImageRequestError, match=r"2 arrays \['image', 'labels'\]; cho"):
        segkit.open_image(path)
    with pytest.raises(ImageRequestError, match="no array 'other', only"):
        segkit.open_image(path, key="other")
    assert segkit.open_image(path, key="labels").read().all()
    assert segkit.open_image(f"{path}::labels").dtype == int


@pytest.mark.parametrize(("ndim", "axes"), [(2, "yx"), (3, "zyx"), (4, "czyx")])
@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_axes_are_told_by_their_number_as_of_npy(tmp_path, ndim, axes, write):
    write(tmp_path / "a.npz", np.zeros(range(5, 5 + ndim)))
    assert segkit.open_image(tmp_path / "a.npz").axes == axes
    assert segkit.open_image(tmp_path / "a.npz", axes="abcd"[:ndim]).ndim == ndim


def test_what_is_no_array_of_numbers_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", np.array([{}]))
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as file:
        file.writestr("letter.txt", "hello")
    with pytest.raises(NotAnImageError, match="holds no numbers"):
        segkit.open_image(tmp_path / "a.npz")
    with pytest.raises(NotAnImageError, match="a zip file without arrays"):
        segkit.open_image(tmp_path / "b.zip")


def test_an_array_is_saved_by_name_and_others_are_not_lost(tmp_path):
    path = tmp_path / "a.npz"
    segkit.save(f"{path}::labels", np.ones((5, 5), np.int32))
    assert segkit.open_image(path).read().all()
    with pytest.raises(FileExistsError, match="holds the array 'labels' besides"):
        segkit.save(path, np.zeros((5, 5)), overwrite=True)
    segkit.save(f"{path}::labels", np.zeros((5, 5)), overwrite=True)
    assert not segkit.open_image(path).read().any()
