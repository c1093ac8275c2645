"""Which layout a store in a directory has: `format.json`."""

from __future__ import annotations

import json

from backends.errors import FormatError

FORMAT = "taskgraph store"
BLOBS = "large values of a taskgraph store elsewhere"
VERSION = 9
BLOCK = 1000


def describe_format(block: int, kind: str = FORMAT) -> bytes:
    """Return what a new store says of itself.

    Examples
    --------
    >>> describe_format(1000)
    b'{"format": "taskgraph store", "version": 9, "block": 1000}'
    """
    return json.dumps({"format": kind, "version": VERSION, "block": block}).encode()


def is_format(text: bytes) -> bool:
    """Return whether a file says that it is the one of a store, of any version.

    Examples
    --------
    >>> is_format(describe_format(1000)), is_format(b'{"format": "other"}')
    (True, False)
    """
    try:
        return bool(json.loads(text)["format"] == FORMAT)
    except (ValueError, KeyError, TypeError):
        return False


def check_format(text: bytes, root: object, kind: str = FORMAT) -> int:
    """Return how many segments make a block; refuse what cannot be read."""
    try:
        about = json.loads(text)
        version = int(about["version"]) if about["format"] == kind else None
        block = int(about.get("block", BLOCK)) if version == VERSION else BLOCK
    except (ValueError, KeyError, TypeError, AttributeError):
        raise FormatError(
            f"{root}/format.json is damaged; if this is a store, put "
            f'{{"format": "{kind}", "version": {VERSION}}} there, else choose '
            "another --store"
        ) from None
    if version is None:
        raise FormatError(f"{root} is not a taskgraph store; choose another --store")
    if version > VERSION:
        raise FormatError(
            f"{root} has format {version}, this taskgraph reads format {VERSION}; "
            "install a newer taskgraph-segkit or choose another --store"
        )
    if version < VERSION:
        raise FormatError(
            f"{root} has format {version}, this taskgraph reads format {VERSION}; "
            "use the release that wrote it or compute anew with another --store"
        )
    return block
