"""Documents in the directory of a store: a file each, replaced when it is written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from backends.filesystem.posix import explained, read_file

if TYPE_CHECKING:
    from backends.filesystem.directory import Directory


class DocumentFolder:
    """The `Documents` of a store in a directory, as bytes."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._path = f"{directory.root}/documents"

    def put(self, name: str, data: bytes) -> None:
        staged = self._directory.stage([data], durable=False)
        with explained(f"write to the store {self._directory.root}"):
            os.replace(staged, f"{self._path}/{name}")

    def get(self, name: str) -> bytes | None:
        path = f"{self._path}/{name}"
        with explained(f"read {path}"):
            try:
                return read_file(path)[0]
            except FileNotFoundError:
                return None

    def names(self) -> list[str]:
        try:
            return sorted(os.listdir(self._path))
        except FileNotFoundError:
            return []
