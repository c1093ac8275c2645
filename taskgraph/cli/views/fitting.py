"""Text for places of so many columns of a terminal, whoever wrote it; pure."""

from __future__ import annotations

from taskgraph.cli.printing import one_line

_FEW = 4
"""Letters that are looked at for each column: some of them take none."""


def columns_of(text: str) -> int:
    """Return how many columns text takes: a letter of Chinese and an emoji take two.

    Examples
    --------
    >>> columns_of("cell"), columns_of("細胞")
    (4, 4)
    """
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def fitted(text: str, width: int) -> str:
    r"""Return text as one line of at most so many columns, that a terminal only shows.

    Of what is too long the middle is left out.

    Examples
    --------
    >>> fitted("segment(im7)", 9), fitted("a\x1b[2J", 9), fitted("細胞細胞細胞", 9)
    ('seg...m7)', 'a\\x1b[2J', '細...胞')
    """
    line = one_line(text, max(_FEW * width, _FEW))
    if columns_of(line) <= width:
        return line
    half = max(0, (width - 3) // 2)
    begin, end = _first(line, half), _first(line[::-1], half)[::-1]
    return f"{begin}...{end}"[: max(0, width)]


def padded(text: str, width: int, *, right: bool = False) -> str:
    """Return text that fits, filled with spaces to so many columns.

    Examples
    --------
    >>> padded("細胞", 6), padded("12", 6, right=True)
    ('細胞  ', '    12')
    """
    space = " " * (width - columns_of(text))
    return space + text if right else text + space


def _first(text: str, width: int) -> str:
    """Return the first letters of text that fit so many columns."""
    if text.isascii():
        return text[:width]
    from rich.cells import get_character_cell_size

    taken = 0
    for place, letter in enumerate(text):
        taken += get_character_cell_size(letter)
        if taken > width:
            return text[:place]
    return text
