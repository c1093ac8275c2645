"""The place of a store in a bucket: when it is made, what it is, what is trashed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.bucket.layout import (
    BLOBS,
    CLOCK,
    FOLDERS,
    FORMAT,
    KIND,
    TRASH,
    original,
    plain,
)
from backends.errors import NoStoreError, OpenError, UnavailableError
from backends.filesystem.format import check_format, describe_format

if TYPE_CHECKING:
    from backends.bucket.client import Client, Found


class Place:
    """The prefix of a store, and its `Space`.

    It is made when something is first written to it: by its format, which is written
    if there is none. To write it once more shows whether the service keeps the promise
    that everything here depends on.

    Parameters
    ----------
    client : Client
        Makes the requests.
    create : bool
        Make the store if there is none.
    block : int
        How many segments make a block, if it is made; kept in its format.

    Attributes
    ----------
    block_size : int
        How many segments make a block.
    """

    def __init__(self, client: Client, *, create: bool, block: int) -> None:
        self._client = client
        self.url = client.url
        self.block_size = block
        self._exists = self._tried = False
        if self.exists():
            return
        if not create:
            raise NoStoreError(
                f"there is no store at {self.url}; `tg execute` makes one"
            )
        if self._holds_ours():
            self.make()  # its format was removed, and nothing else

    def exists(self) -> bool:
        """Return whether the store was made, by anybody."""
        if not self._exists:
            found = self._client.get(FORMAT)
            if found is not None:
                self.block_size = check_format(found.data, self.url, KIND)
                self._exists = True
        return self._exists

    def make(self) -> None:
        """Make the store, unless it was made; see that its bucket can hold one."""
        if self._tried:
            return
        about = describe_format(self.block_size, KIND)
        try:
            self._client.put(FORMAT, about, new=True)
            self._client.put(FORMAT, about, new=True)
        except FileExistsError:
            if not self.exists():
                raise UnavailableError(
                    f"{self.url}: the bucket says that there is a store, and then "
                    "that there is none; start again"
                ) from None
            self._tried = True
            return
        raise OpenError(
            f"{self.url}: the service writes over an object that was to be written "
            "only if there is none (If-None-Match: *), so two workers could both be "
            "told that they were first; choose another --store"
        )

    def _holds_ours(self) -> bool:
        """Return whether something of a store is there; refuse what is of no store.

        Another worker may be making it just now.
        """
        folders, names = self._client.folders("")
        if {*folders} - FOLDERS or {*names} - {FORMAT, CLOCK}:
            raise OpenError(
                f"{self.url} holds other objects and no store; choose an empty or a "
                "new prefix with --store"
            )
        self._refuse_inner()
        return bool({*folders} & FOLDERS)

    def _refuse_inner(self) -> None:
        """Refuse a prefix inside of another store, which would remove what is in it."""
        outer = self._client.address.prefix
        while outer:
            outer = outer.rpartition("/")[0]
            above = self._client.above(outer)
            if above.get(FORMAT) is not None:
                raise OpenError(
                    f"{self.url} is inside of the store {above.url}; choose a prefix "
                    "beside it with --store"
                )

    # the Space

    def now(self) -> float:
        """Return the time by the clock that stamps the objects."""
        self._client.put(CLOCK, b"what time is it?")
        found = self._client.head(CLOCK)
        if found is None:
            raise UnavailableError(f"{self.url} was removed meanwhile; start again")
        return found.time

    def size(self) -> int:
        """Return the bytes in use."""
        return sum(found.size for found in self._client.listed(""))

    def open_to_all(self) -> bool:
        """Return False: who may write to a bucket is not known here."""
        return False

    def leftovers(self, older_than: float, *, remove: bool = False) -> list[str]:  # noqa: ARG002 - the service keeps them, and has rules for their end
        """Return nothing: what nobody finished sending has no name."""
        return []

    def trashed(self) -> set[str]:
        """Return the names of the objects that are to go."""
        return {original(found.name.rpartition("/")[2]) for found in self._marks()}

    def trash(self, name: str) -> None:
        """Let an object go when the trash is emptied."""
        self._client.put(f"{TRASH}/{plain(name)}", name.encode())

    def _marks(self) -> list[Found]:
        return self._client.listed(TRASH)

    def empty_trash(self, older_than: float) -> int:
        """Remove what was trashed so many seconds ago; return its bytes."""
        marks = self._marks()
        if not marks:
            return 0
        limit = self.now() - older_than
        old = [found.name for found in marks if found.time <= limit]
        names = {original(name.rpartition("/")[2]) for name in old}
        blobs = [found for found in self._client.listed(BLOBS) if found.name in names]
        self._client.delete(found.name for found in blobs)
        self._client.delete(old)
        return sum(found.size for found in blobs)
