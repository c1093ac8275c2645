"""Documents with their checksums: magic "TGD1" | xxh3-64 of the rest | the rest."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from xxhash import xxh3_64_intdigest

from backends.errors import DamagedError

if TYPE_CHECKING:
    from backends.interface import Documents

_SEAL = struct.Struct("<4sQ")
_MAGIC = b"TGD1"


class SealedDocuments:
    """The documents of a log, sealed: a damage is noticed when one is read.

    Parameters
    ----------
    documents : Documents
        Those of the log, as bytes.
    url : str
        What the store is called in errors.
    """

    def __init__(self, documents: Documents, url: str) -> None:
        self._documents = documents
        self._url = url
        self.names = documents.names

    def put(self, name: str, data: bytes) -> None:
        self._documents.put(name, seal(data))

    def get(self, name: str) -> bytes | None:
        sealed = self._documents.get(name)
        if sealed is None:
            return None
        return unseal(sealed, f"document {name} of {self._url}") or None


def seal(data: bytes) -> bytes:
    """Return a document with its checksum before it.

    Examples
    --------
    >>> unseal(seal(b"text"), "document d")
    b'text'
    >>> unseal(seal(b"text")[:-1], "document d")
    Traceback (most recent call last):
    backends.errors.DamagedError: document d is damaged (it has another checksum); ...
    """
    return _SEAL.pack(_MAGIC, xxh3_64_intdigest(data)) + data


def unseal(sealed: bytes, what: str) -> bytes:
    """Return the document that was sealed.

    Raises
    ------
    DamagedError
        Its checksum is another one.
    """
    if len(sealed) < _SEAL.size:
        raise DamagedError(what, "cut short" if sealed else "empty")
    magic, check = _SEAL.unpack_from(sealed)
    data = sealed[_SEAL.size :]
    if magic != _MAGIC or check != xxh3_64_intdigest(data):
        raise DamagedError(what, "it has another checksum")
    return data
