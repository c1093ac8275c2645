"""Pairs of label images to compare, and distances by the definition."""

from __future__ import annotations

import numpy as np
from hypothesis import settings, strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

# No deadline: the first example compiles the counting loop.
unhurried = settings(deadline=None, max_examples=50)


@st.composite
def label_pairs(draw, max_label=6):
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=7))
    small = [np.uint8] if max_label < 256 else []
    dtype = draw(st.sampled_from([*small, np.int32, np.uint32, np.int64]))
    elements = st.integers(0, max_label)
    return tuple(draw(hnp.arrays(dtype, shape, elements=elements)) for _ in range(2))


def distances_by_maps(seg, ref, spacing):
    """Return Hausdorff distance and NSD of two masks by distance maps of the whole."""
    to_ref = ndimage.distance_transform_edt(~ref, spacing)
    to_seg = ndimage.distance_transform_edt(~seg, spacing)
    inside = ndimage.distance_transform_edt(ref, spacing)
    depth = to_ref + (ref if ref.all() else inside)
    hausdorff = max(to_ref[seg].max(), to_seg[ref].max())
    return hausdorff, depth[seg != ref].sum() / depth[seg | ref].sum()
