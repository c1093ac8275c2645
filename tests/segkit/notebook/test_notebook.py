"""What a notebook shows of images, pipelines and results."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from PIL import Image

import segkit
from segkit.io import as_image
from segkit.pipeline import binarize, label, regionprops

from ...taskgraph.displays.html_checks import Offences

BAD = "<script>alert(1)</script>"


def shown(value):
    bundle, _ = DisplayFormatter().format(value)
    assert bundle["text/plain"]
    html = bundle["text/html"]
    found = [one for one in Offences(html).found if not one.endswith(" style")]
    assert found == []
    return html


def sizes(html):
    parts = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    return [Image.open(io.BytesIO(base64.b64decode(part))).size for part in parts]


@pytest.mark.parametrize(
    ("voxels", "axes", "size"),
    [
        (np.arange(600.0).reshape(20, 30), "yx", (30, 20)),
        (np.arange(6000).reshape(10, 20, 30), "zyx", (30, 20)),
        (np.zeros((2, 3, 20, 30), np.uint16), "tzyx", (30, 20)),
        (np.zeros((20, 30, 3), np.uint8), "yxs", (30, 20)),
        (np.zeros((20, 30, 1), np.uint8), "yxs", (30, 20)),
        (np.ones((20, 30, 3), np.uint16), "yxs", (30, 20)),
        (np.ones((640, 960), bool), "yx", (320, 214)),
        (np.full((20, 30), np.nan), "yx", (30, 20)),
        (np.zeros((9000, 9000), np.uint8), "yx", (316, 316)),
    ],
)
def test_an_image_shows_its_middle_plane_shape_and_spacing(voxels, axes, size):
    image = as_image(voxels, axes=axes, path=f"{BAD}.tif")
    html = shown(image)
    assert sizes(html) == [size]
    assert f"{voxels.shape}" in html
    assert ("the middle plane" in html) == (axes in ("zyx", "tzyx"))
    assert ("the middle 4096" in html) == (len(voxels) == 9000)


def test_an_image_that_cannot_be_read_is_told(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((20, 30)))
    image = segkit.open_image(path)
    path.write_bytes(path.read_bytes()[:200])
    assert "cannot be shown" in shown(image) or sizes(shown(image))


def test_an_empty_image_or_one_of_one_axis_shows_no_picture_of_nothing():
    assert sizes(shown(as_image(np.zeros((0, 5))))) == []


def test_a_pipeline_shows_its_steps_and_a_result_pictures_and_table():
    pipeline = segkit.Pipeline(binarize(), label(), regionprops())
    html = shown(pipeline)
    assert "binarize()" in html
    assert "3 rows" in html
    image = np.kron(np.eye(3), np.ones((9, 9)))
    result = pipeline.run(image)
    html = shown(result)
    assert sizes(html) == [(27, 27)]
    assert "<th>label</th>" in html
    assert '<td style="text-align:left">label()</td>' in shown(pipeline)
    assert sizes(shown(segkit.Pipeline(binarize()).run(image))) == [(27, 27)]


def test_a_picture_is_a_png():
    bundle, _ = DisplayFormatter().format(segkit.Picture(np.zeros((4, 4, 3), np.uint8)))
    assert bundle["image/png"]
