"""What follows of a comparison: which results are accepted, with which certificate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from taskgraph.tasks.graph import selector
from taskgraph.upkeep.code.accepting import accept
from taskgraph.upkeep.code.changed_code import changes
from taskgraph.verification.verifying import certificate, sampled, verify

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from taskgraph.tasks.jugfile import Loaded
    from taskgraph.upkeep.code.changed_code import Change
    from taskgraph.verification.comparing import Tolerance
    from taskgraph.verification.passes import Pass
    from taskgraph.verification.verifying import Verdict


@dataclass(frozen=True, slots=True)
class Decision:
    """What was compared, and what follows.

    Attributes
    ----------
    verdicts : sequence of Verdict
        One for each function.
    acceptable : int
        Results by other code of functions whose sample came out the same.
    accepted : int
        Those of them that were accepted.
    refused : int
        Results by other code of the other functions.
    number : str
        What takes the acceptance back; empty if nothing was accepted.
    """

    verdicts: Sequence[Verdict]
    acceptable: int = 0
    accepted: int = 0
    refused: int = 0
    number: str = ""

    @property
    def holds(self) -> bool:
        """Whether all functions were compared, and came out the same."""
        return all(verdict.holds for verdict in self.verdicts)


def decide(
    loaded: Loaded,
    found: Sequence[Change],
    run: Pass,
    *,
    name: str | None,
    sample: int,
    tolerance: Tolerance,
    draw: random.Random,
    keep: bool,
) -> Decision:
    """Compare results of functions; accept those by other code if they are the same.

    Parameters
    ----------
    loaded : Loaded
        The graph, and its results up to date.
    found : sequence of Change
        The results by other code, of functions of that name.
    run : callable
        Runs tasks once more.
    name : str or None
        Of functions, or a glob; else those of `found`, or all if there are none.
    sample : int
        How many results of each function are compared.
    tolerance : Tolerance
        How far numbers may differ.
    draw : Random
        Chooses them.
    keep : bool
        Whether what can be accepted is.
    """
    every = [generator.name for generator in loaded.graph.generators]
    if name is not None:
        names = list(filter(selector([name]), every))
    else:
        names = [change.name for change in found] or every
    chosen, totals = sampled(loaded, names, found, sample, draw)
    verdicts = verify(loaded, chosen, totals, run, tolerance)
    held = {one.name: certificate(one, tolerance) for one in verdicts if one.holds}
    # Of what was forgotten meanwhile nothing is accepted.
    left = changes(loaded, chosen.__contains__)
    good = [change for change in left if change.name in held]
    acceptable = sum(len(change.keys) for change in good)
    refused = sum(len(change.keys) for change in left) - acceptable
    number = accept(loaded.results.backend, good, held) if keep else ""
    accepted = acceptable if number else 0
    return Decision(verdicts, acceptable, accepted, refused, number)
