"""Tables for papers and pages, and the matrix of residuals as a picture."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.learning.combining import residual_correlations
from segkit.names import known_as

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from segkit.learning.validation import OutOfFold


@known_as("segkit.learning")
def latex_table(table: Mapping[str, Any], *, caption: str = "") -> str:
    r"""Return a table as LaTeX, with the rules of the package booktabs.

    Any text may be in it: what means something to LaTeX is escaped, heads are broken
    into lines between words. Greek letters and those of Western Europe are set by any
    LaTeX, other scripts by LuaLaTeX or XeLaTeX with a font that has them.

    Parameters
    ----------
    table : dict of str to array
        Columns of equal length; floats get three digits, what is nearer to 0 than that
        is 0 without a sign, and NaN is a dash.
    caption : str
        Put below it, if given.

    Examples
    --------
    >>> print(latex_table({"method": ["a_1"], "bias": [-0.51234]}))
    \begin{tabular}{lr}
    \toprule
    method & bias \\
    \midrule
    a\_1 & $-$0.512 \\
    \bottomrule
    \end{tabular}
    """
    from taskgraph.extending import latex_table as written

    _require_rows(table)
    columns = {str(name): np.asarray(c).tolist() for name, c in table.items()}
    return written(columns, _cell, caption=caption)


@known_as("segkit.learning")
def html_table(table: Mapping[str, Any]) -> str:
    """Return a table as HTML, all of it escaped.

    Examples
    --------
    >>> html_table({"method": ["<a>"], "q2": [0.5]})[-57:]
    '<tbody><tr><td>&lt;a&gt;<td class=n>0.500</tbody></table>'
    """
    _require_rows(table)
    columns = [np.asarray(column).tolist() for column in table.values()]
    head = "".join(
        f"<th{_class(column[0]) if column else ''}>{html.escape(name)}"
        for name, column in zip(table, columns, strict=True)
    )
    rows = zip(*columns, strict=True)
    body = "".join(
        "<tr>" + "".join(f"<td{_class(v)}>{html.escape(_cell(v))}" for v in row)
        for row in rows
    )
    return f"<table><thead><tr>{head}</thead><tbody>{body}</tbody></table>"


def _require_rows(table: Mapping[str, Any]) -> None:
    lengths = {name: len(np.asarray(column)) for name, column in table.items()}
    if len({*lengths.values()}) > 1:
        raise ValueError(
            f"columns of the table have other lengths, {lengths}; give as many rows"
            " for each"
        )


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "-" if np.isnan(value) else f"{value:z.3f}"
    return str(value)


def _class(value: Any) -> str:
    return " class=n" if isinstance(value, int | float) else ""


@known_as("segkit.learning")
def residual_figure(
    results: Sequence[OutOfFold], path: str | os.PathLike[str], *, most: int = 2000
) -> None:
    """Draw the residuals of each two methods: dots above the diagonal, Pearson below.

    Parameters
    ----------
    results : sequence of OutOfFold
        As for `residual_correlations`.
    path
        Where to write it; the format is that of the suffix, such as ``.png``.
    most : int
        So many dots for each two methods at most: every n-th row.

    Notes
    -----
    Drawn by matplotlib, which comes with the extra `tables`.
    """
    from matplotlib.figure import Figure

    found = residual_correlations(results)
    count = len(results)
    step = -(-len(results[0].targets) // most)
    size = 1.3 * count + 0.6
    figure = Figure(figsize=(size, size), layout="compressed")
    grid = figure.subplots(count, count, squeeze=False)
    widest = max(float(np.abs(one.residuals).max()) for one in results) or 1.0
    for (row, column), axes in np.ndenumerate(grid):
        axes.set_xticks([])
        axes.set_yticks([])
        if row == column:
            name = results[row].method.replace(", ", ",\n")
            axes.text(0.5, 0.5, name, ha="center", va="center", fontsize=7)
        elif row < column:
            x, y = results[column].residuals[::step], results[row].residuals[::step]
            axes.plot(x, y, ".", markersize=1, alpha=0.4)
            axes.set_xlim(-widest, widest)
            axes.set_ylim(-widest, widest)
        else:
            value = found[row, column]
            shade = str(1 - 0.5 * abs(value)) if np.isfinite(value) else "1"
            axes.set_facecolor(shade)
            axes.text(0.5, 0.5, f"{value:.2f}", ha="center", va="center", fontsize=9)
    # Neither the time nor the version: the same figure is the same file.
    metadata = {"Software": None} if str(path).endswith(".png") else None
    figure.savefig(path, dpi=110, metadata=metadata)
