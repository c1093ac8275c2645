"""What follows of a comparison: which results are accepted, with which certificate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from taskgraph.fingerprints.parts import recorded
from taskgraph.tasks.graph import selector
from taskgraph.upkeep.code.accepting import accept
from taskgraph.upkeep.code.changed_code import changes
from taskgraph.upkeep.code.refusal import Refusal, refusals, refuse
from taskgraph.verification.verifying import certificate, sampled, verify

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Sequence

    from backends.interface import Backend
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
        One for each function, and each code that made results of it.
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
        """Whether all functions were compared, and came out the same; some were."""
        return bool(self.verdicts) and all(verdict.holds for verdict in self.verdicts)


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
    backend = loaded.results.backend
    earlier = _refused(backend, found)
    before = {key for one in earlier for key in one.keys}
    samples = sampled(loaded, names, found, sample, draw, before)
    verdicts = verify(loaded, samples, run, tolerance)
    for verdict in verdicts:
        verdict.earlier = _earlier(verdict, earlier, tolerance)
    held = {
        (one.name, one.old): certificate(one, tolerance)
        for one in verdicts
        if one.holds
    }
    # Of what was forgotten meanwhile nothing is accepted.
    compared = {one.name for one in verdicts}
    left = changes(loaded, compared.__contains__)
    good = [change.only(held) for change in left]
    acceptable = sum(len(change.keys) for change in good)
    refused = sum(len(change.keys) for change in left) - acceptable
    number = accept(backend, good, held) if keep else ""
    if keep:
        refuse(backend, _new_refusals(verdicts, left, tolerance, backend.space.now()))
    accepted = acceptable if number else 0
    return Decision(verdicts, acceptable, accepted, refused, number)


def _refused(backend: Backend, found: Sequence[Change]) -> list[Refusal]:
    """Return what was refused of results that are by other code now."""
    if not found:
        return []
    pairs = {(change.name, *pair) for change in found for pair in _pairs(change)}
    return [one for one in refusals(backend) if (one.name, one.old, one.new) in pairs]


def _pairs(change: Change) -> Iterable[tuple[str, str]]:
    """Yield which codes made the results, with the code that they are to be by."""
    for now, olds in change.codes.items():
        for old in olds:
            yield old, recorded(now)[0]


def _earlier(verdict: Verdict, earlier: Sequence[Refusal], tolerance: Tolerance) -> str:
    """Return why an earlier comparison stands against this one; empty if none does."""
    for one in earlier:
        same = (one.name, one.old) == (verdict.name, verdict.old)
        if same and one.stands(tolerance.relative, tolerance.absolute):
            return one.why
    return ""


def _new_refusals(
    verdicts: Sequence[Verdict],
    left: Sequence[Change],
    tolerance: Tolerance,
    time: float,
) -> list[Refusal]:
    """Return what this comparison has found that a later one must know."""
    pairs = [(change.name, *pair) for change in left for pair in _pairs(change)]
    return [
        Refusal(
            name,
            old,
            new,
            tuple(key.hex() for key in apart),
            next(iter(apart.values())),
            unstable=bool(verdict.unstable),
            relative=tolerance.relative,
            absolute=tolerance.absolute,
            time=time,
        )
        for verdict in verdicts
        if (apart := verdict.unstable | verdict.differing)
        for name, old, new in pairs
        if (name, old) == (verdict.name, verdict.old)
    ]
