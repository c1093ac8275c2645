"""Large values in a bucket: an object each, read in pieces at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.bucket.layout import BLOBS
from backends.errors import DamagedError
from backends.names import is_blob_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from backends.bucket.client import Client
    from backends.bucket.place import Place
    from backends.interface import Bytes


class BucketBlobs:
    """The `Blobs` of a store in a bucket."""

    def __init__(self, client: Client, place: Place) -> None:
        self._client = client
        self._place = place

    def write(self, name: str, chunks: Iterable[Bytes]) -> int:
        self._place.make()
        return self._client.upload(self._object(name), chunks)

    def open(self, name: str) -> memoryview:
        found = self._client.download(self._object(name))
        if found is None:
            raise DamagedError(f"blob {name} of {self._client.url}", "it is gone")
        return found

    def all(self) -> Iterator[tuple[str, int]]:
        listed, trashed = self._client.listed(BLOBS), self._place.trashed()
        for found in listed:
            name = found.name.removeprefix(f"{BLOBS}/")
            if is_blob_name(name) and found.name not in trashed:
                yield name, found.size

    def age(self, name: str) -> float:
        found = self._client.head(self._object(name))
        return 0.0 if found is None else max(0.0, self._place.now() - found.time)

    def trash(self, name: str) -> None:
        self._place.trash(self._object(name))

    def _object(self, name: str) -> str:
        if not is_blob_name(name):
            what = f"blob {name!r} of {self._client.url}"
            raise DamagedError(what, "no blob has such a name")
        return f"{BLOBS}/{name}"
