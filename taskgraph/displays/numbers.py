"""Numbers for reading: three significant digits, whole ones whole."""

from __future__ import annotations


def number_text(value: float) -> str:
    """Return a number as short text.

    Examples
    --------
    >>> [number_text(x) for x in (3, 2.0, 0.12345, 1234.56, 1.5e9, float("nan"))]
    ['3', '2', '0.123', '1235', '1.5e+09', 'nan']
    """
    if isinstance(value, int):
        return str(value) if value.bit_length() <= 256 else f"{value.bit_length()} bits"
    if 1000 <= abs(value) < 1e7:
        return f"{value:.0f}"
    return f"{value:.3g}"
