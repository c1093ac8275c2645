"""What a worker has run and not published yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from backends.garbage import few_collections
from taskgraph.results.batch import Batch
from taskgraph.upkeep.gone_files import forget_overwritten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from taskgraph.results.results import Results


@dataclass(slots=True)
class Unpublished:
    """Records that wait to be published, and what decides when and how that is done.

    Attributes
    ----------
    batch : Batch
        The records.
    oldest : float
        When the task of the first one began.
    token : int
        Of the lock of the first one, which is no later than those of the others.
    frees : bool
        Whether others may wait for them, since they make something ready.
    """

    batch: Batch = field(default_factory=Batch)
    oldest: float = 0.0
    token: int = -1
    frees: bool = False

    def __len__(self) -> int:
        return len(self.batch)

    def ran(self, began: float, token: int, *, frees: bool) -> None:
        """Take in that a record was added, of a task that began and was locked then."""
        if self.token < 0:
            self.oldest, self.token = began, token
        if frees:
            self.frees = True

    @few_collections()
    def publish(self, results: Results, context: Mapping[str, Any]) -> bool:
        """Publish all; return False if some was refused.

        Parameters
        ----------
        results : Results
            Where to.
        context : mapping
            What the records share, see `Provenance.context`.
        """
        batch, backend = self.batch, results.backend
        body, keys = batch.encode(context, backend.places), batch.keys
        accepted = backend.publish(
            keys, batch.rows, body, since=self.token, inputs=batch.inputs
        )
        stored = accepted == len(keys)
        results.settle(keys, stored=stored)
        if not stored and any(payload[:1] == b"F" for payload in batch.payloads):
            forget_overwritten(results, keys)
        return stored
