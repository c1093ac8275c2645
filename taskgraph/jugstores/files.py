"""Results out of the directory where jug keeps them."""

from __future__ import annotations

import io
import os
import pickle
import re
import zlib
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from backends.errors import DamagedError, NoStoreError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Set
    from pathlib import Path

_NPY, _PARQUET = b"\x93NUMPY", b"PAR1"
_DIGEST = re.compile("[0-9a-f]{40}")


class Folder:
    """A directory of jug's: what lies there is read, nothing is written.

    Small results may be in its pack, one pickle of all of them. It is read when it is
    asked for, since classes of the jugfile have to be there by then; one that cannot
    be read is tried again by `refresh`.

    Parameters
    ----------
    folder : Path
        The one that jug calls its jugdir.

    Attributes
    ----------
    told : str
        What is wrong with its pack; empty if nothing.

    Raises
    ------
    NoStoreError
        There is no such directory.
    UnavailableError
        It cannot be listed.
    """

    def __init__(self, folder: Path) -> None:
        self.url = str(folder)
        self.told = ""
        self._folder = folder
        self._pack = folder / "packs" / "jugpack"
        self._packed: Mapping[str, Any] = {}
        if not folder.is_dir():
            raise NoStoreError(f"there is no jug store {folder}; give --jugdir")
        try:
            self._untried = self._pack.is_file()
            self._files = frozenset(_digests(folder))
        except OSError as error:
            raise UnavailableError(f"{folder}: {error.strerror}") from error

    def digests(self) -> Set[str]:
        """Return the digests of all calls that have a result."""
        self._read_pack()
        return self._files | self._packed.keys()

    def has(self, digest: str) -> bool:
        """Return whether a call has a result."""
        if digest in self._files:
            return True
        self._read_pack()
        return digest in self._packed

    def refresh(self) -> bool:
        """Try the pack again if it could not be read; return whether it can be now."""
        failed = bool(self.told)
        self.told, self._untried = "", self._untried or failed
        self._read_pack()
        return failed and not self.told

    def load(self, digest: str) -> Any:
        """Return the result of a call; a file of its own is newer than the pack.

        Raises
        ------
        DamagedError
            It cannot be read.
        """
        if digest not in self._files:
            return self._packed[digest]
        return _tried(self._path(digest))

    def time(self, digest: str) -> float:
        """Return when a result was written, in seconds since the epoch."""
        path = self._path(digest) if digest in self._files else self._pack
        try:
            return path.stat().st_mtime
        except OSError:
            return 0.0

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest[2:]

    def _read_pack(self) -> None:
        if not self._untried:
            return
        self._untried = False
        try:
            packed = _tried(self._pack)
            if not isinstance(packed, dict):
                raise DamagedError(str(self._pack), "is no dict of results")
            self._packed = _names_of(packed)
        except DamagedError as error:
            self.told = f"{error}; the small results in it are left out"


def decoded(data: bytes) -> Any:
    """Return a value of jug's own form: packed by zlib, an array or a pickle.

    Examples
    --------
    >>> decoded(b""), decoded(zlib.compress(b"P" + pickle.dumps([1, 2])))
    (None, [1, 2])
    """
    if not data:
        return None
    plain = unpacked(data, most_bytes())
    if plain.startswith(b"N"):
        return np.load(io.BytesIO(plain[1:]), allow_pickle=False)
    if plain.startswith(b"P"):
        return pickle.loads(plain[1:])  # noqa: S301 - which the user was told of
    raise ValueError(f"it begins with {plain[:1]!r}")


def most_bytes() -> int:
    """Return how many bytes a result may have: half of this machine's memory."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def unpacked(data: bytes, most: int) -> bytes:
    """Return what zlib has packed.

    Raises
    ------
    ValueError
        It is more than so many bytes, or not whole.

    Examples
    --------
    >>> unpacked(zlib.compress(bytes(10_000_000)), 1_000_000)
    Traceback (most recent call last):
    ValueError: it unpacks to more than 1000000 bytes, too many for this machine
    """
    unpacking = zlib.decompressobj()
    plain = unpacking.decompress(data, most)
    if unpacking.unconsumed_tail or (not unpacking.eof and len(plain) >= most):
        raise ValueError(
            f"it unpacks to more than {most} bytes, too many for this machine"
        )
    if not unpacking.eof:
        raise ValueError("it is cut short")
    return plain


def _digests(folder: Path) -> Iterator[str]:
    for first in os.scandir(folder):
        if len(first.name) == 2 and first.is_dir():
            for entry in os.scandir(first.path):
                digest = f"{first.name}{entry.name}"
                if _DIGEST.fullmatch(digest):
                    yield digest


def _names_of(packed: dict[Any, Any]) -> dict[str, Any]:
    names = {name.decode("latin-1"): name for name in packed if type(name) is bytes}
    return {text: packed[name] for text, name in names.items()}


def _tried(path: Path) -> Any:
    try:
        return _read(path)
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise DamagedError(str(path), f"cannot be read: {what}") from error


def _read(path: Path) -> Any:
    """Return the value in a file, in one of the forms that jug writes."""
    if not path.is_file():
        raise ValueError("it is no file")  # a pipe would be waited for
    if path.stat().st_size > most_bytes():
        raise ValueError("it is too large for the memory of this machine")
    with path.open("rb") as file:
        begins = file.read(len(_NPY))
    if begins.startswith(_NPY):
        return np.load(path, allow_pickle=False)
    if begins.startswith(_PARQUET):
        return import_module("polars").read_parquet(path)
    return decoded(path.read_bytes())
