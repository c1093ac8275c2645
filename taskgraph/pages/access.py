"""Who may see and do what on a site: a token, the page's own origin, nobody else.

All that listens on the loopback can be reached by every user of the machine and by
every web site that is open in a browser there. So

- the printed address has a token. It becomes a cookie that scripts cannot read and
  that other sites do not bring (``SameSite=Strict``). Browsers send cookies of
  ``127.0.0.1`` to each of its ports, also to those of other users, so this one is for a
  path only that nobody else knows: all of the site lies below it;
- ``Host`` has to be an address or a name of this machine: a foreign name that was made
  to point here (DNS rebinding) is none;
- what other origins ask is refused (``Origin``, ``Sec-Fetch-Site``), but for following
  a link; and what acts (``POST``) has to bring a second token that only the page's own
  scripts can read.

A site in a frame of another page (a notebook) gets no cookies from the browser. Its
path is the token.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

COOKIE = "token"
ACTING = "x-token"
"""The header with which scripts of the page send the token for acting."""
_NAVIGATING = "navigate"
_METHODS = ("GET", "HEAD", "POST")


@dataclass(frozen=True)
class Access:
    """The secrets of one server.

    Attributes
    ----------
    token : str
        What the printed address has.
    framed : bool
        Whether the site may be shown in a frame of another page.
    names : frozenset of str
        Names that ``Host`` may have, beside ``localhost`` and addresses.
    """

    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    framed: bool = False
    names: frozenset[str] = frozenset()

    @property
    def place(self) -> str:
        """The path below which everything lies, with slashes."""
        return f"/{self.token if self.framed else self._derived('place')}/"

    @property
    def acting(self) -> str:
        """The token that a page's scripts send when they act."""
        return self._derived("acting")

    def _derived(self, what: str) -> str:
        digest = blake2b(what.encode(), key=self.token.encode(), digest_size=16)
        return digest.hexdigest()

    def address(self, host: str, port: int) -> str:
        """Return what is printed: the address that lets its reader in."""
        shown = f"[{host}]" if ":" in host else host
        start = f"http://{shown}:{port}"
        return f"{start}{self.place}" if self.framed else f"{start}/?token={self.token}"

    def cookie(self) -> str:
        """Return the header that keeps the token in the browser."""
        return f"{COOKIE}={self.token}; Path={self.place}; HttpOnly; SameSite=Strict"

    def knows_token(self, cookies: str) -> bool:
        """Return whether the header ``Cookie`` has the token; always, in a frame."""
        return self.framed or any(same(one, self.token) for one in _tokens(cookies))

    def refusal(self, method: str, path: str, headers: Mapping[str, str]) -> str:
        """Return why a request is refused, as a sentence; empty if it is not.

        Parameters
        ----------
        method, path : str
            Of the request.
        headers : mapping
            Its headers, by name in small letters.
        """
        host = headers.get("host", "")
        if not self._is_ours(host):
            return f"{host or 'no host'} is no name of this machine"
        if method not in _METHODS:
            return f"{method} is not understood here"
        if _is_foreign(method, host, headers):
            return "another site may not ask for this"
        if not same(path[: len(self.place)], self.place):
            return NO_TOKEN
        if not self.knows_token(headers.get("cookie", "")):
            return NO_TOKEN
        if method == "POST" and not same(headers.get(ACTING, ""), self.acting):
            return "this page is older than its server; load it again"
        return ""

    def _is_ours(self, host: str) -> bool:
        """Return whether a header ``Host`` names this machine; any port may be ours.

        An address cannot be made to point elsewhere, and ports differ behind tunnels.
        """
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name == "localhost" or name.endswith(".localhost") or name in self.names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


NO_TOKEN = (
    "this page is shown to those who have its token: open the address that was printed "
    "when its server was started"
)


def same(one: str, other: str) -> bool:
    """Return whether two texts are equal, in a time that does not tell where not."""
    return secrets.compare_digest(one.encode(), other.encode())


def names_of(host: str) -> frozenset[str]:
    """Return the names by which others may ask for a server that listens on `host`.

    Examples
    --------
    >>> sorted(names_of("127.0.0.1"))
    ['127.0.0.1']
    """
    try:
        alone = ipaddress.ip_address(host).is_loopback
    except ValueError:
        alone = host == "localhost"
    more = () if alone else (socket.gethostname(), socket.getfqdn())
    return frozenset(name.lower() for name in (host, *more))


def landing(query: Mapping[str, str], access: Access) -> str | None:
    """Return where the printed address leads; None if the token is not right."""
    if access.framed or not same(query.get("token", ""), access.token):
        return None
    rest = {name: value for name, value in query.items() if name != "token"}
    return access.place + (f"?{urlencode(rest)}" if rest else "")


def _is_foreign(method: str, host: str, headers: Mapping[str, str]) -> bool:
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
        return True
    if method == "POST" and origin is None:
        return True
    site = headers.get("sec-fetch-site", "none")
    follows = method == "GET" and headers.get("sec-fetch-mode") == _NAVIGATING
    return site not in ("same-origin", "none") and not follows


def _tokens(header: str) -> list[str]:
    """Return all that a header ``Cookie`` says of the token, also between odd cookies.

    Whoever serves another port of this machine may set cookies for this one: of the
    same name, and such as no parser of cookies takes.
    """
    pairs = (pair.strip().partition("=") for pair in header.split(";"))
    return [value for name, _, value in pairs if name == COOKIE]
