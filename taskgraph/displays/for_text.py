"""Tables for what people write: Markdown, and a page of HTML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from taskgraph.displays.latex import is_of_numbers
from taskgraph.displays.markup import Markup, element, joined, readable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_MEANT = re.compile(r"[\\`*_\[\]<>|~&$]")
"""What means something within a line of Markdown, and in the tables of GitHub."""
_STYLE = Markup(
    "body{font:15px/1.4 system-ui,sans-serif;margin:2rem}"
    "table{border-collapse:collapse}th,td{padding:.2rem .7rem;text-align:left}"
    "th{border-bottom:1px solid}.n{text-align:right;font-variant-numeric:tabular-nums}"
)


def markdown_table(
    columns: Mapping[str, Sequence[Any]], text_of: Callable[[Any], str]
) -> str:
    r"""Return a table as Markdown, in the form that GitHub reads.

    Any text may be in it: what means something to Markdown or HTML is escaped, and
    lines of a cell become one.

    Parameters
    ----------
    columns : mapping of str to sequence
        Cells by column, as many in each; columns of numbers are set to the right.
    text_of : callable
        Returns what is shown of a cell.

    Examples
    --------
    >>> print(markdown_table({"method": ["a|b", "<i>"], "bias": [-0.5, 1]}, str))
    | method | bias |
    | --- | ---: |
    | a\|b | -0.5 |
    | \<i\> | 1 |
    """
    lines = [[_escaped(name) for name in columns]]
    lines += [["---:" if is_of_numbers(each) else "---" for each in columns.values()]]
    rows = zip(*columns.values(), strict=True)
    lines += [[_escaped(text_of(cell)) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def html_table(
    columns: Mapping[str, Sequence[Any]], text_of: Callable[[Any], str], title: str
) -> str:
    """Return a table as a page of HTML; see `markdown_table`.

    Examples
    --------
    >>> html_table({"bias": [-0.5]}, str, "t").rpartition("<tbody>")[2]
    '<tr><td class="n">-0.5</td></tr></tbody></table>'
    """
    sides = ["n" if is_of_numbers(each) else None for each in columns.values()]

    def row(tag: str, texts: Sequence[str], scope: str | None) -> Markup:
        cells = zip(texts, sides, strict=True)
        return element(
            "tr",
            *[element(tag, text, class_=side, scope=scope) for text, side in cells],
        )

    head = row("th", list(columns), "col")
    rows = zip(*columns.values(), strict=True)
    body = joined(*[row("td", list(map(text_of, cells)), None) for cells in rows])
    table = element("table", element("thead", head), element("tbody", body))
    about = joined(element("title", title), element("style", _STYLE))
    return f'<!doctype html><meta charset="utf-8">{about}\n{table}'


def _escaped(text: str) -> str:
    return _MEANT.sub(r"\\\g<0>", " ".join(readable(text).split()))
