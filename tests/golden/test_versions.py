"""Programs of different versions share a store, or are refused before they write."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from backends import copies, documents, segment
from backends.errors import FormatError
from backends.filesystem import packs
from backends.filesystem.format import VERSION
from backends.opening import open_backend
from taskgraph import records
from taskgraph.identity import hashing
from taskgraph.results import codec
from taskgraph.upkeep import snapshot

HERE = Path(__file__).parent
PARTS = {
    9: (
        b"TGS2",
        b"TGP3",
        b"TGD1",
        "segment-7-4b09f64e4ca536d3",
        2,
        b"\xc1",
        5,
        "version 2",
    ),
}
"""What the parts of a store say of themselves, by the version of the whole store."""


def test_who_changes_a_part_of_stores_raises_their_version() -> None:
    """The version of a store is all that is looked at before something is written."""
    text = hashing.__doc__ or ""
    keys = text[text.index("(version ") + 1 :].partition(")")[0]
    assert PARTS[VERSION] == (
        segment.MAGIC,
        packs._MAGIC,
        documents._MAGIC,
        copies._name(7, segment.VOID_FRAME),
        records.VERSION,
        codec.PLAIN,
        snapshot.VERSION,
        keys,
    )


def contents(folder: Path) -> dict[str, Any]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize("version", [VERSION - 1, VERSION + 1, 10**9])
def test_a_store_of_another_version_is_refused_and_left_as_it_is(
    tmp_path: Path, version: int
) -> None:
    shutil.unpack_archive(HERE / "store.zip", tmp_path / "store")
    about = {"format": "taskgraph store", "version": version, "block": 1000}
    (tmp_path / "store" / "format.json").write_text(json.dumps(about))
    before = contents(tmp_path)

    with pytest.raises(FormatError, match=f"has format {version}, this taskgraph"):
        open_backend(tmp_path / "store").claim([b"k" * 20])

    assert contents(tmp_path) == before
