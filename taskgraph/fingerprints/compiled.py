"""What a function does, of its byte code: where its source is not to be had."""

from __future__ import annotations

import sys
from types import CodeType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
"""The version that this byte code is of: another one has other codes."""


def code_text(code: CodeType) -> str:
    """Return what the byte code of a function says, docstring left out.

    Examples
    --------
    >>> one, other = (lambda x: x + 1), (lambda y: y + 1)
    >>> code_text(one.__code__) == code_text(other.__code__)
    True
    """
    constants = [
        code_text(item) if isinstance(item, CodeType) else _constant(item)
        for place, item in enumerate(code.co_consts)
        if place or not isinstance(item, str)
    ]
    return repr((code.co_code.hex(), constants, code.co_names))


def names_in(code: CodeType) -> Iterator[str]:
    """Yield the names that a function takes from around it, and of attributes."""
    yield from code.co_names
    yield from code.co_freevars
    for item in code.co_consts:
        if isinstance(item, CodeType):
            yield from names_in(item)


def _constant(item: object) -> str:
    return repr(sorted(map(repr, item)) if isinstance(item, frozenset) else item)
