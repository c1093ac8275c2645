"""URLs of stores, as they may be shown, and overwritten where all users see them."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


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


def passwords_in(url: str) -> list[str]:
    """Return what in a URL may be a password, as it is written there.

    Examples
    --------
    >>> passwords_in("--store=redis://user:p%2Fw@host/1?sentinel_password=x&db=2")
    ['p%2Fw', 'x']
    >>> passwords_in("redis://:what@is@host"), passwords_in("s3://bucket/prefix")
    (['what@is'], [])
    """
    _, scheme, rest = url.partition("://")
    user, at, _ = rest.rpartition("@")
    found = [user.partition(":")[2]] if scheme and at else []
    found += re.findall(r"password=([^&]*)", rest)
    return [password for password in found if password]


def hide(passwords: Iterable[str]) -> None:
    """Overwrite some texts among the arguments of this process, which all can list.

    Where the system does not let it be done, they stay there.
    """
    with suppress(OSError, ValueError, IndexError):
        with open("/proc/self/stat", "rb") as stat:  # noqa: PTH123 - a file of the kernel
            fields = stat.read().rpartition(b")")[2].split()
        start, end = int(fields[45]), int(fields[46])
        with open("/proc/self/mem", "r+b", buffering=0) as memory:  # noqa: PTH123
            memory.seek(start)
            arguments = memory.read(end - start)
            for password in passwords:
                written = password.encode()
                hidden = arguments.replace(written, b"*" * len(written))
                if hidden != arguments:
                    memory.seek(start)
                    memory.write(hidden)
                    arguments = hidden
