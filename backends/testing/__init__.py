"""What every backend promises, as tests to be inherited by who makes one. Needs pytest.

A new medium is a `backends.log.Log`; `JournalStore(log, worker)` makes a `Backend` of
it, which `taskgraph.run(..., store=...)` takes.
"""

import pytest

pytest.register_assert_rewrite(*(f"{__name__}.{n}" for n in ("journal", "upkeep")))

from backends.testing.contract import BackendContract  # noqa: E402 - rewritten first

__all__ = ["BackendContract"]
