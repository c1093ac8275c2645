"""Perimeters and surfaces from crossings."""

import numpy as np
import pytest
from skimage import measure

from segkit.compiled import fallback
from segkit.labelling.labels import label
from segkit.measurement import crofton
from segkit.measurement.measure import region_properties


@pytest.mark.parametrize("compiled", [True, False])
def test_perimeter_is_that_of_scikit_image(compiled, monkeypatch):
    monkeypatch.setattr(fallback, "can_compile", lambda: compiled)
    labels = label(np.random.default_rng(0).random((40, 50)) < 0.5)
    found = region_properties(labels, properties=["surface"])["surface"]
    peer = measure.regionprops_table(labels, properties=["perimeter_crofton"])
    np.testing.assert_allclose(found, peer["perimeter_crofton"])


@pytest.mark.parametrize("spacing", [(1, 1, 1), (2, 1, 1), (1.5, 0.5, 1)])
def test_surface_of_a_ball_is_within_two_percent(spacing):
    grid = np.mgrid[-25:26, -45:46, -25:26]
    radius = 20.0
    distance = sum((g * s) ** 2 for g, s in zip(grid, spacing, strict=True))
    labels = (distance <= radius**2).astype(np.int32)
    table = region_properties(labels, properties=["surface"], spacing=spacing)
    assert table["surface"][0] == pytest.approx(4 * np.pi * radius**2, rel=0.02)


@pytest.mark.parametrize("ndim", [2, 3])
def test_crofton_weights_cover_all_directions(ndim):
    unit = crofton.steps(ndim)[: 3**ndim // 2] / 1.0
    unit /= np.linalg.norm(unit, axis=1)[:, None]
    weights = (crofton._arcs if ndim == 2 else crofton._cells)(unit)
    assert weights.sum() == pytest.approx(1)
