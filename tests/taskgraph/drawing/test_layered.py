"""Where boxes and lines of a graph lie."""

from __future__ import annotations

import time
from itertools import pairwise

from hypothesis import given, settings, strategies as st

from taskgraph.drawing.layered import layered

graphs = st.integers(1, 12).flatmap(
    lambda n: st.tuples(
        st.lists(
            st.tuples(st.floats(1, 200), st.floats(1, 60)), min_size=n, max_size=n
        ),
        st.lists(
            st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=20
        ).map(lambda pairs: list(dict.fromkeys(pairs))),
    )
)


@settings(max_examples=150, deadline=None)
@given(graphs)
def test_no_two_boxes_overlap_and_all_is_within_the_picture(graph):
    sizes, edges = graph
    found = layered(sizes, edges)
    spans = [
        (x, x + w, y, y + h) for (x, y), (w, h) in zip(found.boxes, sizes, strict=True)
    ]
    for number, (left, right, top, bottom) in enumerate(spans):
        assert -0.01 <= left < right <= found.width + 0.01
        assert -0.01 <= top < bottom <= found.height + 0.01
        for other in spans[:number]:
            apart = other[0] >= right or other[1] <= left
            assert apart or other[2] >= bottom or other[3] <= top


@settings(max_examples=150, deadline=None)
@given(graphs)
def test_what_needs_a_box_lies_below_it_and_lines_end_at_their_boxes(graph):
    sizes, edges = graph
    forward = [(a, b) for a, b in edges if a < b]  # so there is no circle
    found = layered(sizes, forward)
    for (first, second), line in zip(forward, found.lines, strict=True):
        (x, y), (width, height) = found.boxes[first], sizes[first]
        assert found.boxes[second][1] >= y + height
        assert line[0] == (x + width / 2, y + height)
        assert line[-1][1] == found.boxes[second][1]
        assert all(a[1] <= b[1] for a, b in pairwise(line))


@settings(max_examples=100, deadline=None)
@given(graphs)
def test_lines_pass_beside_boxes(graph):
    sizes, edges = graph
    forward = [(a, b) for a, b in edges if a < b]
    found = layered(sizes, forward)
    for line in found.lines:
        for x, y in line[1:-1]:
            for (left, top), (width, height) in zip(found.boxes, sizes, strict=True):
                assert not (left < x < left + width and top < y < top + height)


def test_a_chain_is_straight_and_a_tree_has_no_crossings():
    chain = layered([(50, 20)] * 4, [(0, 1), (1, 2), (2, 3)])
    assert {x for x, _ in chain.boxes} == {0}
    tree = layered([(50, 20)] * 5, [(0, 1), (0, 2), (2, 3), (1, 4)])
    left, right = sorted(tree.boxes[1:3]), sorted(tree.boxes[3:5])
    assert (tree.boxes[1] == left[0]) == (tree.boxes[4] == right[0])


def test_a_circle_is_drawn_with_one_line_upwards():
    found = layered([(50, 20)] * 3, [(0, 1), (1, 2), (2, 0), (1, 1)])
    ups = [line for line in found.lines if line and line[0][1] > line[-1][1]]
    assert len(ups) == 1
    assert found.lines[3] == []


def test_two_hundred_boxes_are_laid_out_in_a_moment():
    edges = [(a, b) for b in range(200) for a in {b // 2, b // 3} if a < b]
    begun = time.process_time()
    layered([(100, 40)] * 200, edges)
    assert time.process_time() - begun < 10
