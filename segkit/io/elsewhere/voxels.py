"""The voxels of a stored array, read and written by box through the fetcher."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from segkit.io.elsewhere.place import Place, Where, require_libraries
from segkit.io.errors import DamagedImageError, ImageRequestError, NotAnImageError
from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from segkit.io.elsewhere.place import Node
    from segkit.io.options import Missing

Spec: TypeAlias = dict[str, Any]
"""What tensorstore is told of an array, but for its place."""
_SLAB = 64 << 20
"""Bytes of which a digest is made at once."""
_SECONDS = 10
"""For so long metadata elsewhere are taken for those that were there."""
HERE: Where = (("host", ""), ("scheme", "file"))


@known_as("segkit.names")
@dataclass(frozen=True)
class StoredVoxels:
    """The voxels of one array that tensorstore reads.

    Attributes
    ----------
    shown : str
        What it is called in messages.
    where, path
        Where it lies; see `fetching`.
    spec : dict
        Of tensorstore, but for the place.
    shape, dtype, chunks
        As its boxes are read and written.
    turned : bool
        Whether its axes are stored from x to z, and are turned round.
    squeezed : bool
        Whether its first axis, a single channel, is left out.
    voxel_offset : tuple of int
        Which voxel of the volume it lies in its first one is; empty if its first.
    documents : tuple of (str, str)
        Paths and digests of the metadata that it was opened by.
    """

    shown: str
    where: Where
    path: str
    spec: Spec = field(compare=False)
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    chunks: tuple[int, ...]
    turned: bool = False
    squeezed: bool = False
    voxel_offset: tuple[int, ...] = ()
    documents: tuple[tuple[str, str], ...] = ()

    @classmethod
    def at(
        cls,
        node: Node,
        spec: Spec,
        documents: tuple[Node, ...],
        *,
        turned: bool = False,
        squeezed: bool = False,
        missing: Missing = "error",
        offset: tuple[int, ...] = (),
    ) -> StoredVoxels:
        """Return the array at a folder, here or elsewhere.

        Parameters
        ----------
        node
            The folder.
        spec
            Of tensorstore.
        documents
            The files of metadata that it was found by.
        turned, squeezed, offset
            See the attributes.
        missing : {'error', 'fill'}
            A chunk that is not there: refuse to read it, or read the fill value.

        Raises
        ------
        MissingExtraError
            If the libraries that read it are not installed.
        DamagedImageError, NotAnImageError
            If its metadata cannot be understood, or it holds no numbers.
        """
        shown = str(node)
        if missing not in ("error", "fill"):
            raise ImageRequestError(
                shown, f"missing={missing!r} must be 'error' or 'fill'"
            )
        require_libraries(node)
        spec = {**spec, "fill_missing_data_reads": missing == "fill"}
        where, path = place_of(node)
        known = tuple(
            (place_of(one)[1], _digest(one.read_bytes())) for one in documents
        )
        form = (turned, squeezed)
        told = _told(shown, _ask("describe", where, path, spec, form, known))
        dtype = np.dtype(told["dtype"])
        if dtype.kind not in "biufc":
            raise NotAnImageError(shown, f"holds {told['name']}, not numbers")
        shape, chunks = tuple(told["shape"]), tuple(told["chunks"])
        offset = offset if any(offset) else ()
        return cls(shown, where, path, spec, shape, dtype, chunks, *form, offset, known)

    @property
    def is_elsewhere(self) -> bool:
        """Whether it lies on another machine."""
        return self.where != HERE

    def read(self, box: tuple[slice, ...]) -> NDArray[Any]:
        """Return the voxels of the box."""
        shape = tuple(part.stop - part.start for part in box)
        if math.prod(shape) == 0:
            return np.empty(shape, self.dtype)
        self.require_same()
        memory, voxels = _shared(shape, self.dtype)
        try:
            answer = _ask("read", *self._request(box, voxels), memory=memory)
        finally:
            os.close(memory)
        _told(self.shown, answer, box)
        return voxels

    def _slabs(self, box: tuple[slice, ...]) -> Iterator[tuple[slice, ...]]:
        """Yield parts of a box over its first axis: some megabytes, whole chunks."""
        row = math.prod(part.stop - part.start for part in box[1:])
        size = self.chunks[0]
        count = max(1, _SLAB // max(1, row * size * self.dtype.itemsize)) * size
        start = box[0].start
        while start < box[0].stop:
            stop = min(box[0].stop, (start // size) * size + count)
            yield (slice(start, stop), *box[1:])
            start = stop

    def write(self, box: tuple[slice, ...], array: NDArray[Any]) -> None:
        """Write the voxels of a box of whole chunks."""
        if not array.size:
            return
        memory, voxels = _shared(array.shape, self.dtype)
        try:
            voxels[...] = array
            answer = _ask("write", *self._request(box, voxels), memory=memory)
        finally:
            os.close(memory)
        _told(self.shown, answer, box)

    def _request(
        self, box: tuple[slice, ...], voxels: NDArray[Any]
    ) -> tuple[object, ...]:
        """Return what the fetcher is told of a box."""
        limits = tuple((int(part.start), int(part.stop)) for part in box)
        return (*self._which, limits, voxels.shape, voxels.dtype.str)

    @property
    def _which(self) -> tuple[object, ...]:
        """Which array is meant, as the fetcher is told."""
        form = (self.turned, self.squeezed)
        return self.where, self.path, self.spec, form, self.documents

    def require_same(self) -> None:
        """Refuse an array whose metadata are other ones than when it was opened.

        Chunks of both would be mixed.

        Raises
        ------
        DamagedImageError
            If it was replaced, or is gone.
        """
        now = int(time.monotonic() / _SECONDS) if self.is_elsewhere else None
        if now is None:
            same = _found(self.where, self.documents) == self.documents
        else:
            same = _found_lately(self.where, self.documents, now) == self.documents
        if not same:
            raise DamagedImageError(
                self.shown, "is another array since it was opened; open it again"
            )

    def version(self, *, lately: bool = False) -> str:
        """Return what tells the array from an earlier or another one at its address.

        Of a bucket all objects below its folder count, by name, size and version; a web
        server lists nothing, so that only its metadata count.
        """
        now = int(time.monotonic() / _SECONDS) if lately else None
        look = _version_lately if lately else _version
        return look(self.shown, self.where, self.path, self.documents, now)

    def content(self) -> str:
        """Return a digest of shape, type and all voxels, which are read."""
        total = blake2b(f"{self.shape} {self.dtype.str}".encode(), digest_size=20)
        for part in self._slabs(tuple(slice(0, n) for n in self.shape)):
            total.update(np.ascontiguousarray(self.read(part)).data)
        return total.hexdigest()


def stored_voxels(image: Any) -> StoredVoxels | None:
    """Return the voxels of an image that lies elsewhere; None of others."""
    source = image.source
    while hasattr(source, "source"):
        source = source.source
    elsewhere = isinstance(source, StoredVoxels) and source.is_elsewhere
    return source if elsewhere else None


def place_of(node: Node) -> tuple[Where, str]:
    """Return where a folder or file lies, as the fetcher is told."""
    if isinstance(node, Place):
        return node.where, node.address.path
    return HERE, str(Path(node).resolve())


def _ask(*request: Any, memory: int | None = None) -> tuple[Any, ...]:
    from segkit.io.elsewhere.hiring import ask

    return ask(*request, memory=memory)


def _shared(shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[int, NDArray[Any]]:
    from segkit.io.elsewhere.hiring import shared

    return shared(shape, dtype)


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=20).hexdigest()


def _found(
    where: Where, documents: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    """Return the digests that documents have now."""
    return tuple((path, _digest_at(where, path)) for path, _ in documents)


@lru_cache(maxsize=1024)
def _found_lately(
    where: Where,
    documents: tuple[tuple[str, str], ...],
    now: int,  # noqa: ARG001 - looked at anew from time to time
) -> tuple[tuple[str, str], ...]:
    return _found(where, documents)


def _version(
    shown: str,
    where: Where,
    path: str,
    documents: tuple[tuple[str, str], ...],
    now: int | None,  # noqa: ARG001 - looked at anew from time to time
) -> str:
    total = blake2b(repr(_found(where, documents)).encode(), digest_size=20)
    if dict(where)["scheme"] in ("s3", "gs"):
        answer = _ask("list", where, f"{path}/")
        for one in sorted(map(tuple, _told(shown, answer))):
            total.update(repr(one).encode())
    return total.hexdigest()


_version_lately = lru_cache(maxsize=256)(_version)


def _digest_at(where: Where, path: str) -> str:
    if where == HERE:
        try:
            return _digest(Path(path).read_bytes())
        except OSError:
            return ""
    found = _told(path, _ask("get", where, path))
    return _digest(found[0]) if found else ""


def _told(
    shown: str, answer: tuple[Any, ...], box: tuple[slice, ...] | None = None
) -> Any:
    """Return what was answered, or raise what it says is wrong."""
    from segkit.io.elsewhere.failures import failure

    if answer[0] == "ok":
        return answer[1]
    _, kind, word = answer
    if box is None or kind not in ("missing", "damaged"):
        raise failure(shown, kind, word)
    text = "[" + ", ".join(f"{part.start}:{part.stop}" for part in box) + "]"
    if kind == "missing":
        raise DamagedImageError(
            shown,
            f"a chunk of {text} is missing; write it again, or say missing='fill' if"
            " chunks of the fill value were left out on purpose",
        )
    raise DamagedImageError(
        shown, f"a chunk of {text} is damaged ({word}); copy or write it again"
    )
