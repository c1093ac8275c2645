"""A graph in the notations of other programs: Graphviz and Mermaid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgraph.displays.markup import readable
from taskgraph.drawing.graph_shape import SIGNS
from taskgraph.upkeep.status import STATES

if TYPE_CHECKING:
    from taskgraph.drawing.graph_shape import Box, GraphShape

_PLAIN = " _.,:=+-/*"
_UNKNOWN = "unknown, behind a barrier"


def dot(shape: GraphShape) -> str:
    r"""Return a graph as the language of Graphviz, for `dot -Tpdf`.

    Examples
    --------
    >>> from taskgraph.drawing.graph_shape import Box, GraphShape
    >>> print(dot(GraphShape([Box("m.f", 'f"', {"done": 2})], {(0, 0): 1})))
    digraph tasks {
      node [shape=box];
      n0 [label="f\"\n✓ 2 done"];
      n0 -> n0;
    }
    <BLANKLINE>
    """
    lines = ["digraph tasks {", "  node [shape=box];"]
    for place, box in enumerate(shape.boxes):
        label = f"{_quoted(box.title)}\\n{_quoted(_counts(box))}"
        lines.append(f'  n{place} [label="{label}"];')
    lines += [f"  n{first} -> n{second};" for first, second in shape.arrows]
    if shape.barrier:
        lines.append(f'  unknown [label="{_UNKNOWN}" style=dashed];')
        lines += [f"  n{place} -> unknown [style=dashed];" for place in shape.unknown]
    return "\n".join([*lines, "}", ""])


def mermaid(shape: GraphShape) -> str:
    """Return a graph as a flow chart of Mermaid, for Markdown.

    Examples
    --------
    >>> from taskgraph.drawing.graph_shape import Box, GraphShape
    >>> print(mermaid(GraphShape([Box("m.f", "<f>", {"done": 2})], {})))
    flowchart TD
      n0["#60;f#62;<br>✓ 2 done"]
    <BLANKLINE>
    """
    lines = ["flowchart TD"]
    for place, box in enumerate(shape.boxes):
        lines.append(f'  n{place}["{_entities(box.title)}<br>{_counts(box)}"]')
    lines += [f"  n{first} --> n{second}" for first, second in shape.arrows]
    if shape.barrier:
        lines += [f'  unknown["{_UNKNOWN}"]', "  style unknown stroke-dasharray: 5 4"]
        lines += [f"  n{place} -.-> unknown" for place in shape.unknown]
    return "\n".join([*lines, ""])


def _counts(box: Box) -> str:
    states = [state for state in reversed(STATES) if box.counts.get(state)]
    return ", ".join(f"{SIGNS[s]} {box.counts[s]} {s}" for s in states)


def _quoted(text: str) -> str:
    text = readable(text).replace("\\", "\\\\").replace('"', '\\"')
    return text.replace("\n", " ")


def _entities(text: str) -> str:
    """Return text with numbers for all that Mermaid or a browser would read."""
    return "".join(
        letter if letter.isalnum() or letter in _PLAIN else f"#{ord(letter)};"
        for letter in readable(text).replace("\n", " ")
    )
