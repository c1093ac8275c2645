"""What is true: the history as it was appended, and what must hold at each step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backends.errors import DamagedError
from backends.interface import Kind
from backends.segment import decode_frame, decode_head
from backends.state import State
from taskgraph.records import Body
from taskgraph.results import codec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backends.interface import Change, Key, Segment
    from taskgraph.results.results import Results

    from .calls import Plan
    from .scheduler import Process, Scheduler


@dataclass(slots=True)
class Run:
    """One run of a task's function: when it began, what it was given, how it ended."""

    number: int
    began: int
    needs: dict[int, int]
    raised: bool = False


class Truth:
    """The journal that nobody damaged, folded, with who made each record.

    Attributes
    ----------
    runs : list of Run
        All that there were; a value says which one made it.
    live : dict
        The run whose result each task has now; of failures, minus that and one.
    forgotten : dict
        Where the journal took away the results of runs that are not live any more.
    whole : bool
        Whether nothing was lost that was stored, so that all has to fit together.
    lost : bool
        Whether the journal itself was: what is appended now comes after other
        segments than those that are known here.
    """

    def __init__(
        self, scheduler: Scheduler, plan: Plan, numbers: dict[Key, int]
    ) -> None:
        self.scheduler = scheduler
        self.plan = plan
        self.numbers = numbers
        self.keys = {number: key for key, number in numbers.items()}
        self.dependants: dict[int, list[int]] = {}
        for number, needs in enumerate(plan.needs):
            for need in needs:
                self.dependants.setdefault(need, []).append(number)
        self.runs: list[Run] = []
        self.whole = True
        self.lost = False
        self.segments: list[Segment] = []
        self.state = State()
        self.live: dict[int, int] = {}
        self.placed: dict[int, int] = {}
        self.discarded: dict[int, int] = {}
        self.forgotten: dict[int, int] = {}

    # told by the runs

    def begin(
        self, number: int, values: Iterable[tuple[int, int]], process: Process
    ) -> int:
        """Note that a run begins with some values; return its own number."""
        needs = dict(values)
        for need, made in needs.items():
            gone = self.forgotten.get(made, process.began)
            if gone < process.began and not self.lost:
                self.scheduler.fail(
                    f"{process.name} began at {process.began} and was given run {made} "
                    f"of task {need}, invalidated at {gone}"
                )
        if tuple(needs) != self.plan.needs[number]:
            self.scheduler.fail(
                f"task {number} needs {self.plan.needs[number]} and was given the "
                f"results of {tuple(needs)}"
            )
        self.runs.append(Run(number, self.scheduler.end, needs))
        return len(self.runs) - 1

    # told by the adversary

    def spoilt(self, frame: bytes) -> None:
        """Take in that a stored segment is not readable any more.

        If it held results they are computed anew, while others may have used them.
        """
        if decode_head(frame, "the truth").kind is Kind.PUBLISH:
            self.whole = False

    def rewound(self) -> None:
        """Take in that the last names vanished."""
        self.whole, self.lost = False, True

    # told by the disk

    def appended(self, position: int, frame: bytes) -> None:
        """Take in a segment, and say what does not hold after it."""
        if not self.lost:
            segment = decode_frame(frame, "the truth")
            self.segments.append(segment)
            self._apply(position, segment)

    def _apply(self, position: int, segment: Segment) -> None:
        change = self.state.apply(position, segment)
        if change is None:
            return
        for key in change.discarded:
            number = self.numbers[key]
            self.discarded[number] = position
            if number in self.live:
                self.forgotten[self.live.pop(number)] = position
        if segment.kind is Kind.RESTORE and not self.whole:
            # Where what came since is damaged, its writer brings the former one back.
            gone = self.forgotten
            self.forgotten = {x: at for x, at in gone.items() if at != segment.number}
        if segment.kind is Kind.PUBLISH:
            self._publish(position, segment, change)
        else:
            for key in (*change.results, *change.failures):
                run = self.placed[self.state.records[key]]
                self.live[self.numbers[key]] = run
                self.forgotten.pop(run, None)
        if self.whole:
            found = [self.numbers[key] for key in (*change.results, *change.failures)]
            self._fits(found, published=segment.kind is Kind.PUBLISH)

    def _publish(self, position: int, segment: Segment, change: Change) -> None:
        body = Body(segment.body, segment.keys)
        for key in (*change.results, *change.failures):
            number, packed = self.numbers[key], self.state.records[key]
            row = packed & 0xFFFFFF
            if number in self.live:
                self.scheduler.fail(f"task {number} has a record and was given another")
            if key in self.state.failures:
                run = self._failed(number, body, row)
            else:
                whose, run = codec.decode(body.payload(row), memoryview)
                if whose != number:
                    self.scheduler.fail(f"task {number} got the result of {whose}")
            self.placed[packed] = self.live[number] = run

    def _failed(self, number: int, body: Body, row: int) -> int:
        failure = body.failure(row)
        run = int(failure.message) if failure.error == "RaisedError" else -1
        if run < 0 or self.runs[run].number != number or not self.runs[run].raised:
            self.scheduler.fail(
                f"task {number} did not raise and is recorded as failed: "
                f"{failure.error}: {failure.message}"
            )
        return -1 - run

    # what must hold

    def _fits(self, numbers: list[int], *, published: bool) -> None:
        for number in numbers:
            run = self.live[number]
            if published:
                self._fresh(number, run if run >= 0 else -1 - run)
            if run < 0:
                continue
            for need, made_of in self.runs[run].needs.items():
                stored = self.live.get(need)
                if stored != made_of and (published or stored is not None):
                    self._misfit(number, need, made_of, stored)
            for follower in self.dependants.get(number, ()):
                made = self.live.get(follower, -1)
                if made >= 0 and self.runs[made].needs[number] != run:
                    self._misfit(follower, number, self.runs[made].needs[number], run)

    def _misfit(self, number: int, need: int, made_of: int, stored: int | None) -> None:
        what = "nothing" if stored is None else f"run {stored}"
        self.scheduler.fail(
            f"task {number} is stored as made of run {made_of} of task {need}, of "
            f"which {what} is stored"
        )

    def _fresh(self, number: int, run: int) -> None:
        discarded = self.discarded.get(number, -1)
        if discarded >= self.runs[run].began:
            self.scheduler.fail(
                f"task {number} was invalidated at {discarded}, and run {run} of it, "
                f"begun at {self.runs[run].began}, is stored after that"
            )

    def compare(self, results: Results) -> None:
        """Say how what somebody reads anew differs from what is stored."""
        results.backend.poll()
        read = {}
        for key in list(results.backend.keys()):
            number = self.numbers[key]
            try:
                read[number] = self._read(results, key)
            except DamagedError as error:
                if self.whole:
                    self.scheduler.fail(f"task {number} cannot be read: {error}")
        if self.whole and read != self.live:
            wrong = {n for n in {*read, *self.live} if read.get(n) != self.live.get(n)}
            told = [f"{n}: {self.live.get(n)} / {read.get(n)}" for n in sorted(wrong)]
            self.scheduler.fail(f"stored / read anew differ: {'; '.join(told)}")

    def _read(self, results: Results, key: Key) -> int:
        """Return which run made a record that somebody reads, as `live` has it."""
        number, where = self.numbers[key], results.backend.find(key)
        if where.failure:
            return self._failed(number, results.body(where.position), where.row)
        whose, run = results.load(key)
        if whose != number:
            self.scheduler.fail(f"task {number} reads as task {whose}")
        return run
