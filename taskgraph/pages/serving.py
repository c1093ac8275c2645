"""Serving a site: listening, telling the address, ending."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import tempfile
import threading
import time
import webbrowser
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from taskgraph.errors import UsageError
from taskgraph.pages.access import Access, names_of
from taskgraph.pages.guarding import application

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from taskgraph.pages.site import Site

_GRACE = 1
"""Seconds that answers have which are being written when the server is told to end."""
_LAST_PORT = 65535
_LONGEST_START = 30.0


@dataclass(frozen=True)
class Served:
    """A site that is being served.

    Attributes
    ----------
    address : str
        What lets its reader in: it has the token.
    port : int
        On which it listens.
    """

    address: str
    port: int


def serve(
    site: Site,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    open_browser: bool = False,
    on_ready: Callable[[str], object] = print,
    on_end: Callable[[], object] = lambda: None,
) -> None:
    """Serve a site until Ctrl-C or SIGTERM.

    Parameters
    ----------
    site : Site
        What is shown.
    host : str
        Where to listen: an address or a name of this machine. Others see what goes over
        a network, so it is best left, and a tunnel made (``ssh -L``).
    port : int
        0 for any that is free.
    open_browser : bool
        Show it in the user's browser.
    on_ready : callable
        Is told the address, as soon as it can be opened.
    on_end : callable
        Called when it is to end, to end streams.

    Raises
    ------
    UsageError
        The port is in use, or may not be listened on; or there is no such host.
    """
    with _listening(host, port) as (listener, access_names):
        access = Access(framed=site.framed, names=access_names)
        address = access.address(host, listener.getsockname()[1])
        server = _server(site, access, on_end)
        with (
            _opened(address) if open_browser else nullcontext(),
            suppress(KeyboardInterrupt),  # which is how it is meant to end
        ):
            on_ready(address)
            server.run([listener])


@contextmanager
def serving(
    site: Site,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    on_end: Callable[[], object] = lambda: None,
) -> Iterator[Served]:
    """Serve a site while the block runs, in a thread; see `serve`.

    Examples
    --------
    >>> from urllib.request import urlopen
    >>> from starlette.routing import Route
    >>> from taskgraph.pages import Site, serving, shell
    >>> async def first(request):
    ...     return shell("Cells")
    >>> site = Site([Route("/", first)], "Cells", framed=True)
    >>> with serving(site) as served, urlopen(served.address) as answer:
    ...     b"<title>Cells</title>" in answer.read()
    True
    """
    with _listening(host, port) as (listener, access_names):
        access = Access(framed=site.framed, names=access_names)
        number = listener.getsockname()[1]
        server = _server(site, access, on_end)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            _wait_until(lambda: server.started or not thread.is_alive())
            yield Served(access.address(host, number), number)
        finally:
            server.handle_exit()
            thread.join()


class _Server(uvicorn.Server):
    """A server that ends its streams when it is told to end."""

    on_end: Callable[[], object]

    def handle_exit(self, sig: int = 0, frame: object = None) -> None:  # noqa: ARG002
        """End, in order at the first signal and at once at the second.

        The signal is not raised anew, as it would be there: to be ended is no failure.
        """
        self.force_exit = self.should_exit
        self.should_exit = True
        self.on_end()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End, and close what is left of connections whose time to end is over."""
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            if (transport := connection.transport) is not None:
                transport.abort()
        await asyncio.sleep(0)  # in which they are closed


def _server(site: Site, access: Access, on_end: Callable[[], object]) -> _Server:
    """Return a server that says nothing and believes no proxy."""
    config = uvicorn.Config(
        application(site, access),
        access_log=False,
        date_header=False,
        http="h11",
        lifespan="off",
        log_config=None,
        log_level="critical",
        loop="asyncio",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
        ws="none",
    )
    server = _Server(config)
    server.on_end = on_end
    return server


@contextmanager
def _listening(host: str, port: int) -> Iterator[tuple[socket.socket, frozenset[str]]]:
    """Listen on a port while the block runs; yield names that it may be asked by."""
    if not 0 <= port <= _LAST_PORT:
        raise UsageError(f"there is no port {port}; ports go up to {_LAST_PORT}")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=128)
    except socket.gaierror as error:
        raise UsageError(f"there is no host {host!r} here: {error.strerror}") from error
    except OSError as error:
        raise UsageError(_why_not(host, port, error)) from error
    with listener:
        yield listener, names_of(host)


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use; give another one, or 0 for any that is free"
    if error.errno == errno.EACCES:
        return f"port {port} is not for users; give one above 1023, or 0 for any"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine; 127.0.0.1 is"
    return f"cannot listen on port {port} of {host}: {error.strerror}"


def _wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + _LONGEST_START
    while not holds() and time.monotonic() < end:
        time.sleep(0.005)


@contextmanager
def _opened(address: str) -> Iterator[None]:
    """Open an address in the user's browser; it is there while the block runs.

    The browser is started with the path of a file of the user's, which leads to the
    address: all users of the machine see with which words programs were started.
    """
    handle, name = tempfile.mkstemp(
        suffix=".html", prefix="page-"
    )  # for its owner only
    to = escape(address)
    with os.fdopen(handle, "w") as file:
        file.write(
            f'<!doctype html><meta charset="utf-8"><title>Opening</title>'
            f'<meta http-equiv="refresh" content="0;url={to}"><a href="{to}">Go on</a>'
        )
    path = Path(name)
    try:
        threading.Thread(
            target=webbrowser.open, args=(path.as_uri(),), daemon=True
        ).start()
        yield
    finally:
        path.unlink(missing_ok=True)
