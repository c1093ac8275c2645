"""The known types that classes extend, and what such a class adds to one."""

from __future__ import annotations

import functools
from typing import Any

from taskgraph.identity.numpy_state import is_numpy_base, numpy_base_state
from taskgraph.identity.objects import Anatomy, anatomy_of
from taskgraph.identity.standard_types import known_type, rule_of


@functools.lru_cache(maxsize=1000)
def anatomy(kind: type) -> Anatomy:
    """Return what objects of a class consist of.

    Raises
    ------
    UnhashableError
        There may be more to them than can be seen.
    """
    return anatomy_of(kind, lambda base: known_type(base) or is_numpy_base(base))


def base_state(value: Any, base: type) -> object:
    """Return an object's value of the known type that its class extends; else None."""
    if base is object:
        return None
    if is_numpy_base(base):
        return numpy_base_state(value)
    return rule_of(base)[2](base, value)
