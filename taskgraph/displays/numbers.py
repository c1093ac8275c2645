"""Numbers, sizes and times as people read them."""

from __future__ import annotations

import time

_UNITS = ("B", "KB", "MB", "GB", "TB", "PB")
_THOUSAND = 1000
_SECOND, _FEW = 0.9995, 9.95
"""Of less the thousandths are shown, and the tenths."""
_MINUTE, _DAY = 60, 86400


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


def size_text(size: float) -> str:
    """Return a number of bytes for people.

    Examples
    --------
    >>> size_text(999), size_text(1_500_000)
    ('999 B', '1.5 MB')
    """
    for unit in _UNITS:
        if size < _THOUSAND or unit == _UNITS[-1]:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= _THOUSAND
    return ""


def seconds_text(seconds: float) -> str:
    """Return a length of time for people; pages say it in the same words.

    Examples
    --------
    >>> [seconds_text(x) for x in (0, 0.00257, 0.25, 3.24, 8, 42.4)]
    ['0 s', '2.57 ms', '250 ms', '3.2 s', '8 s', '42 s']
    >>> [seconds_text(x) for x in (90, 605, 7_500, 300_000)]
    ['1 min 30 s', '10 min', '2 h 05', '3 days']
    """
    if 0 < seconds < _SECOND:
        return f"{1000 * seconds:.3g} ms"
    whole = _rounded(seconds)
    if seconds < _FEW and seconds != whole:
        return f"{seconds:.1f} s"
    minutes = _rounded(seconds / _MINUTE)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < 10 * _MINUTE:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    if minutes < 100:
        return f"{minutes} min"
    if minutes < 2 * _DAY // _MINUTE:
        return f"{minutes // 60} h {minutes % 60:02d}"
    return f"{_rounded(seconds / _DAY)} days"


def _rounded(number: float) -> int:
    return int(number + 0.5)  # as JavaScript rounds


def moment_text(moment: float) -> str:
    """Return a time (seconds since the epoch) in the local time zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))


def counted(count: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "task"), counted(2, "task")
    ('1 task', '2 tasks')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
