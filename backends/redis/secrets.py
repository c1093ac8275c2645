"""Passwords of servers: known to this process and its children, and shown to nobody.

A store goes by its URL without the password, in messages, notes and records. Who opens
it by that again, a worker or a process that a task starts, finds the password in the
environment, which only processes of the same user can read.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from xxhash import xxh3_64_hexdigest

from backends.urls import hide

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
        hide({address.password, _quoted(address.password)})
    return address.password or os.environ.get(variable) or os.environ.get(COMMON, "")


def _quoted(password: str) -> str:
    from urllib.parse import quote

    return quote(password, safe="")
