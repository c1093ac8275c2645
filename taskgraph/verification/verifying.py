"""Stored results compared with what the same calls give now."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.errors import DamagedError
from backends.opening import open_backend
from taskgraph.errors import NoResultError
from taskgraph.results.codec import same_result
from taskgraph.results.results import Results
from taskgraph.verification.comparing import difference
from taskgraph.verification.unseeded import FOR_NAMES

if TYPE_CHECKING:
    import random
    from collections.abc import Container, Iterable, Mapping, Sequence

    from backends.interface import Key, Where
    from taskgraph.tasks.jugfile import Loaded
    from taskgraph.upkeep.code.changed_code import Change
    from taskgraph.verification.comparing import Tolerance
    from taskgraph.verification.passes import Pass, Recomputed

SAMPLE = 10
"""Results of each function that are computed again, unless somebody says otherwise."""
_TOLD = 3


@dataclass(frozen=True, slots=True)
class Sample:
    """Results of a function by one code, some of which are computed again.

    Attributes
    ----------
    name : str
        The function's.
    old : str
        Digest of the code that made them; empty if it is that of now.
    keys : sequence of bytes
        Which are computed again.
    results : int
        Of how many.
    """

    name: str
    old: str
    keys: Sequence[Key]
    results: int


@dataclass(slots=True)
class Verdict:
    """What the comparison of a function's results by one code came to.

    Attributes
    ----------
    name : str
        The function's.
    old : str
        Digest of the code that made them; empty if it is that of now.
    results : int
        How many there are of which these are a sample.
    same : list of bytes
        Tasks whose result came out the same.
    differing : dict
        Where it did not, by task.
    unstable : dict
        Where two new results of a task differ, by task.
    failed : dict
        Why there was no new result, by task.
    gone : int
        How many were forgotten or replaced meanwhile, or cannot be read.
    unseeded : list of str
        What was drawn that nobody can draw again.
    made : list of str
        What the script made when it was read that the tasks may have drawn from.
    skipped : str
        Why nothing was compared.
    earlier : str
        What an earlier comparison found to differ, if that still counts.
    """

    name: str
    old: str
    results: int
    same: list[Key] = field(default_factory=list)
    differing: dict[Key, str] = field(default_factory=dict)
    unstable: dict[Key, str] = field(default_factory=dict)
    failed: dict[Key, str] = field(default_factory=dict)
    gone: int = 0
    unseeded: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    skipped: str = ""
    earlier: str = ""

    @property
    def holds(self) -> bool:
        """Whether results were compared, and all came out the same, now and before."""
        apart = self.differing or self.unstable or self.failed or self.earlier
        return bool(self.same) and not apart

    @property
    def word(self) -> str:
        """The verdict, in short."""
        if self.unstable:
            return "not deterministic"
        if self.differing:
            return "differs"
        if self.failed:
            return "failed"
        if self.earlier:
            return "differed before"
        return "same" if self.same else "not compared"

    def plain(self) -> dict[str, Any]:
        """Return it as plain data, for other programs."""
        named = ("differing", "unstable", "failed")
        found = {what: _hexed(getattr(self, what)) for what in named}
        return {
            "name": self.name,
            "verdict": self.word,
            "results": self.results,
            "same": [key.hex() for key in self.same],
            **found,
            "gone": self.gone,
            "unseeded": self.drawn() or (self.made if self.unstable else []),
            "skipped": self.skipped,
            "earlier": self.earlier,
        }

    def drawn(self) -> list[str]:
        """Return what was drawn that is worth a word.

        What names of files are drawn from counts only if results are never the same.
        """
        return [w for w in self.unseeded if self.unstable or w not in FOR_NAMES]

    def reasons(self) -> list[str]:
        """Return why it does not hold, and what else was noticed, in sentences."""
        name = f"`{self.name.rpartition('.')[2]}`"
        told = [f"{name}: {why}" for why in _each(self.differing)]
        if self.unstable:
            told.append(
                f"{name} is not deterministic, it came out otherwise each time it was "
                f"run: {next(iter(self.unstable.values()))}"
            )
        told += [f"{name} failed: {why}" for why in _each(self.failed)]
        if self.earlier and not (self.differing or self.unstable):
            told.append(
                f"{name} came out otherwise when it was compared before: "
                f"{self.earlier}; another sample does not change that: `tg accept` "
                "keeps its results all the same, or a larger tolerance compares anew"
            )
        if self.unstable and self.made and not self.drawn():
            told.append(
                f"{name} may draw from {' and '.join(self.made)}, which the script "
                "makes when it is read; let it take a parameter "
                "`rng: numpy.random.Generator`, which is seeded from the key"
            )
        if self.drawn():
            drawn = " and ".join(self.drawn())
            told.append(
                f"{name} draws from {drawn}; let it take a parameter "
                "`rng: numpy.random.Generator`, which is seeded from the key"
            )
        if self.skipped:
            some = "" if not self.same else ", in part"
            told.append(f"{name} was not compared{some}: {self.skipped}")
        return told


def sampled(
    loaded: Loaded,
    names: Iterable[str],
    found: Sequence[Change],
    count: int,
    draw: random.Random,
    before: Container[str] = (),
) -> list[Sample]:
    """Return which results are computed again, by function and code that made them.

    Of a function of whose results some were made by other code, it is some of these, of
    each such code. Those of `before` (in hexadecimal digits) are always among them.
    """
    wanted = {name: list[bytes]() for name in names}
    changed = {change.name: _by_code(change) for change in found}
    find = loaded.results.backend.find
    for task in loaded.graph.tasks:
        if task.name in wanted and task.name not in changed:
            where = find(task.key)
            if where is not None and not where.failure:
                wanted[task.name].append(task.key)
    return [
        Sample(name, old, _drawn(keys, count, draw, before), len(keys))
        for name, own in wanted.items()
        for old, keys in changed.get(name, {"": own}).items()
        if keys
    ]


def _by_code(change: Change) -> dict[str, list[Key]]:
    """Return whose results were made by which code."""
    found: dict[str, list[Key]] = {}
    for olds in change.codes.values():
        for old, keys in olds.items():
            found.setdefault(old, []).extend(keys)
    return dict(sorted(found.items()))


def _drawn(
    keys: list[Key], count: int, draw: random.Random, before: Container[str]
) -> list[Key]:
    first = [key for key in keys if key.hex() in before][:count]
    rest = [key for key in keys if key not in set(first)]
    return first + draw.sample(rest, min(count - len(first), len(rest)))


def verify(
    loaded: Loaded, samples: Sequence[Sample], run: Pass, tolerance: Tolerance
) -> list[Verdict]:
    """Compare stored results with what their calls give now; return a verdict for each.

    What differs is run a second time, to tell a function that came to do something else
    from one that never does the same. Nothing is published.

    Parameters
    ----------
    loaded : Loaded
        The graph, and its results.
    samples : sequence of Sample
        Whose results.
    run : callable
        Runs tasks once more.
    tolerance : Tolerance
        How far numbers may differ.
    """
    writers = {g.name for g in loaded.graph.generators if g.files}
    verdicts: list[Verdict] = []
    owner: dict[Key, Verdict] = {}
    for sample in sorted(samples, key=lambda one: (one.name, one.old)):
        verdict = Verdict(sample.name, sample.old, sample.results)
        verdicts.append(verdict)
        if sample.name in writers:
            verdict.skipped = "it writes files, which would be written over"
        else:
            owner |= dict.fromkeys(sample.keys, verdict)
    with tempfile.TemporaryDirectory(prefix="tg-verify-") as scratch:
        _Comparing(loaded.results, run, tolerance, Path(scratch), owner).run()
    return verdicts


@dataclass(slots=True)
class _Comparing:
    results: Results
    pass_: Pass
    tolerance: Tolerance
    folder: Path
    owner: dict[Key, Verdict]

    def run(self) -> None:
        places = {key: self.results.backend.find(key) for key in self.owner}
        first, values = self._pass("first", list(self.owner))
        differing: dict[Key, str] = {}
        for key, new in first.items():
            verdict = self.owner[key]
            verdict.unseeded += [w for w in new.unseeded if w not in verdict.unseeded]
            verdict.made = list(new.made)
            if new.payload:
                self._compare(key, places[key], new.payload, values, differing)
            elif new.failed:
                verdict.failed[key] = new.cause
            else:
                verdict.gone += 1
                verdict.skipped = verdict.skipped or new.cause
        self._look_again(first, values, differing)

    def _pass(
        self, name: str, keys: list[Key]
    ) -> tuple[dict[Key, Recomputed], Results]:
        """Run tasks once more; return what came of them, and what decodes that."""
        folder = self.folder / name
        folder.mkdir()
        scratch = Results(open_backend(str(folder / "scratch")))
        return (self.pass_(keys, folder) if keys else {}), scratch

    def _compare(
        self,
        key: Key,
        place: Where | None,
        payload: bytes,
        values: Results,
        differing: dict[Key, str],
    ) -> None:
        """Compare a new result with the one that is stored, if that is still there."""
        verdict = self.owner[key]
        self.results.backend.poll()
        if place is None or self.results.backend.find(key) != place:
            verdict.gone += 1
            return
        try:
            old = self.results.payload(key)
            found = self._difference((old, self.results), (payload, values), key)
        except (DamagedError, NoResultError):  # told by `tg fsck`
            verdict.gone += 1
            return
        if found:
            differing[key] = found
        else:
            verdict.same.append(key)

    def _look_again(
        self,
        first: Mapping[Key, Recomputed],
        values: Results,
        differing: dict[Key, str],
    ) -> None:
        """Run what differs a second time: it may differ each time."""
        second, again = self._pass("second", list(differing))
        for key, why in differing.items():
            new = second[key]
            verdict = self.owner[key]
            if not new.payload:
                verdict.differing[key] = why
                continue
            pair = (first[key].payload, values), (new.payload, again)
            apart = self._difference(*pair, key)
            (verdict.unstable if apart else verdict.differing)[key] = apart or why

    def _difference(
        self, old: tuple[bytes, Results], new: tuple[bytes, Results], key: Key
    ) -> str:
        """Return where two results differ, in words; empty if they do not."""
        if same_result(old[0], new[0]):
            return ""
        values = [results.decode(payload, key) for payload, results in (old, new)]
        found = difference(values[0], values[1], self.tolerance)
        return str(found) if found is not None else ""


def certificate(verdict: Verdict, tolerance: Tolerance) -> dict[str, Any]:
    """Return what an acceptance keeps of a comparison."""
    return {
        "compared": len(verdict.same),
        "keys": [key.hex() for key in verdict.same],
        "relative": tolerance.relative,
        "absolute": tolerance.absolute,
    }


def _each(found: Mapping[Key, str]) -> list[str]:
    return list(dict.fromkeys(found.values()))[:_TOLD]


def _hexed(found: Mapping[Key, str]) -> dict[str, str]:
    return {key.hex(): why for key, why in found.items()}
