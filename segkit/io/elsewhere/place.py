"""A folder elsewhere, with as much of `pathlib.Path` as readers of metadata ask for."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from segkit.io.elsewhere.address import parse_address
from segkit.io.errors import MissingExtraError, pip_install

if TYPE_CHECKING:
    from segkit.io.elsewhere.address import Address

Where: TypeAlias = tuple[tuple[str, str], ...]
_LIBRARIES = ("obstore", "tensorstore")
_AWS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_EMULATOR = "STORAGE_EMULATOR_HOST"
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


def require_libraries(path: object) -> None:
    """Raise `MissingExtraError` if what reads volumes elsewhere is not installed.

    Raises
    ------
    MissingExtraError
        It says which extra that is.
    """
    missing = [name for name in _LIBRARIES if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            str(path),
            f"needs the extra `volumes`, of which {' and '.join(missing)} is not"
            f" installed; install it with: {pip_install(' '.join(missing))}",
        )


def where_of(address: Address) -> Where:
    """Return how the place of an address is reached, by it and by the environment.

    Buckets are asked without a signature if no credentials are in sight, since most
    volumes that are shared are public.
    """
    found = {"scheme": address.scheme, "host": address.host, **dict(address.settings)}
    if not address.is_bucket:
        return tuple(sorted(found.items()))
    environment = os.environ
    if address.scheme == "s3":
        known = any(name in environment for name in _AWS)
        endpoint = next((environment[n] for n in _ENDPOINTS if environment.get(n)), "")
        region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
        found.setdefault("region", region or "us-east-1")
    else:
        known = bool(environment.get("GOOGLE_APPLICATION_CREDENTIALS"))
        endpoint = environment.get(_EMULATOR, "")
    if endpoint:
        found.setdefault("endpoint", endpoint.rstrip("/"))
    found.setdefault("skip_signature", "false" if known else "true")
    if found.get("endpoint", "").startswith("http:"):
        found.setdefault("allow_http", "true")
    return tuple(sorted(found.items()))


class Place:
    """A folder, or an object, in a bucket or on a web server.

    What was read once of one volume is kept, so that to ask whether a file is there
    and to read it is one request.
    """

    def __init__(
        self,
        address: Address,
        known: dict[str, tuple[bytes, str] | Exception | None] | None = None,
        shown: str = "",
    ) -> None:
        self.address = address
        self._shown = shown or str(address)
        self._known = {} if known is None else known
        self._where = where_of(address)

    @classmethod
    def of(cls, path: str | Path | Address) -> Place:
        """Return the place of an address.

        Raises
        ------
        MissingExtraError
            If the libraries that reach it are not installed.
        ImageRequestError
            If the address makes no sense or holds a secret.
        """
        address = parse_address(path) if isinstance(path, (str, Path)) else path
        require_libraries(address)
        return cls(address)

    def __str__(self) -> str:
        return str(self.address)

    def __truediv__(self, name: str) -> Place:
        inner = self.address.at(f"{self.address.path}/{name}")
        return Place(inner, self._known, self._shown)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.address.name

    @property
    def where(self) -> Where:
        """How it is reached."""
        return self._where

    @property
    def parents(self) -> list[Place]:
        """The folders that it lies in, the nearest first."""
        parts = self.address.path.split("/")
        above = ["/".join(parts[:count]) for count in range(len(parts) - 1, -1, -1)]
        return [
            Place(self.address.at(path), self._known, self._shown) for path in above
        ]

    def below(self, other: Place) -> str:
        """Return the path of this below another, which it lies in."""
        return self.address.path.removeprefix(other.address.path).strip("/")

    def is_file(self) -> bool:
        """Say whether an object is there, and may be read."""
        return isinstance(self._found(), tuple)

    def read_bytes(self) -> bytes:
        """Return an object.

        Raises
        ------
        FileNotFoundError
            If there is none.
        """
        found = self._found()
        if isinstance(found, Exception):
            raise found
        if found is None:
            raise FileNotFoundError(f"{self.address}: no such object")
        return found[0]

    def _found(self) -> tuple[bytes, str] | Exception | None:
        path = self.address.path
        if path not in self._known:
            try:
                found = self.ask("get", path)
                self._known[path] = None if self._is_page(found) else found
            except PermissionError as error:
                # S3 says so of what is not there, too, if it must not be listed.
                self._known[path] = error
        return self._known[path]

    def _is_page(self, found: tuple[bytes, str] | None) -> bool:
        """Say whether a web server shows a page where there is nothing.

        Some do so for whatever they do not have; metadata are JSON.
        """
        page = found is not None and found[0].lstrip()[:1] == b"<"
        return page and not self.address.is_bucket

    @property
    def refused(self) -> Exception | None:
        """Why something of the volume could not be read, if it could not."""
        found = self._known.values()
        return next((one for one in found if isinstance(one, Exception)), None)

    def ask(self, what: str, *request: Any) -> Any:
        """Return what the fetcher answers to a request about objects of this place.

        Raises
        ------
        OSError
            If it cannot be done; in words.
        """
        from segkit.io.elsewhere.failures import failure
        from segkit.io.elsewhere.hiring import ask

        answer = ask(what, self._where, *request)
        if answer[0] == "failed":
            raise failure(self._shown, answer[1], answer[2])
        return answer[1]

    def listed(self) -> list[tuple[str, int, str]]:
        """Return path, size and version of each object below, sorted by path."""
        found = self.ask("list", f"{self.address.path}/")
        return sorted((str(path), int(size), str(mark)) for path, size, mark in found)

    def folders(self) -> list[str]:
        """Return the names of folders below; web servers do not say."""
        if not self.address.is_bucket:
            return []
        return sorted(self.ask("folders", f"{self.address.path}/"))


Node: TypeAlias = Path | Place
"""A folder or a file, here or elsewhere."""


def below(node: Node, other: Node) -> str:
    """Return the path of a folder or a file below another, with slashes."""
    if isinstance(node, Place) and isinstance(other, Place):
        return node.below(other)
    if isinstance(node, Path) and isinstance(other, Path):
        return node.relative_to(other).as_posix()
    raise TypeError("one is here, the other elsewhere")


def folders(node: Node) -> list[str]:
    """Return the names of the folders directly below one."""
    if isinstance(node, Place):
        return node.folders()
    return sorted(child.name for child in node.iterdir() if child.is_dir())
