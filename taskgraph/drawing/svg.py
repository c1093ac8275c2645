"""A graph as SVG: boxes with a bar of states, lines, dashes for what is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgraph.description import printable
from taskgraph.displays.markup import Markup, element
from taskgraph.drawing.graph_shape import SIGNS
from taskgraph.drawing.layered import layered
from taskgraph.upkeep.status import STATES

if TYPE_CHECKING:
    from taskgraph.drawing.graph_shape import Box, GraphShape
    from taskgraph.drawing.layered import Point

COLOURS = {
    "done": "#009e73",
    "running": "#0072b2",
    "ready": "#56b4e9",
    "waiting": "#999999",
    "blocked": "#e69f00",
    "failed": "#d55e00",
}
"""Of Okabe and Ito, which most colour-blind readers tell apart."""
MOST_BOXES = 200
"""With more nobody sees anything, and laying them out takes long."""
_LETTER, _HEIGHT, _MARGIN, _NARROW, _LONGEST = 7.4, 50, 14, 120, 44
_BAR = 5


def svg(shape: GraphShape, *, ink: str = "currentColor", paper: str = "") -> Markup:
    """Return a graph as an SVG element.

    Parameters
    ----------
    shape : GraphShape
        Of at most `MOST_BOXES` boxes.
    ink : str
        The colour of lines and letters.
    paper : str
        That of the ground; none if empty.

    Examples
    --------
    >>> from taskgraph.drawing.graph_shape import Box, GraphShape
    >>> drawn = svg(GraphShape([Box("m.<f>", "<f>", {"done": 2})], {}))
    >>> "&lt;f&gt;" in drawn, "2 done" in drawn
    (True, True)
    """
    sizes = [_size(box) for box in shape.boxes]
    edges = list(shape.arrows)
    if shape.barrier:
        sizes.append((_NARROW + 70.0, 40.0))
        edges += [(place, len(shape.boxes)) for place in shape.unknown]
    found = layered(sizes, edges)
    ways = zip(edges, found.lines, strict=True)
    drawn = [_path(line, ink, dashed=b >= len(shape.boxes)) for (_, b), line in ways]
    for number, (box, place) in enumerate(zip(shape.boxes, found.boxes, strict=False)):
        again = (number, number) in shape.arrows
        drawn.append(_box(box, place, sizes[number], ink, again=again))
    if shape.barrier:
        drawn.append(_unknown(found.boxes[-1], sizes[-1], ink))
    loops = 10 if any(first == second for first, second in edges) else 0
    width, height = found.width + 2 * _MARGIN + loops, found.height + 2 * _MARGIN
    ground = [element("rect", x=-_MARGIN, y=-_MARGIN, width=width, height=height,
                      fill=paper)] if paper else []  # fmt: skip
    return element(
        "svg",
        element("title", _told(shape)),
        *ground,
        *drawn,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"{-_MARGIN} {-_MARGIN} {width:.0f} {height:.0f}",
        width=f"{width:.0f}",
        height=f"{height:.0f}",
        font_family="system-ui, sans-serif",
        font_size="13",
        role="img",
        class_="tgd-graph",
    )


def _told(shape: GraphShape) -> str:
    """Return the graph in words."""
    told = [f"{box.title}: {_counts(box)}" for box in shape.boxes[:MOST_BOXES]]
    return "; ".join(told + (["then unknown, behind a barrier"] * shape.barrier))


def _counts(box: Box) -> str:
    states = [state for state in reversed(STATES) if box.counts.get(state)]
    if sum(box.counts.values()) == 1:
        return f"{SIGNS[states[0]]} {states[0]}"
    return "  ".join(f"{SIGNS[s]} {box.counts[s]:,} {s}" for s in states)


def _size(box: Box) -> tuple[float, float]:
    letters = max(len(printable(box.title, _LONGEST)), len(_counts(box)))
    return max(_NARROW, 24 + _LETTER * letters), _HEIGHT


def _box(
    box: Box, place: Point, size: tuple[float, float], ink: str, *, again: bool
) -> Markup:
    (x, y), (width, height) = place, size
    title = printable(box.title, _LONGEST)
    parts = [
        element("title", f"{box.name}: {_counts(box)}"),
        element("rect", x=f"{x:.1f}", y=f"{y:.1f}", width=f"{width:.1f}",
                height=height, rx=4, fill="none", stroke=ink, stroke_width=1,
                stroke_opacity=0.6),
        _text(title, x + width / 2, y + 18, ink, bold=True),
        _text(_counts(box), x + width / 2, y + 36, ink),
        *_bar(box, x + 1, y + height - _BAR - 1, width - 2),
    ]  # fmt: skip
    if again:
        bent = f"M{x + width:.1f},{y + 15:.1f} c20,-6 20,26 0,20"
        parts.append(_stroke(bent, ink, title="its tasks need each other"))
    return element("g", *parts)


def _bar(box: Box, x: float, y: float, width: float) -> list[Markup]:
    """Return the states as parts of a bar; each that there is can be seen."""
    total = sum(box.counts.values())
    states = [state for state in reversed(STATES) if box.counts.get(state)]
    shares = [max(4.0, width * box.counts[state] / total) for state in states]
    parts = []
    for state, share in zip(states, shares, strict=True):
        part = share * width / sum(shares)
        about = {"x": f"{x:.1f}", "y": f"{y:.1f}", "width": f"{part:.1f}"}
        parts.append(element("rect", **about, height=_BAR, fill=COLOURS[state]))
        x += part
    return parts


def _unknown(place: Point, size: tuple[float, float], ink: str) -> Markup:
    (x, y), (width, height) = place, size
    return element(
        "g",
        element("title", "a barrier: what comes after it is not known yet"),
        element("rect", x=f"{x:.1f}", y=f"{y:.1f}", width=f"{width:.1f}",
                height=height, rx=4, fill="none", stroke=ink, stroke_dasharray="5 4",
                stroke_opacity=0.6),
        _text("unknown, behind a barrier", x + width / 2, y + 25, ink),
    )  # fmt: skip


def _text(text: str, x: float, y: float, ink: str, *, bold: bool = False) -> Markup:
    return element("text", text, x=f"{x:.1f}", y=f"{y:.1f}", fill=ink,
                   text_anchor="middle", font_weight="600" if bold else None,
                   font_size=None if bold else "11.5")  # fmt: skip


def _path(line: list[Point], ink: str, *, dashed: bool) -> Markup:
    """Return a smooth line with the tip of an arrow."""
    if not line:
        return Markup("")
    (x, y), *rest = line
    path = f"M{x:.1f},{y:.1f}"
    for there_x, there_y in rest:
        bend = (there_y - y) / 2
        path += f" C{x:.1f},{y + bend:.1f} {there_x:.1f},{there_y - bend:.1f}"
        path += f" {there_x:.1f},{there_y:.1f}"
        x, y = there_x, there_y
    tip = -5 if len(line) > 1 and line[-1][1] >= line[-2][1] else 5
    path += f" m-3.5,{tip} l3.5,{-tip} l3.5,{tip}"
    return _stroke(path, ink, dashed=dashed)


def _stroke(path: str, ink: str, *, dashed: bool = False, title: str = "") -> Markup:
    said = [element("title", title)] if title else []
    return element("path", *said, d=path, fill="none", stroke=ink, stroke_opacity=0.5,
                   stroke_dasharray="5 4" if dashed else None)  # fmt: skip
