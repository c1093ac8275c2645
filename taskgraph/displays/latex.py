"""Tables for papers: LaTeX with the rules of the package booktabs."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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
_LIGATURE = re.compile("([-',])(?=\\1)")  # two of them are a dash, a quotation mark
_HEAD = 8  # letters of a head's line, where there are words to break it


def latex_table(
    columns: Mapping[str, Sequence[Any]],
    text_of: Callable[[Any], str],
    *,
    caption: str = "",
) -> str:
    r"""Return a table as LaTeX.

    Any text may be in it: what means something to LaTeX is escaped, heads are broken
    into lines between words.

    Parameters
    ----------
    columns : mapping of str to sequence
        Cells by column, as many in each; columns of numbers are set to the right.
    text_of : callable
        Returns what is shown of a cell.
    caption : str
        Put below it, if given.

    Examples
    --------
    >>> print(latex_table({"method": ["a_1"], "bias": [-0.5]}, str))
    \begin{tabular}{lr}
    \toprule
    method & bias \\
    \midrule
    a\_1 & $-$0.5 \\
    \bottomrule
    \end{tabular}
    """
    kinds = ["r" if is_of_numbers(each) else "l" for each in columns.values()]
    heads = [_head(name, kind) for name, kind in zip(columns, kinds, strict=True)]
    lines = [f"\\begin{{tabular}}{{{''.join(kinds)}}}", "\\toprule"]
    lines += [" & ".join(heads) + r" \\", "\\midrule"]
    for row in zip(*columns.values(), strict=True):
        lines.append(" & ".join(_cell(value, text_of) for value in row) + r" \\")
    lines += ["\\bottomrule", "\\end{tabular}"]
    if caption:
        head, foot = "\\begin{table}", f"\\caption{{{_text(caption)}}}"
        lines = [head, "\\centering", *lines, foot, "\\end{table}"]
    return "\n".join(lines)


def is_of_numbers(cells: Sequence[Any]) -> bool:
    """Return whether a column is of numbers, some of which may be missing."""
    return {*map(type, cells)} <= {int, float, type(None)}


def _cell(value: Any, text_of: Callable[[Any], str]) -> str:
    text = text_of(value)
    if not isinstance(value, str) and text.startswith("-"):  # a hyphen is no minus
        return "$-$" + _text(text[1:]) if text[1:] else "--"
    return _text(text)


def _head(name: str, kind: str) -> str:
    lines = textwrap.wrap(name, _HEAD, break_long_words=False, break_on_hyphens=False)
    text = r"\\".join(map(_text, lines))
    if len(lines) < 2:
        return text
    return f"\\begin{{tabular}}[b]{{@{{}}{kind}@{{}}}}{text}\\end{{tabular}}"


def _text(text: str) -> str:
    text = " ".join(unicodedata.normalize("NFC", text).split())
    return _LIGATURE.sub(r"\1{}", "".join(map(_letter, text)))


def _letter(letter: str) -> str:
    """Return what sets a letter in LaTeX; nothing if it is one that cannot be seen."""
    if letter in _LATEX:
        return _LATEX[letter]
    if unicodedata.category(letter)[0] == "C":
        return ""
    return letter
