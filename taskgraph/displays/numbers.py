"""Numbers, sizes and times as people read them."""

from __future__ import annotations

import time

_UNITS = ("B", "KB", "MB", "GB", "TB", "PB")
_THOUSAND = 1000
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


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
    """Return a length of time for people.

    Examples
    --------
    >>> seconds_text(0.25), seconds_text(90), seconds_text(90_000)
    ('0.25 s', '1 min 30 s', '1 d 1 h')
    """
    if seconds < _MINUTE:
        return f"{seconds:.3g} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min {seconds % _MINUTE:.0f} s"
    if seconds < _DAY:
        return f"{seconds // _HOUR:.0f} h {seconds % _HOUR // _MINUTE:.0f} min"
    return f"{seconds // _DAY:.0f} d {seconds % _DAY // _HOUR:.0f} h"


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
