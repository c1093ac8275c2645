"""Names that come out of a store: checked before they become paths.

Whoever can write to a store chooses the names in it, and a store may come from a
stranger. A name is letters and digits, dots, dashes and underscores, and begins with
none of the dots: it cannot lead out of its folder, nor hold what a terminal obeys.
"""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST = 200
_NAME = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9._-]{{0,{LONGEST - 1}}}")
_TWO_NAMES = re.compile(rf"{_NAME.pattern}/{_NAME.pattern}")


@lru_cache(1024)
def is_name(text: object) -> bool:
    r"""Return whether this can be the name of a worker.

    Examples
    --------
    >>> [is_name(text) for text in ("node7-12-ab", "", "..", "a/b", "../x", "a\n")]
    [True, False, False, False, False, False]
    """
    return isinstance(text, str) and _NAME.fullmatch(text) is not None


def is_blob_name(text: object) -> bool:
    """Return whether this can be the name of a blob: a folder and a file in it.

    Examples
    --------
    >>> [is_blob_name(text) for text in ("ab/ab12-0.npy", "ab", "../x", "/etc/x")]
    [True, False, False, False]
    """
    return isinstance(text, str) and _TWO_NAMES.fullmatch(text) is not None


def is_file_name(text: str) -> bool:
    """Return whether this names something in a folder, and not elsewhere.

    Documents are called after scripts, so they may have any letters.

    Examples
    --------
    >>> [is_file_name(text) for text in ("my work.py", "..", "a/b", "")]
    [True, False, False, False]
    """
    return text not in ("", ".", "..") and not {"/", "\0"} & set(text)
