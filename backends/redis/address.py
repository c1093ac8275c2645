"""What the URL of a store in Redis says; pure, and without its password when shown."""

from __future__ import annotations

import re
from dataclasses import field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlencode

from backends.errors import OpenError
from backends.interface.frozen import frozen
from backends.names import is_name
from backends.urls import without_password

if TYPE_CHECKING:
    from collections.abc import Sequence

STORE = "taskgraph"
"""What a store is called if its URL does not say it."""
PATIENCE = 60.0
"""Seconds for which a server that is gone is waited for."""
SENTINEL_PORT, PORT = 26379, 6379
_SHAPES = {
    "redis": "redis://[user:password@]host[:6379][/db]",
    "rediss": "rediss://[user:password@]host[:6379][/db]",
    "unix": "unix://[user:password@]/path/to/socket[?db=0]",
    "redis+sentinel": "redis+sentinel://[user:password@]host[:26379],.../service[/db]",
    "rediss+sentinel": "rediss+sentinel://[...@]host[:26379],.../service[/db]",
    "redis+cluster": "redis+cluster://[user:password@]host[:6379],...",
    "rediss+cluster": "rediss+cluster://[user:password@]host[:6379],...",
}
_ALSO = {"valkey": "redis", "valkeys": "rediss"}
_HOST = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^\[\]:,]*)(?::(\d{1,5}))?")


@frozen
class Address:
    """Where a store in Redis is.

    Attributes
    ----------
    url : str
        As it is shown: without any password.
    kind : str
        ``server``, ``unix``, ``sentinel`` or ``cluster``.
    tls : bool
        Whether connections are encrypted.
    hosts : sequence of (str, int)
        Names or addresses, and ports: of the server, its sentinels, or some nodes.
    path : str
        The socket of ``unix``, the name of the service of ``sentinel``.
    user, password : str
        Empty if it gives none.
    db : int
        The number of the database.
    store : str
        The name of the store there.
    blobs : str
        The folder for large values, empty if they are in Redis, too.
    patience : float
        Seconds for which a server that is gone is waited for.
    options : dict
        All else, which redis-py knows.
    """

    url: str
    kind: str
    tls: bool
    hosts: Sequence[tuple[str, int]]
    path: str
    user: str
    password: str = field(repr=False)
    db: int
    store: str
    blobs: str
    patience: float
    options: dict[str, str] = field(repr=False)


def parse_address(url: str) -> Address:
    """Return what a URL says.

    Raises
    ------
    OpenError
        It has another shape, or says what makes no sense.

    Examples
    --------
    >>> address = parse_address("redis://anna:secret@[::1]:7000/2?store=lab")
    >>> address.url, address.hosts, address.db, address.store
    ('redis://anna@[::1]:7000/2?store=lab', [('::1', 7000)], 2, 'lab')
    >>> parse_address("redis+sentinel://a,b:7001/main/1").hosts
    [('a', 26379), ('b', 7001)]
    >>> parse_address("redis://:se/cret@host")
    Traceback (most recent call last):
    backends.errors.OpenError: 'redis://...@host': ...; write redis://[user...
    """
    scheme = url.partition(":")[0].lower()
    scheme = _ALSO.get(scheme, scheme)
    try:
        return _parsed(scheme, url.partition(":")[2])
    except ValueError as error:
        raise OpenError(
            f"{without_password(url)!r}: {error}; write {_SHAPES[scheme]}"
        ) from None


def _parsed(scheme: str, text: str) -> Address:
    name, _, tail = scheme.partition("+")
    kind = "unix" if name == "unix" else tail or "server"
    if not text.startswith("//"):
        raise ValueError("it has no // after its scheme")
    rest, _, query = text.removeprefix("//").partition("?")
    netloc, slash, tail = rest.partition("/")
    userinfo, _, hosts = netloc.rpartition("@")
    if "@" in tail or "#" in rest or userinfo.count(":") > 1:
        raise ValueError(
            "in names and passwords, / ? # @ : and % are written as %2F %3F %23 "
            "%40 %3A and %25"
        )
    user, _, password = userinfo.partition(":")
    options = _options(query)
    # What was a question mark in a password would be shown as a part of a host.
    found = _hosts(hosts, SENTINEL_PORT if kind == "sentinel" else PORT)
    path, db = _path_and_db(kind, hosts, slash, tail, options)
    return Address(
        url=_shown(scheme, user, hosts + slash + tail, query),
        kind=kind,
        tls=name == "rediss",
        hosts=found,
        path=path,
        user=unquote(user) or options.pop("username", ""),
        password=unquote(password) or options.pop("password", ""),
        db=db,
        store=_name(options.pop("store", STORE)),
        blobs=_folder(options.pop("blobs", "")),
        patience=_seconds(options.pop("patience", str(PATIENCE))),
        options=options,
    )


def _shown(scheme: str, user: str, place: str, query: str) -> str:
    """Return a URL without passwords; it opens the same store if they are known."""
    kept = [
        (key, value)
        for key, value in parse_qsl(query, keep_blank_values=True)
        if "password" not in key
    ]
    options = f"?{urlencode(kept, quote_via=quote, safe='/:,')}" if kept else ""
    return f"{scheme}://{user}{'@' if user else ''}{place}{options}"


def _options(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key in found:
            raise ValueError(f"it says {key} twice")
        found[key] = value
    return found


def _hosts(text: str, port: int) -> list[tuple[str, int]]:
    found = []
    for each in text.split(","):
        match = _HOST.fullmatch(each)
        number = int(match[2] or port) if match else 0
        if match is None or not 0 < number < 1 << 16:
            raise ValueError("its host or port is none")
        found.append((unquote(match[1]).strip("[]") or "localhost", number))
    return found


def _path_and_db(
    kind: str, hosts: str, slash: str, path: str, options: dict[str, str]
) -> tuple[str, int]:
    """Return a socket or a service, and the number of the database."""
    if kind == "unix":
        if hosts or not path:
            raise ValueError("the path of its socket is not whole")
        path, db = unquote(slash + path), ""
    elif kind == "sentinel":
        path, _, db = unquote(path).partition("/")
        if not path:
            raise ValueError("it names no service")
    else:
        path, db = "", path
        if "," in hosts and kind == "server":
            raise ValueError("it names several hosts")
    db = options.pop("db", db) or "0"
    if not db.strip("/").isdecimal():
        raise ValueError(f"{db!r} is no number of a database")
    number = int(db.strip("/"))
    if number and kind == "cluster":
        raise ValueError("a cluster has database 0 only")
    return path, number


def _name(store: str) -> str:
    if not is_name(store):
        raise ValueError(f"{store!r} is no name for a store (letters, digits, . _ -)")
    return store


def _folder(path: str) -> str:
    if path and not path.startswith(("/", "~")):
        raise ValueError(f"blobs={path} is no whole path")
    return path


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"patience={text} is no number of seconds")
    return seconds
