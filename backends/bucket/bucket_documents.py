"""Documents in a bucket: an object each, replaced when it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.bucket.layout import DOCUMENTS, original, plain
from backends.errors import DamagedError
from backends.names import is_file_name

if TYPE_CHECKING:
    from backends.bucket.client import Client
    from backends.bucket.place import Place


class BucketDocuments:
    """The `Documents` of a store in a bucket, as bytes."""

    def __init__(self, client: Client, place: Place) -> None:
        self._client = client
        self._place = place

    def put(self, name: str, data: bytes) -> None:
        self._place.make()
        self._client.put(self._object(name), data)

    def get(self, name: str) -> bytes | None:
        found = self._client.get(self._object(name))
        return None if found is None else found.data

    def names(self) -> list[str]:
        found = self._client.listed(DOCUMENTS)
        return sorted(original(one.name.removeprefix(f"{DOCUMENTS}/")) for one in found)

    def _object(self, name: str) -> str:
        if not is_file_name(name):
            what = f"{self._client.url}/{DOCUMENTS}"
            raise DamagedError(what, f"{name!r} is no document's name")
        return f"{DOCUMENTS}/{plain(name)}"
