"""How long, as people write it, and as batch systems do."""

from __future__ import annotations

import re
from math import ceil

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_PARTS = re.compile(r"(?:\d+(?:\.\d+)?[dhms])+")
_PART = re.compile(r"(\d+(?:\.\d+)?)([dhms])")
_TWO_NUMBERS = re.compile(r"(?:(\d+)-)?(\d+):(\d+)")
_CLOCK = re.compile(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)")
_LONGEST = 10 * 366 * 86400.0


def seconds_of(text: str) -> float:
    """Return the seconds that a text means.

    Raises
    ------
    ValueError
        It means none, or not more than 0; the message says what to write.

    Examples
    --------
    >>> seconds_of("4h"), seconds_of("1h30m"), seconds_of("1-12:00:00")
    (14400.0, 5400.0, 129600.0)
    >>> seconds_of("90")
    Traceback (most recent call last):
    ValueError: '90' has no unit, and batch systems differ in theirs; write 90m or 90s
    >>> seconds_of("4:00")
    Traceback (most recent call last):
    ValueError: '4:00' is hours and minutes, or minutes and seconds, as batch ...
    """
    words = text.strip().lower()
    if words.isdecimal() and int(words):
        raise ValueError(
            f"{text!r} has no unit, and batch systems differ in theirs; write "
            f"{words}m or {words}s"
        )
    two = _TWO_NUMBERS.fullmatch(words)
    if two:
        days = f"{int(two[1])}d" if two[1] else ""
        first, second = int(two[2]), int(two[3])
        raise ValueError(
            f"{text!r} is hours and minutes, or minutes and seconds, as batch systems "
            f"differ; write {days}{first}h{second}m or {days}{first}m{second}s"
        )
    seconds = clock_seconds(words)
    if seconds is None and _PARTS.fullmatch(words):
        parts = _PART.findall(words)
        seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if words.isdecimal() or seconds == 0:
        raise ValueError(f"{text!r} is no time in which anything can be done")
    if seconds is None or seconds > _LONGEST:
        raise ValueError(f"{text!r} is no time; write 4h, 90m, 1d12h or 04:00:00")
    return seconds


def clock_seconds(text: str) -> float | None:
    """Return the seconds of a time as clocks show it; None if it is none.

    Examples
    --------
    >>> clock_seconds("1-02:00:00"), clock_seconds("2:00"), clock_seconds("UNLIMITED")
    (93600.0, 120.0, None)
    """
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return float(days * 86400 + hours * 3600 + minutes * 60 + seconds)


def clock_text(seconds: float) -> str:
    """Return a time as clocks show it, in whole seconds and not less.

    Examples
    --------
    >>> clock_text(14400), clock_text(129600.5)
    ('04:00:00', '36:00:01')
    """
    whole = ceil(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def minutes_text(seconds: float) -> str:
    """Return a time in hours and minutes, rounded up.

    Examples
    --------
    >>> minutes_text(14400), minutes_text(61)
    ('4:00', '0:02')
    """
    minutes = ceil(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02d}"
