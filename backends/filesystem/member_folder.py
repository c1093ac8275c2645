"""Workers in the directory of a store: a file each, touched as a heartbeat."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import replace
from math import nan
from typing import TYPE_CHECKING

from backends.errors import DamagedError
from backends.filesystem.posix import explained, open_anew, read_exactly, reads_again
from backends.interface import Member
from backends.names import is_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backends.filesystem.directory import Directory


class MemberFolder:
    """The `Members` of a store in a directory.

    What a worker says of itself never changes, so it is read once. The number of the
    folder goes with it: in a copy of the store, made while it ran, its process is no
    proof that it works there.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._path = f"{directory.root}/workers"
        self._identities: dict[str, dict[str, object]] = {}

    def beat(self, worker: str, identity: Mapping[str, object]) -> None:
        path = self._file(worker)
        with explained(f"write to the store {self._directory.root}"):
            try:
                os.utime(path)  # the server's clock stamps it
            except FileNotFoundError:
                self._directory.make()
                self._directory.into_folder(lambda: self._join(path, dict(identity)))

    def _join(self, path: str, identity: dict[str, object]) -> None:
        text = json.dumps(identity | {"folder": self._number()}).encode()
        os.replace(self._directory.stage([text], durable=False), path)

    def _number(self) -> int:
        return os.stat(self._path).st_ino

    def names(self) -> set[str]:
        with explained(f"look into {self._path}"):
            try:
                names = set(filter(is_name, os.listdir(self._path)))
            except FileNotFoundError:
                names = set()
        for gone in self._identities.keys() - names:
            del self._identities[gone]
        return names

    def some(self, workers: Iterable[str]) -> list[Member]:
        names = self.names()  # only what the folder has becomes a path
        return self._read([worker for worker in workers if worker in names])

    def all(self) -> list[Member]:
        names = self.names()
        if not names:
            return []
        now = self._directory.now()
        return [
            replace(member, age=max(0.0, now - member.beat))
            for member in self._read(names)
        ]

    def leave(self, worker: str) -> None:
        with suppress(OSError):
            os.unlink(self._file(worker))

    def _file(self, worker: str) -> str:
        if not is_name(worker):
            store = self._directory.root
            raise DamagedError(f"{store}/workers", f"{worker!r} is no worker's name")
        return f"{self._path}/{worker}"

    def _read(self, names: Iterable[str]) -> list[Member]:
        found = []
        for name in names:
            path = f"{self._path}/{name}"
            with explained(f"read {path}"):
                try:
                    stamp = self._look(name, path)
                except (FileNotFoundError, IsADirectoryError, DamagedError):
                    continue
            found.append(Member(name, self._identities.get(name, {}), stamp, nan))
        return found

    @reads_again
    def _look(self, name: str, path: str) -> float:
        """Return a worker's heartbeat; note who it says it is, if that is not known."""
        descriptor = open_anew(path)  # and fstat: a plain stat may answer from a cache
        try:
            stat = os.fstat(descriptor)
            if name not in self._identities:
                with suppress(ValueError, TypeError, RecursionError):  # its beat counts
                    text = read_exactly(descriptor, stat.st_size)
                    self._identities[name] = self._as_here(json.loads(text))
        finally:
            os.close(descriptor)
        return stat.st_mtime

    def _as_here(self, identity: dict[str, object]) -> dict[str, object]:
        """Return what a worker says, without its process if that works elsewhere.

        Then only its heartbeat tells, which nobody renews in a copy.
        """
        folder = identity.pop("folder", None)
        if folder is not None and folder != self._number():
            identity.pop("pid", None)
        return identity
