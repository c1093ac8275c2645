"""Passwords of servers: known to this process and its children, and shown to nobody.

A store goes by its URL without the password, in messages, notes and records. Who opens
it by that again, a worker or a process that a task starts, finds the password in the
environment, which only processes of the same user can read.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from xxhash import xxh3_64_hexdigest

if TYPE_CHECKING:
    from backends.redis.address import Address

_VARIABLE = "_TASKGRAPH_PASSWORD_"
COMMON = "REDISCLI_AUTH"
"""The variable in which redis-cli looks for a password, too."""


def password_of(address: Address) -> str:
    """Return the password for a server, empty if none is known; remember it.

    It is that of the URL, or the one with which the same URL was opened before, or the
    one in the variable `COMMON`.
    """
    variable = _VARIABLE + xxh3_64_hexdigest(address.url.encode())
    if address.password:
        os.environ[variable] = address.password
        hide(address.password)
    return address.password or os.environ.get(variable) or os.environ.get(COMMON, "")


def hide(password: str) -> None:
    """Overwrite a password among the arguments of this process, which all users see.

    Where the system does not let it be done, it stays there.
    """
    with suppress(OSError, ValueError, IndexError):
        with open("/proc/self/stat", "rb") as stat:  # noqa: PTH123 - a file of the kernel
            fields = stat.read().rpartition(b")")[2].split()
        start, end = int(fields[45]), int(fields[46])
        with open("/proc/self/mem", "r+b", buffering=0) as memory:  # noqa: PTH123
            memory.seek(start)
            arguments = memory.read(end - start)
            for written in {password.encode(), _quoted(password)}:
                hidden = arguments.replace(written, b"*" * len(written))
                if hidden != arguments:
                    memory.seek(start)
                    memory.write(hidden)
                    arguments = hidden


def _quoted(password: str) -> bytes:
    from urllib.parse import quote

    return quote(password, safe="").encode()
