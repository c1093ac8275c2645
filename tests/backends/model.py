"""What a store should answer, as simply as can be: a list of deeds, done over again."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Deed:
    """One thing that was done to the store; `what` is None if its bytes are spoilt."""

    what: str | None
    worker: str
    keys: list[bytes] = field(default_factory=list)
    values: list[tuple[str, bool] | None] = field(default_factory=list)
    target: str | int | list[int] = ""
    cause: str = ""
    body_spoilt: bool = False


@dataclass
class View:
    """What somebody knows who has seen some deeds."""

    records: dict = field(default_factory=dict)
    locked: dict = field(default_factory=dict)
    voided: dict = field(default_factory=dict)
    trash: dict = field(default_factory=dict)
    deaths: dict = field(default_factory=dict)
    suspects: set = field(default_factory=set)


def see(deeds: list[Deed]) -> View:
    """Return what the deeds come to."""
    view = View()
    for at, deed in enumerate(deeds):
        if deed.what is not None:
            globals()[f"_{deed.what}"](view, at, deed)
    return view


def _publish(view: View, at: int, deed: Deed) -> None:
    for row, (key, value) in enumerate(zip(deed.keys, deed.values, strict=True)):
        if value is not None and key not in view.records:
            view.records[key] = (*value, at, row)
            view.locked.pop(key, None)


def _claim(view: View, at: int, deed: Deed) -> None:
    for key in deed.keys:
        if key not in view.records and key not in view.locked:
            view.locked[key] = deed.worker


def _release(view: View, at: int, deed: Deed) -> None:
    for key in deed.keys:
        if view.locked.get(key) == deed.worker:
            del view.locked[key]


def _expel(view: View, at: int, deed: Deed) -> None:
    for key in [k for k, by in view.locked.items() if by == deed.target]:
        del view.locked[key]
    view.suspects.update(deed.keys)
    if len(deed.keys) == 1:
        count = view.deaths.setdefault(deed.keys[0], {})
        count[deed.cause] = count.get(deed.cause, 0) + 1


def _discard(view: View, at: int, deed: Deed) -> None:
    view.trash[at] = {}
    for key in deed.keys:
        view.voided[key] = at
        view.locked.pop(key, None)
        view.deaths.pop(key, None)
        view.suspects.discard(key)
        if key in view.records:
            view.trash[at][key] = view.records.pop(key)


def _restore(view: View, at: int, deed: Deed) -> None:
    taken = view.trash.pop(deed.target, {})
    for key in taken.keys() & deed.keys:
        view.records[key] = taken[key]
        view.locked.pop(key, None)


def _final(view: View, at: int, deed: Deed) -> None:
    for target in deed.target:
        view.trash.pop(target, None)


class Model:
    """The deeds, and what each method of a store should return."""

    def __init__(self) -> None:
        self.deeds: list[Deed] = []

    @property
    def now(self) -> View:
        return see(self.deeds)

    def publish(self, worker, keys, values, since) -> int:
        now = self.now
        kept = [
            None if k in now.records or now.voided.get(k, -1) >= since else value
            for k, value in zip(keys, values, strict=True)
        ]
        accepted = sum(value is not None for value in kept)
        if accepted:
            self.deeds.append(Deed("publish", worker, keys, kept))
        return accepted

    def claim(self, worker, keys) -> tuple[int, list[bytes]]:
        now = self.now
        free = [k for k in keys if k not in now.records and k not in now.locked]
        at = len(self.deeds)
        if free:
            self.deeds.append(Deed("claim", worker, free))
        return at, free

    def release(self, worker, keys) -> None:
        own = [k for k in keys if self.now.locked.get(k) == worker]
        if own:
            self.deeds.append(Deed("release", worker, own))

    def expel(self, worker, target, cause, running) -> None:
        lost = [k for k, by in self.now.locked.items() if by == target]
        if lost:
            blamed = [running] if running in lost else lost
            if cause == "RELEASED":
                blamed = []
            self.deeds.append(Deed("expel", worker, blamed, target=target, cause=cause))

    def discard(self, worker, keys) -> int | None:
        now = self.now
        known = [k for k in keys if k in now.records or k in now.locked]
        if not known:
            return None
        self.deeds.append(Deed("discard", worker, known))
        return len(self.deeds) - 1

    def restore(self, worker, at) -> int:
        before = self.now
        if at not in before.trash:
            return 0
        back = [key for key in before.trash[at] if key not in before.records]
        self.deeds.append(Deed("restore", worker, back, target=at))
        return len(self.now.records) - len(before.records)

    @property
    def live(self) -> set[int]:
        """Where the records are that somebody may ask for who knows all."""
        now = self.now
        kept = [now.records, *now.trash.values()]
        return {record[2] for records in kept for record in records.values()}

    def forget(self, block: int) -> None:
        """Drop what was discarded for good from all complete blocks."""
        live = self.live
        for at in range(len(self.deeds) // block * block):
            if self.deeds[at].what == "publish" and at not in live:
                self.deeds[at].what = None
