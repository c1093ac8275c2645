"""A folder of pictures is a volume."""

import imageio.v3
import numpy as np
import pytest

import segkit
from segkit.io import DamagedImageError


def test_folder_is_sorted_by_number(tmp_path):
    for number in (1, 2, 9, 10, 11):
        plane = np.full((4, 5), number, np.uint8)
        imageio.v3.imwrite(tmp_path / f"plane{number}.png", plane)
    image = segkit.open_image(tmp_path)
    assert image.read()[:, 0, 0].tolist() == [1, 2, 9, 10, 11]
    assert segkit.open_image(tmp_path, pattern="*1*.png").shape == (3, 4, 5)


@pytest.mark.parametrize(
    ("names", "axes"),
    [
        (("t0.png", "t1.png"), "tyx"),
        (("T001.png", "T002.png"), "tyx"),
        (("c0.png", "c1.png"), "cyx"),
        (("z0.png", "z1.png"), "zyx"),
        (("plane0.png", "plane1.png"), "zyx"),
        (("t0.png", "z1.png"), "zyx"),
    ],
)
def test_names_of_planes_say_what_they_are_along(tmp_path, names, axes):
    for name in names:
        imageio.v3.imwrite(tmp_path / name, np.zeros((4, 5), np.uint8))
    assert segkit.open_image(tmp_path).axes == axes
    said = names[0][0] == names[1][0] != "p"
    assert segkit.open_image(tmp_path).stated == said
    assert segkit.open_image(tmp_path, axes="zyx").axes == "zyx"


def test_a_plane_whose_link_leads_nowhere_is_told(tmp_path):
    """The volume would be thinner by a plane, without a word."""
    folder = segkit.save(tmp_path / "planes", np.ones((3, 8, 9), np.uint8), axes="zyx")
    (folder / "z1.png").rename(tmp_path / "away.png")
    (folder / "z1.png").symlink_to(tmp_path / "away.png")
    (folder / "itself").symlink_to(folder)
    assert segkit.open_image(folder).shape == (3, 8, 9)
    (tmp_path / "away.png").unlink()
    with pytest.raises(
        DamagedImageError, match=r"z1\.png: is a plane of the folder and"
    ):
        segkit.open_image(folder)
    assert segkit.open_image(folder, pattern="z[02].png").shape == (2, 8, 9)
