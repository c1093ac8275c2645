"""Tables for papers and pages, and the matrix of residuals as a picture."""

from __future__ import annotations

import html
import textwrap
import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.learning.combining import residual_correlations
from segkit.names import known_as

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from segkit.learning.validation import OutOfFold

_LATEX = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",  # as it is, this and the next two are others in its fonts
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    "[": "{[}",  # after the end of a row, these would be its options
    "*": "{*}",
    "\N{MINUS SIGN}": "$-$",
    "\N{LESS-THAN OR EQUAL TO}": r"$\le$",
    "\N{GREATER-THAN OR EQUAL TO}": r"$\ge$",
    "\N{NOT EQUAL TO}": r"$\ne$",
    "\N{ALMOST EQUAL TO}": r"$\approx$",
    "\N{INFINITY}": r"$\infty$",
}
_GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho"
    " sigma tau upsilon phi chi psi omega"
    " Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
)
_LATEX |= {
    letter: f"$\\{name}$"
    for letter, name in zip(
        "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ", _GREEK.split(), strict=True
    )
}
_HEAD = 8  # letters of a head's line, where there are words to break it


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
    _require_rows(table)
    names = list(table)
    kinds = "".join(
        "r" if np.asarray(table[name]).dtype.kind in "iuf" else "l" for name in names
    )
    lines = [f"\\begin{{tabular}}{{{kinds}}}", "\\toprule"]
    heads = [
        _latex_head(str(name), kind) for name, kind in zip(names, kinds, strict=True)
    ]
    lines += [" & ".join(heads) + r" \\"]
    lines += ["\\midrule"]
    for row in zip(*(np.asarray(table[name]).tolist() for name in names), strict=True):
        lines.append(" & ".join(map(_latex_cell, row)) + r" \\")
    lines += ["\\bottomrule", "\\end{tabular}"]
    if caption:
        head, foot = "\\begin{table}", f"\\caption{{{_latex_text(caption)}}}"
        lines = [head, "\\centering", *lines, foot, "\\end{table}"]
    return "\n".join(lines)


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


def _latex_cell(value: Any) -> str:
    text = _cell(value)
    if not isinstance(value, str) and text.startswith("-"):  # a hyphen is no minus
        return "$-$" + text[1:] if text[1:] else "--"
    return _latex_text(text)


def _latex_head(name: str, kind: str) -> str:
    lines = textwrap.wrap(name, _HEAD, break_long_words=False, break_on_hyphens=False)
    text = r"\\".join(map(_latex_text, lines))
    if len(lines) < 2:
        return text
    return f"\\begin{{tabular}}[b]{{@{{}}{kind}@{{}}}}{text}\\end{{tabular}}"


def _latex_text(text: str) -> str:
    text = " ".join(unicodedata.normalize("NFC", text).split())
    return "".join(map(_latex_letter, text)).replace("--", "-{}-")


def _latex_letter(letter: str) -> str:
    """Return what sets a letter in LaTeX; nothing if it is one that cannot be seen."""
    if letter in _LATEX:
        return _LATEX[letter]
    if unicodedata.category(letter)[0] == "C":
        return ""
    return letter


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
