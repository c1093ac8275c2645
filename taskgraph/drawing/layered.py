"""Boxes in layers, each below all that it needs, and lines between them; pure.

After Sugiyama, Tagawa and Toda, Methods for visual understanding of hierarchical system
structures (IEEE Transactions on Systems, Man, and Cybernetics 11, 1981): layers by the
longest way, places in long lines for the layers that they cross, then the order in a
layer by the means of neighbours, up and down, the one with the fewest crossings. Where
a box comes to lie is the least sum of squares from the means of its neighbours that
keeps the order and the gaps.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_GAP, _LINE_GAP, _LAYER_GAP = 24.0, 14.0, 44.0
_SWEEPS = 12
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where boxes and lines are; y grows downwards.

    Attributes
    ----------
    boxes : list of (float, float)
        The upper left corner of each.
    lines : list of list of (float, float)
        For each edge points from the lower side of its first box to the upper side of
        its second; of a circle one may lead upwards. Empty from a box to itself.
    width, height : float
        Of all together.
    """

    boxes: list[Point]
    lines: list[list[Point]]
    width: float
    height: float


def layered(
    sizes: Sequence[tuple[float, float]], edges: Sequence[tuple[int, int]]
) -> Layout:
    """Return where boxes lie.

    Parameters
    ----------
    sizes : sequence of (float, float)
        Width and height of each box.
    edges : sequence of (int, int)
        Pairs of boxes by number: the second is drawn below the first. Circles are
        broken somewhere.

    Examples
    --------
    >>> found = layered([(40, 20), (40, 20)], [(0, 1)])
    >>> found.boxes, found.lines
    ([(0.0, 0.0), (0.0, 64.0)], [[(20.0, 20.0), (20.0, 64.0)]])
    """
    count = len(sizes)
    down = _without_circles(count, edges)
    layer_of = _layers(count, down)
    rows, ways, steps = _with_places(layer_of, down)
    widths = [width for width, _ in sizes] + [0.0] * (sum(map(len, rows)) - count)
    rows = _untangled(rows, steps)
    middles = _middles(rows, steps, widths, count)
    tops, heights, total = _tops(rows, [height for _, height in sizes])
    boxes = [
        (
            middles[n] - widths[n] / 2,
            tops[layer_of[n]] + _down(heights, layer_of, n, sizes),
        )
        for n in range(count)
    ]
    lines = []
    for edge, way in zip(edges, ways, strict=True):
        points = [
            (middles[n], tops[layer] + down)
            for n, layer in way
            for down in (0, heights[layer])
        ]
        lines.append(_line(edge, points, boxes, sizes))
    right = max([x + w for (x, _), (w, _) in zip(boxes, sizes, strict=True)], default=0)
    right = max([right, *(x for line in lines for x, _ in line)])
    return Layout(boxes, lines, right, total)


def _down(
    heights: list[float],
    layer_of: list[int],
    box: int,
    sizes: Sequence[tuple[float, float]],
) -> float:
    """Return how far below the top of its layer a box begins: it is in the middle."""
    return (heights[layer_of[box]] - sizes[box][1]) / 2


def _without_circles(
    count: int, edges: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Return the edges, those turned round that lead back into a circle."""
    after: list[list[int]] = [[] for _ in range(count)]
    for first, second in edges:
        after[first].append(second)
    open_, closed, back = 1, 2, set()
    state = [0] * count
    for root in range(count):
        way = [(root, iter(after[root]))] if not state[root] else []
        state[root] = state[root] or open_
        while way:
            here, rest = way[-1]
            there = next(rest, None)
            if there is None:
                state[here] = closed
                way.pop()
            elif state[there] == open_:
                back.add((here, there))
            elif not state[there]:
                state[there] = open_
                way.append((there, iter(after[there])))
    return [(b, a) if (a, b) in back else (a, b) for a, b in edges]


def _layers(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Return the layer of each box: the longest way to it; sources low."""
    after: list[list[int]] = [[] for _ in range(count)]
    before = [0] * count
    for first, second in edges:
        if first != second:
            after[first].append(second)
            before[second] += 1
    layer_of, left = [0] * count, before.copy()
    ready = [box for box in range(count) if not left[box]]
    for box in ready:  # grows
        for other in after[box]:
            layer_of[other] = max(layer_of[other], layer_of[box] + 1)
            left[other] -= 1
            if not left[other]:
                ready.append(other)
    for box in range(count):
        if not before[box] and after[box]:
            layer_of[box] = min(layer_of[other] for other in after[box]) - 1
    return layer_of


_Row = list[int]
_Steps = list[list[tuple[int, int]]]
"""For each layer but the last the pairs of neighbours in it and the next one."""


def _with_places(
    layer_of: list[int], edges: Sequence[tuple[int, int]]
) -> tuple[list[_Row], list[list[tuple[int, int]]], _Steps]:
    """Return what is in each layer, also places where lines cross it.

    Then for each edge the places that it crosses, with their layers; and the steps.
    """
    rows: list[_Row] = [[] for _ in range(max(layer_of, default=0) + 1)]
    for box, layer in enumerate(layer_of):
        rows[layer].append(box)
    steps: _Steps = [[] for _ in rows]
    ways, new = [], len(layer_of)
    for first, second in edges:
        way, here = [], first
        for layer in range(layer_of[first] + 1, layer_of[second] + 1):
            there = second if layer == layer_of[second] else new
            steps[layer - 1].append((here, there))
            if there != second:
                rows[layer].append(there)
                way.append((there, layer))
                new += 1
            here = there
        ways.append(way)
    return rows, ways, steps


def _untangled(rows: list[_Row], steps: _Steps) -> list[_Row]:
    """Return the layers in an order with few crossings of lines."""
    above, below = _neighbours(steps)
    best, fewest = [row.copy() for row in rows], _crossings(rows, steps)
    rows = [row.copy() for row in rows]
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        numbers = (
            range(1, len(rows)) if sweep % 2 == 0 else range(len(rows) - 2, -1, -1)
        )
        beside = above if sweep % 2 == 0 else below
        for number in numbers:
            other = rows[number - 1 if sweep % 2 == 0 else number + 1]
            place = {box: float(at) for at, box in enumerate(other)}
            own = {box: float(at) for at, box in enumerate(rows[number])}
            means = {
                box: (_mean([place[n] for n in beside.get(box, ())], at), at)
                for box, at in own.items()
            }
            rows[number].sort(key=means.__getitem__)
        found = _crossings(rows, steps)
        if found < fewest:
            best, fewest = [row.copy() for row in rows], found
    return best


def _mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _neighbours(steps: _Steps) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    above: dict[int, list[int]] = {}
    below: dict[int, list[int]] = {}
    for first, second in (pair for pairs in steps for pair in pairs):
        below.setdefault(first, []).append(second)
        above.setdefault(second, []).append(first)
    return above, below


def _crossings(rows: list[_Row], steps: _Steps) -> int:
    total = 0
    for number, pairs in enumerate(steps[:-1]):
        upper = {box: at for at, box in enumerate(rows[number])}
        lower = {box: at for at, box in enumerate(rows[number + 1])}
        ends: list[int] = []
        for _, end in sorted((upper[a], lower[b]) for a, b in pairs):
            total += len(ends) - bisect_right(ends, end)
            insort(ends, end)
    return total


def _middles(
    rows: list[_Row], steps: _Steps, widths: list[float], boxes: int
) -> list[float]:
    """Return the middle of each place along x."""
    middles = [0.0] * len(widths)
    above, below = _neighbours(steps)
    for row in rows:
        _put(row, [0.0] * len(row), widths, boxes, middles)
    for sweep in range(_SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            beside = (above, below)[sweep % 2]
            either = [above, below] if sweep >= _SWEEPS - 2 else [beside]
            wanted = [
                _mean(
                    [middles[n] for b in either for n in b.get(box, ())], middles[box]
                )
                for box in row
            ]
            _put(row, wanted, widths, boxes, middles)
    used = [box for row in rows for box in row]
    left = min([middles[box] - widths[box] / 2 for box in used], default=0.0)
    return [middle - left for middle in middles]


def _put(
    row: _Row,
    wanted: list[float],
    widths: list[float],
    boxes: int,
    middles: list[float],
) -> None:
    """Put a layer where it is wanted, as near as its order and gaps allow.

    Less what lies between, places have to rise: the nearest that do are the means of
    those that would fall (pool adjacent violators).
    """
    offsets, offset = [], 0.0
    for at, box in enumerate(row):
        if at:
            last = row[at - 1]
            lines = box >= boxes or last >= boxes
            gap = _LINE_GAP if lines else _GAP
            offset += (widths[last] + widths[box]) / 2 + gap
        offsets.append(offset)
    pools: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        mean, size = want - offset, 1
        while pools and pools[-1][0] >= mean:
            other, more = pools.pop()
            mean = (mean * size + other * more) / (size + more)
            size += more
        pools.append((mean, size))
    places = [mean for mean, size in pools for _ in range(size)]
    for box, place, offset in zip(row, places, offsets, strict=True):
        middles[box] = place + offset


def _tops(
    rows: list[_Row], heights: list[float]
) -> tuple[list[float], list[float], float]:
    """Return where each layer begins, how high it is, and the height of all."""
    tops, highs, top = [], [], 0.0
    for row in rows:
        high = max([heights[box] for box in row if box < len(heights)], default=0.0)
        tops.append(top)
        highs.append(high)
        top += high + _LAYER_GAP
    return tops, highs, max(0.0, top - _LAYER_GAP)


def _line(
    edge: tuple[int, int],
    points: list[Point],
    boxes: list[Point],
    sizes: Sequence[tuple[float, float]],
) -> list[Point]:
    first, second = edge
    if first == second:
        return []
    (x, y), (width, height) = boxes[first], sizes[first]
    (there_x, there_y), (there_width, there_height) = boxes[second], sizes[second]
    if there_y > y:
        start, end = (x + width / 2, y + height), (there_x + there_width / 2, there_y)
        return [start, *points, end]
    start = (x + width / 2, y)
    end = (there_x + there_width / 2, there_y + there_height)
    return [start, *reversed(points), end]
