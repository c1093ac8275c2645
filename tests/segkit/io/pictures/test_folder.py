"""A folder of pictures is a volume."""

import imageio.v3
import numpy as np

import segkit


def test_folder_is_sorted_by_number(tmp_path):
    for number in (1, 2, 9, 10, 11):
        plane = np.full((4, 5), number, np.uint8)
        imageio.v3.imwrite(tmp_path / f"plane{number}.png", plane)
    image = segkit.open_image(tmp_path)
    assert image.read()[:, 0, 0].tolist() == [1, 2, 9, 10, 11]
    assert segkit.open_image(tmp_path, pattern="*1*.png").shape == (3, 4, 5)
