"""What can be found out about a bucket, for a store in it."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from statistics import median
from typing import TYPE_CHECKING

from backends.bucket.address import parse_address
from backends.bucket.client import Client
from backends.bucket.layout import BLOBS, FORMAT, KIND
from backends.bucket.place import Place
from backends.errors import BackendError
from backends.filesystem.format import describe_format
from backends.interface import Finding, Level, Service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from backends.bucket.address import Address

_BLOCK = 16
_TIMES = 5
_SLOW = 0.2
_ABANDONED = 3600.0
"""Seconds after which a scratch store goes whose owner was killed."""
_PATIENCE = 10.0
_LIMITS = {"s3": (3500, 5500), "gs": (1000, 5000), "az": (20000, 20000)}
"""Writes and reads a second below a prefix, as the services say, at first."""


class BucketProbe:
    """Finds out about a bucket; see `Probe`.

    Parameters
    ----------
    address : Address
        Of the store.
    """

    def __init__(self, address: Address) -> None:
        self.url = address.url
        self._address = address
        self._client = Client(address, patience=_PATIENCE)
        self._clients = [self._client]

    def facts(self) -> Iterator[Finding]:
        try:
            place = Place(self._client, create=True, block=_BLOCK)
        except BackendError as error:
            yield Finding("store", "cannot be opened", str(error), "", Level.UNFIT)
            return
        found = "a store" if place.exists() else "none yet: it will be made"
        yield Finding("store", found, f"in {self._address.kind}")
        yield from self._permissions()

    def _permissions(self) -> Iterator[Finding]:
        """Yield whether objects can be written, once only, read, listed and removed."""
        client = self._of(f"doctor-{os.urandom(6).hex()}")
        name, data = f"{BLOBS}/probe", b"is there room?"
        deeds: dict[str, Callable[[], bool]] = {
            "write": lambda: bool(client.put(name, data)),
            "read": lambda: client.get(name) is not None,
            "list": lambda: [x.name for x in client.listed(BLOBS)] == [name],
            "write if absent": lambda: _refused(client, name),
            "remove": lambda: _removed(client, name),
        }
        for what, deed in deeds.items():
            try:
                done, why = deed(), "it is not done, though the service says so"
            except BackendError as error:
                done, why = False, str(error)
            if not done:
                advice = _ADVICE.get(what, "")
                yield Finding(f"may {what}", "no", why, advice, Level.UNFIT)
                if what == "write":
                    return
                continue
            yield Finding(f"may {what}", "yes", _MEANING[what])

    # scratch stores

    def _of(self, name: str) -> Client:
        prefix = self._address.prefix
        client = self._client.above(f"{prefix}-{name}" if prefix else name)
        self._clients.append(client)
        return client

    def make_scratch(self, name: str) -> str:
        client = self._of(name)
        with suppress(FileExistsError):
            client.put(FORMAT, describe_format(_BLOCK, KIND), new=True)
        return client.url

    def remove_scratch(self, name: str) -> None:
        client = self._of(name)
        client.delete(found.name for found in client.listed(""))
        folder, _, own = client.address.prefix.rpartition("/")
        start = f"{own.removesuffix(name)}doctor-"
        above = self._client.above(folder)
        self._clients.append(above)
        for other in above.folders("")[0]:
            if not other.startswith(start):
                continue
            found = above.listed(other)
            if all(time.time() - one.time > _ABANDONED for one in found):
                above.delete(one.name for one in found)

    # what is measured

    def measures(self, name: str) -> Iterator[Finding]:
        client = self._of(name)
        deeds: dict[str, Callable[[int], object]] = {
            "put": lambda k: client.put(f"{BLOBS}/{k}", bytes(1000), new=True),
            "get": lambda k: client.get(f"{BLOBS}/{k}"),
            "list": lambda _: client.listed(BLOBS),
        }
        for what, deed in deeds.items():
            took = [_seconds(deed, number) for number in range(_TIMES)]
            found = median(took)
            slow = found > _SLOW
            yield Finding(
                what,
                f"{1e3 * found:.0f} ms (the longest: {1e3 * max(took):.0f})",
                "an append takes a list and a put; what is new takes a get each",
                "workers in the region of the bucket" if slow else "",
                Level.WARNING if slow else Level.FINE,
            )

    def service(self, name: str) -> Service:  # noqa: ARG002 - nothing is measured
        writes, reads = _LIMITS[self._address.scheme]
        put, get = 1 / writes, 1 / reads
        assumed = (
            f"that {self._address.kind} takes {writes:,} writes and {reads:,} reads a "
            "second below a prefix, as it says"
        )
        return Service(put + get, get, get, get, _BLOCK, assumed=assumed)

    def close(self) -> None:
        for client in self._clients:
            client.close()


_MEANING = {
    "write": "objects can be made",
    "read": "what was written is read at once",
    "list": "what was written is listed at once",
    "write if absent": "who is second is refused: segments get their places so",
    "remove": "objects can be removed",
}
_ADVICE = {
    "write": "let it write objects (s3:PutObject)",
    "read": "let it read objects (s3:GetObject)",
    "list": "let it list the bucket (s3:ListBucket)",
    "write if absent": "choose a service that honours If-None-Match: *",
    "remove": "let it remove objects (s3:DeleteObject)",
}


def _removed(client: Client, name: str) -> bool:
    """Remove an object; return whether it is gone."""
    client.delete([name])
    return client.head(name) is None


def _refused(client: Client, name: str) -> bool:
    """Return whether an object that is there is not written again."""
    try:
        client.put(name, b"again", new=True)
    except FileExistsError:
        return True
    return False


def _seconds(deed: Callable[[int], object], number: int) -> float:
    began = time.perf_counter()
    deed(number)
    return time.perf_counter() - began


def open_probe(url: str) -> BucketProbe:
    """Return what finds out about the bucket that a URL names.

    Raises
    ------
    OpenError
        The URL names no bucket, or obstore is not installed.
    """
    return BucketProbe(parse_address(url))
