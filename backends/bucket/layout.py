"""What the objects of a store are called.

::

    format.json                 kind and version of this layout
    log/000012/345              segment 12345: a name that is never freed
    heads/000011                what the segments of block 11 are about, for who joins
    blobs/ab/abcd...-0.npy      large values
    workers/<worker>/<about>    who, said by the name; its mark is the heartbeat
    documents/<name>            snapshots; the last one written stays
    trash/<name>                what is to go, written when it was decided
    clock                       its time tells what time it is at the store's
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = "format.json"
KIND = "taskgraph store in a bucket"
"""What it says of itself: a directory that was copied to a bucket is none."""
CLOCK = "clock"
LOG, HEADS, BLOBS = "log", "heads", "blobs"
WORKERS, DOCUMENTS, TRASH = "workers", "documents", "trash"
FOLDERS = {LOG, HEADS, BLOBS, WORKERS, DOCUMENTS, TRASH}
_PLAIN = re.compile(rb"[A-Za-z0-9_-]")
_MARKED = re.compile(r"=([0-9A-F]{2})")


def folder_of(block: int) -> str:
    """Return where the segments of a block are."""
    return f"{LOG}/{block:06d}"


def heads_of(block: int) -> str:
    """Return where the heads of a block are."""
    return f"{HEADS}/{block:06d}"


def plain(text: str) -> str:
    """Return a name that every object store takes, one for each text.

    Examples
    --------
    >>> plain("my work.py"), original(plain("my work.py"))
    ('my=20work=2Epy', 'my work.py')
    """
    data = text.encode(errors="surrogateescape")
    bytes_ = (data[i : i + 1] for i in range(len(data)))
    return "".join(b.decode() if _PLAIN.match(b) else f"={b[0]:02X}" for b in bytes_)


def original(name: str) -> str:
    """Return the text of which `plain` made a name."""
    data = _MARKED.sub(lambda found: chr(int(found[1], 16)), name)
    return data.encode("latin-1").decode(errors="surrogateescape")


def told_by_name(about: Mapping[str, object]) -> str:
    """Return what a worker says of itself as a part of a name.

    Examples
    --------
    >>> read_name(told_by_name({"host": "node7", "pid": 12}))
    {'host': 'node7', 'pid': 12}
    """
    data = zlib.compress(json.dumps(dict(about)).encode(), 9)
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def read_name(name: str) -> dict[str, object]:
    """Return what a worker says of itself by a name; nothing if it makes no sense."""
    try:
        data = base64.urlsafe_b64decode(name + "=" * (-len(name) % 4))
        return dict(json.loads(zlib.decompress(data, bufsize=1 << 16)))
    except (ValueError, TypeError, RecursionError, zlib.error):
        return {}
