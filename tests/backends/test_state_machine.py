"""Three workers do anything in any order: the store answers as a simple model does."""

from __future__ import annotations

import atexit
import json
import logging
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from backends import Cause, DamagedError, Row
from backends.filesystem.file_log import FileLog
from backends.memory import MemoryLog, Room
from backends.segment import HEADER_SIZE, LINK_AT
from backends.store import JournalStore
from backends.testing.deeds import key

from ..redis_servers import ONE, RedisServer
from .model import Deed, Model, see
from .redis.rooms import open_log, spoil

BLOCK = 6
WORKERS = ["anna", "bert", "cora"]
KEYS = [key(number) for number in range(5)]
workers = st.sampled_from(WORKERS)
some_keys = st.lists(st.sampled_from(KEYS), min_size=1, max_size=4, unique=True)


class StoreMachine(RuleBasedStateMachine):
    """The common part; subclasses open logs and spoil bytes."""

    def __init__(self) -> None:
        super().__init__()
        logging.getLogger("backends").setLevel(logging.CRITICAL)
        self.model = Model()
        self.stores: dict[str, JournalStore] = {}
        self.seen = dict.fromkeys(WORKERS, 0)
        self.known: dict[str, dict[bytes, bool]] = {name: {} for name in WORKERS}
        self.tokens = [0]
        self.compacted = False
        self.values = 0

    def teardown(self) -> None:
        logging.getLogger("backends").setLevel(logging.NOTSET)

    def open_log(self):
        raise NotImplementedError

    def spoil(self, position: int, data: bytes) -> None:
        raise NotImplementedError

    @initialize()
    def open_all(self) -> None:
        for name in WORKERS:
            self._reopen(name)

    def _reopen(self, name: str) -> None:
        self.stores[name] = JournalStore(self.open_log(), name)
        self.seen[name] = 0
        self.known[name] = {}

    def _acted(self, name: str) -> JournalStore:
        self.seen[name] = len(self.model.deeds)
        return self.stores[name]

    # what workers do

    @rule(name=workers, keys=some_keys, data=st.data())
    def publish(self, name, keys, data) -> None:
        since = data.draw(st.sampled_from(self.tokens))
        failed = data.draw(
            st.lists(st.booleans(), min_size=len(keys), max_size=len(keys))
        )
        self.values += 1
        values = [(f"{self.values}.{row}", bad) for row, bad in enumerate(failed)]
        before = len(self.model.deeds)
        accepted = self.model.publish(name, keys, values, since)
        rows = bytes(Row.FAILURE if bad else Row.RESULT for bad in failed)
        body = json.dumps([text for text, _ in values]).encode()
        got = self._acted(name).publish(keys, rows, body, since=since)
        assert got == accepted
        for deed in self.model.deeds[before:]:
            done = zip(deed.keys, deed.values, strict=True)
            self.known[name].update({k: value[1] for k, value in done if value})

    @rule(name=workers, keys=some_keys)
    def claim(self, name, keys) -> None:
        token, granted = self.model.claim(name, keys)
        claim = self._acted(name).claim(keys)
        assert (claim.token, list(claim.keys)) == (token, granted)
        self.tokens.append(token)

    @rule(name=workers, keys=some_keys)
    def release(self, name, keys) -> None:
        self.model.release(name, keys)
        self._acted(name).release(keys)

    @rule(
        name=workers,
        other=workers,
        cause=st.sampled_from(Cause),
        running=st.sampled_from([None, *KEYS]),
    )
    def expel(self, name, other, cause, running) -> None:
        self.model.expel(name, other, cause.name, running)
        self._acted(name).expel(other, cause, running=running)

    @rule(name=workers, keys=some_keys)
    def discard(self, name, keys) -> None:
        at = self.model.discard(name, keys)
        assert self._acted(name).discard(keys, reason="r") == at

    @rule(name=workers, data=st.data())
    def restore(self, name, data) -> None:
        at = data.draw(st.sampled_from([*self.model.now.trash, 3]))
        back = self.model.restore(name, at)
        assert self._acted(name).undo(at) == back

    # what else happens

    @rule(name=workers)
    def poll(self, name) -> None:
        changes = self._acted(name).poll()
        store, known = self.stores[name], self.known[name]
        for change in changes:
            known.update(dict.fromkeys(change.results, False))
            known.update(dict.fromkeys(change.failures, True))
        if any(change.discarded for change in changes):
            bad = set(store.failures())
            known.clear()
            known.update({k: k in bad for k in list(store.keys())})
        assert known == {k: r[1] for k, r in self.model.now.records.items()}

    @rule(name=workers)
    def reopen(self, name) -> None:
        self._reopen(name)

    @rule(name=workers)
    def compact(self, name) -> None:
        self._acted(name).upkeep.compact()
        self.compacted = True

    @rule(name=workers)
    def forget_the_discarded(self, name) -> None:
        store = self._acted(name)
        store.refresh()  # the model forgets all, also what this one has not heard of
        final = store.make_final([d.position for d in store.discards()])
        if final:
            self.model.deeds.append(Deed("final", name, target=final))
        self.model.forget(BLOCK)
        store.upkeep.compact()
        self.compacted = True
        self.open_all()

    @precondition(lambda self: len(self.model.deeds) % BLOCK and not self.compacted)
    @rule(data=st.data())
    def spoil_a_segment(self, data) -> None:
        done = len(self.model.deeds)
        whole = [
            at
            for at in range(done // BLOCK * BLOCK, done)
            if self.model.deeds[at].what and not self.model.deeds[at].body_spoilt
        ]
        if not whole:
            return
        at = data.draw(st.sampled_from(whole))
        frame, size = self.open_log().read(at)
        if data.draw(st.booleans()):
            self.spoil(at, frame[: data.draw(st.integers(0, max(0, size - 1)))])
            self._damaged_head(at)
        elif frame:
            head = HEADER_SIZE + int.from_bytes(frame[4:8], "little")
            place = data.draw(st.integers(0, size - 1))
            flipped = bytearray(frame)
            flipped[place] ^= 1 << data.draw(st.integers(0, 7))
            self.spoil(at, bytes(flipped))
            if LINK_AT <= place < HEADER_SIZE:
                pass  # it no longer says after which segment it comes, nothing else
            else:
                if place < head:
                    self._damaged_head(at)
                self.model.deeds[at].body_spoilt = True
        self.open_all()

    def _damaged_head(self, at: int) -> None:
        """What takes records away is kept twice; all else counts for nothing."""
        if self.model.deeds[at].what not in {"discard", "restore"}:
            self.model.deeds[at].what = None

    # what has to hold

    @invariant()
    def everybody_answers_as_of_the_last_look(self) -> None:
        for name, store in self.stores.items():
            view = see(self.model.deeds[: self.seen[name]])
            assert set(store.keys()) == set(view.records)
            assert set(store.failures()) == {k for k, r in view.records.items() if r[1]}
            assert {x.key: x.worker for x in store.locks()} == view.locked
            assert {k: store.locked_by(k) for k in view.locked} == view.locked
            assert {x.position: set(x.keys) for x in store.discards()} == {
                at: set(taken) for at, taken in view.trash.items() if taken
            }
            for each in KEYS:
                deaths = {c.name: n for c, n in store.deaths(each).items()}
                assert deaths == view.deaths.get(each, {})
                assert (each in store.suspects()) == (each in view.suspects)

    @invariant()
    def everybody_reads_what_was_written_or_hears_of_the_damage(self) -> None:
        live = self.model.live
        for name, store in self.stores.items():
            view = see(self.model.deeds[: self.seen[name]])
            for each, (value, _, at, row) in view.records.items():
                where = store.find(each)
                assert (where.position, where.row) == (at, row)
                if self.compacted and at not in live:
                    continue  # who has not looked since may find it gone
                if self.model.deeds[at].body_spoilt:
                    with pytest.raises(DamagedError):
                        store.segment(at)
                else:
                    assert json.loads(store.segment(at).body)[row] == value


class MemoryMachine(StoreMachine):
    def __init__(self) -> None:
        super().__init__()
        self.room = Room()

    def open_log(self):
        log = MemoryLog(self.room)
        log.block_size = BLOCK
        return log

    def spoil(self, position, data) -> None:
        self.room.frames[position] = data


class FileMachine(StoreMachine):
    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="store-"))

    def open_log(self):
        return FileLog(self.root, block=BLOCK)

    def spoil(self, position, data) -> None:
        Path(self.open_log()._path(position)).write_bytes(data)

    def teardown(self) -> None:
        super().teardown()
        shutil.rmtree(self.root)


class RedisMachine(StoreMachine):
    server: RedisServer | None = None

    def __init__(self) -> None:
        super().__init__()
        if self.server is None:
            type(self).server = RedisServer(ONE)
            atexit.register(self.server.close)
        self.store = f"machine-{os.urandom(6).hex()}"

    def open_log(self):
        return open_log(self.server.url(self.store), BLOCK)

    def spoil(self, position, data) -> None:
        spoil(self.server, self.store, BLOCK, position, data)


_SETTINGS = {
    "stateful_step_count": 40,
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow],
}
TestMemoryMachine = MemoryMachine.TestCase
TestMemoryMachine.settings = settings(max_examples=40, **_SETTINGS)
TestFileMachine = FileMachine.TestCase
TestFileMachine.settings = settings(max_examples=25, **_SETTINGS)
TestRedisMachine = RedisMachine.TestCase
TestRedisMachine.settings = settings(max_examples=8, **_SETTINGS)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("machine", [MemoryMachine, FileMachine, RedisMachine])
def test_for_long(machine):
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=1500, **{**_SETTINGS, "stateful_step_count": 80}
        ),
    )
