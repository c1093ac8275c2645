"""The plug-in in a real napari: `nox -s napari`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import segkit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.napari,
    pytest.mark.filterwarnings("ignore"),  # of napari and its libraries
]
PLUGIN = "taskgraph-segkit"


@pytest.fixture
def viewer() -> Iterator[Any]:
    import napari

    made = napari.Viewer(show=False)
    yield made
    made.close()


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    voxels = np.zeros((6, 40, 50), np.uint8)
    voxels[:, 5:15, 5:15], voxels[:, 25:35, 20:45] = 200, 150
    return segkit.save(
        tmp_path / "v.ome.tif", voxels, axes="zyx", spacing=(2, 0.5, 0.5), units="um"
    )


def until(true: Callable[[], bool]) -> None:
    from qtpy.QtWidgets import QApplication

    end = time.monotonic() + 60
    while not true():
        QApplication.processEvents()
        assert time.monotonic() < end
        time.sleep(0.01)


def test_an_image_opens_lazily_where_and_as_large_as_it_is(
    viewer: Any, volume: Path
) -> None:
    (layer,) = viewer.open(str(volume), plugin=PLUGIN)
    assert isinstance(layer.data, segkit.Image)
    assert tuple(layer.scale) == (2.0, 0.5, 0.5)
    assert tuple(map(str, layer.units)) == ("micrometer",) * 3
    assert layer.axis_labels == ("z", "y", "x")
    viewer.dims.set_current_step(0, 3)
    viewer.dims.ndisplay = 3
    assert viewer.screenshot(canvas_only=True, flash=False).max() > 0


@pytest.mark.parametrize("shape", [(3, 40, 50), (40, 50, 3)])
def test_channels_and_colours_are_drawn(
    viewer: Any, tmp_path: Path, shape: tuple[int, ...]
) -> None:
    axes = "cyx" if shape[0] == 3 else "yxs"
    path = segkit.save(tmp_path / "c.tif", np.full(shape, 90, np.uint8), axes=axes)
    layers = viewer.open(str(path), plugin=PLUGIN)
    assert len(layers) == (3 if axes == "cyx" else 1)
    assert viewer.screenshot(canvas_only=True, flash=False).max() > 0


def test_a_pyramid_is_drawn(viewer: Any, tmp_path: Path) -> None:
    plane = np.arange(256 * 256, dtype=np.uint16).reshape(256, 256)
    path = segkit.save(tmp_path / "p.zarr", plane, levels=3)
    (layer,) = viewer.open(str(path), plugin=PLUGIN)
    assert layer.multiscale
    assert viewer.screenshot(canvas_only=True, flash=False).max() > 0


@pytest.mark.parametrize("name", ["l.tif", "l.zarr", "l.h5"])
def test_labels_are_saved_and_come_back(viewer: Any, tmp_path: Path, name: str) -> None:
    labels = np.arange(12, dtype=np.int32).reshape(3, 4)
    layer = viewer.add_labels(
        labels, scale=(0.5, 0.25), units=("um", "um"), axis_labels=("y", "x")
    )
    assert layer.save(str(tmp_path / name), plugin=PLUGIN)
    image = segkit.open_image(tmp_path / name)
    np.testing.assert_array_equal(image.read(), labels)
    assert (image.axes, image.spacing, image.unit) == ("yx", (0.5, 0.25), "micrometer")


def test_the_widget_edits_and_runs_a_pipeline(
    viewer: Any, volume: Path, tmp_path: Path
) -> None:
    (layer,) = viewer.open(str(volume), plugin=PLUGIN)
    _, made = viewer.window.add_plugin_dock_widget(PLUGIN, "Pipeline")
    widget = made if hasattr(made, "steps") else made.controller
    assert widget.layer.value is layer
    assert type(widget.native).__name__ == "QScrollArea"  # as high as its steps are
    assert widget._container.native.minimumSizeHint().width() < 400
    widget.added.value = "regionprops"
    widget.add()
    widget._rows[1][1].value = 0.3  # sigma
    assert widget.steps[0].keywords["sigma"] == 0.3
    widget.run_button.changed.emit(True)
    until(lambda: widget.message not in ("", "running ..."))
    assert widget.message == "done"
    objects = viewer.layers["objects"]
    assert objects.data.max() == 2
    assert tuple(objects.scale) == (2.0, 0.5, 0.5)
    expected = segkit.Pipeline(*widget.steps).run(segkit.open_image(volume))
    np.testing.assert_array_equal(objects.data, expected.labels)
    areas = objects.features["area"]
    np.testing.assert_allclose(areas, expected.table["area"])
    widget.file.value = tmp_path / "p.toml"
    widget.save()
    widget.steps = []
    widget.open()
    assert len(widget.steps) == 5


def test_a_step_that_fails_says_why_and_the_widget_lives(
    viewer: Any, volume: Path
) -> None:
    viewer.open(str(volume), plugin=PLUGIN)
    _, made = viewer.window.add_plugin_dock_widget(PLUGIN, "Pipeline")
    widget = made if hasattr(made, "steps") else made.controller
    widget.added.value = "h_maxima"
    widget.add()
    widget.steps = [segkit.pipeline.regionprops()]
    widget.run_button.changed.emit(True)
    until(lambda: widget.message not in ("", "running ..."))
    assert "put label() before it" in widget.message
    until(lambda: bool(widget.run_button.enabled))
