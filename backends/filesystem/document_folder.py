"""Documents in the directory of a store: a file each, replaced when it is written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from backends.errors import DamagedError
from backends.filesystem.posix import explained, read_file
from backends.names import is_file_name

if TYPE_CHECKING:
    from backends.filesystem.directory import Directory


class DocumentFolder:
    """The `Documents` of a store in a directory, as bytes."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._path = f"{directory.root}/documents"

    def put(self, name: str, data: bytes) -> None:
        staged = self._directory.stage([data], durable=False)
        path = self._file(name)
        with explained(f"write to the store {self._directory.root}"):
            self._directory.into_folder(lambda: os.replace(staged, path))

    def get(self, name: str) -> bytes | None:
        path = self._file(name)
        with explained(f"read {path}"):
            try:
                return read_file(path)[0]
            except FileNotFoundError:
                return None

    def names(self) -> list[str]:
        with explained(f"look into {self._path}"):
            try:
                return sorted(os.listdir(self._path))
            except FileNotFoundError:
                return []

    def _file(self, name: str) -> str:
        if not is_file_name(name):
            store = self._directory.root
            raise DamagedError(f"{store}/documents", f"{name!r} is no document's name")
        return f"{self._path}/{name}"
