"""Workers in the directory of a store: a file each, touched as a heartbeat."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from backends.filesystem.posix import explained, open_anew, read_exactly
from backends.interface import Member

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backends.filesystem.directory import Directory


class MemberFolder:
    """The `Members` of a store in a directory."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._path = f"{directory.root}/workers"

    def beat(self, worker: str, identity: Mapping[str, object]) -> None:
        path = f"{self._path}/{worker}"
        with explained(f"write to the store {self._directory.root}"):
            try:
                os.utime(path)  # the server's clock stamps it
            except FileNotFoundError:
                text = json.dumps(dict(identity)).encode()
                os.replace(self._directory.stage([text], durable=False), path)

    def all(self) -> list[Member]:
        try:
            names = os.listdir(self._path)
        except FileNotFoundError:
            return []
        now = self._directory.now()
        found = []
        for name in names:
            path = f"{self._path}/{name}"
            with explained(f"read {path}"):
                try:
                    stamp, identity = _read_member(path)
                except FileNotFoundError:
                    continue
            found.append(Member(name, identity, stamp, max(0.0, now - stamp)))
        return found

    def leave(self, worker: str) -> None:
        with suppress(OSError):
            os.unlink(f"{self._path}/{worker}")


def _read_member(path: str) -> tuple[float, dict[str, object]]:
    """Return a worker's heartbeat and what it says of itself."""
    descriptor = open_anew(path)  # and fstat: a plain stat may answer from a cache
    try:
        stat = os.fstat(descriptor)
        text = read_exactly(descriptor, stat.st_size)
    finally:
        os.close(descriptor)
    with suppress(ValueError):
        return stat.st_mtime, dict(json.loads(text))
    return stat.st_mtime, {}  # cut short by a power cut: judged by its heartbeat
