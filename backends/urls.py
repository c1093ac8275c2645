"""URLs of stores, as they may be shown."""

from __future__ import annotations

import re


def without_password(url: str) -> str:
    """Return a URL, of whatever shape, with all hidden that may be a password.

    Examples
    --------
    >>> without_password("redis://user:p/w@host/1?password=x&db=2")
    'redis://...@host/1?password=...&db=2'
    >>> without_password("unix:///run/redis.sock?blobs=/a@b")
    'unix:///run/redis.sock?blobs=/a@b'
    """
    start = re.match(r"[^:]*:/*", url)
    begin = start.group() if start else ""
    rest = url[len(begin) :]
    before, _, query = rest.partition("?")
    if "@" in before or (":" in before and "@" in query):
        begin, rest = f"{begin}...@", rest.rpartition("@")[2]
    return begin + re.sub(r"(password=)[^&]*", r"\1...", rest)
