"""What every backend promises, to be inherited: override `open_log` and `spoil`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from backends.store import JournalStore
from backends.testing.journal import JournalContract
from backends.testing.upkeep import UpkeepContract

if TYPE_CHECKING:
    from collections.abc import Callable

    from backends.log import Log


class BackendContract(JournalContract, UpkeepContract):
    """Promises of `backends.interface.Backend`."""

    block = 6
    """How many positions the logs under test merge at once."""

    @pytest.fixture
    def open_log(self) -> Callable[[], Log]:
        """Return a function that opens the same, at first empty, log again."""
        raise NotImplementedError

    @pytest.fixture
    def spoil(self) -> Callable[[int, bytes], None]:
        """Return a function that replaces the stored bytes of a position."""
        raise NotImplementedError

    @pytest.fixture
    def reopen(self, open_log: Callable[[], Log]) -> Callable[[str], JournalStore]:
        return lambda worker: JournalStore(open_log(), worker)

    @pytest.fixture
    def anna(self, reopen: Callable[[str], JournalStore]) -> JournalStore:
        return reopen("anna")

    @pytest.fixture
    def bert(self, reopen: Callable[[str], JournalStore]) -> JournalStore:
        return reopen("bert")
