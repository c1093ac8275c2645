"""Images of some shape, and how they are cut."""

from __future__ import annotations

from hypothesis import strategies as st


@st.composite
def grids(draw):
    shape = draw(st.lists(st.integers(0, 9), min_size=1, max_size=3))
    sizes = [draw(st.integers(2, 12)) for _ in shape]
    halo = [draw(st.integers(0, 40)) for _ in shape]
    return tuple(shape), sizes, halo
