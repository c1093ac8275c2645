"""URLs of stores, as they may be shown."""

from __future__ import annotations

import re


def without_password(url: str) -> str:
    """Return a URL, of whatever shape, with all hidden that may be a password.

    That is whatever stands before the last @, and what is called so.

    Examples
    --------
    >>> without_password("redis://user:p/w@host/1?password=x&db=2")
    'redis://...@host/1?password=...&db=2'
    >>> without_password("redis://:what?@host")
    'redis://...@host'
    """
    start = re.match(r"[^:]*:/*", url)
    begin = start.group() if start else ""
    rest = url[len(begin) :]
    if "@" in rest:
        begin, rest = f"{begin}...@", rest.rpartition("@")[2]
    return begin + re.sub(r"(password=)[^&]*", r"\1...", rest)
