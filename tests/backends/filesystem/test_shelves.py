"""Shelves: who joins reads ten packs at once, and the same as from each."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from backends.filesystem.directory import Directory
from backends.filesystem.file_log import FileLog
from backends.filesystem.shelves import PACKS
from backends.store import JournalStore
from backends.testing.deeds import (
    answers,
    body_of,
    drop_discarded,
    history,
    key,
    publish,
)

BLOCK = 2
SHELF = BLOCK * PACKS


@pytest.fixture
def root(tmp_path):
    return tmp_path / "store"


def shelf_of(root, number=0):
    first = PACKS * number
    return root / "log" / f"{first:06d}-{first + PACKS - 1:06d}.heads"


def open_store(root, worker="late"):
    store = JournalStore(FileLog(root, block=BLOCK), worker)
    store.poll()
    return store


def filled(root, count=SHELF):
    store = open_store(root, "anna")
    for number in range(count):
        publish(store, key(number), body=b"body %d" % number, since=0)
    return store


def bodies(store, count=SHELF):
    return [store.find(key(n)) and body_of(store, key(n)) for n in range(count)]


def test_a_shelf_is_made_when_ten_packs_are_there(root):
    store = filled(root, SHELF - 1)
    assert not shelf_of(root).exists()
    publish(store, key(99), since=0)
    assert shelf_of(root).exists()
    assert not shelf_of(root, 1).exists()


def test_joining_opens_shelves_and_what_is_on_none(root, monkeypatch):
    filled(root, 2 * SHELF + BLOCK)
    opened, open_file = [], os.open
    monkeypatch.setattr(
        os, "open", lambda path, *how: opened.append(path) or open_file(path, *how)
    )
    late = open_store(root)
    monkeypatch.undo()
    assert len(late.keys()) == 2 * SHELF + BLOCK
    existing = [path for path in map(Path, opened) if path.is_file()]
    names = [path.name for path in existing if path.parent.name == "log"]
    packs = f"{2 * PACKS:06d}.pack"
    assert names == [shelf_of(root).name, shelf_of(root, 1).name, packs]


def test_from_a_shelf_one_knows_the_same_as_from_its_packs(root):
    anna, bert = open_store(root, "anna"), open_store(root, "bert")
    history(anna, bert)
    for number in range(100, 100 + SHELF):
        publish(anna, key(number))
    anna.discard([key(101)], reason="wrong")
    assert shelf_of(root).exists()
    known = answers(open_store(root))
    for shelf in root.glob("log/*.heads"):
        shelf.unlink()
    assert answers(open_store(root)) == known


def test_a_reader_in_the_middle_of_a_shelf_goes_on(root):
    anna = filled(root, 5)
    late = open_store(root)
    for number in range(5, SHELF + 3):
        publish(anna, key(number), body=b"body %d" % number, since=0)
    late.poll()
    assert bodies(late) == bodies(anna)


@pytest.mark.parametrize("damage", ["flips", "cuts", "zeroes", "a folder", "gone"])
def test_a_damaged_shelf_costs_nothing(root, damage):
    known = bodies(filled(root))
    shelf = shelf_of(root)
    data = shelf.read_bytes()
    if damage == "flips":
        spoilt = [
            data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]
            for at in range(0, len(data), 7)
        ]
    elif damage == "cuts":
        spoilt = [data[:size] for size in (0, 1, 35, 36, 200, len(data) - 1)]
    else:
        spoilt = [bytes(len(data))]
    for content in spoilt:
        shelf.write_bytes(content)
        if damage in ("a folder", "gone"):
            shelf.unlink()
        if damage == "a folder":
            shelf.mkdir()
        late = open_store(root)
        assert bodies(late) == known
        assert late.upkeep.damaged() == []


def test_a_shelf_that_cannot_be_read_costs_nothing(root, monkeypatch):
    known = bodies(filled(root))
    open_file = os.open

    def fail(path, *how):
        if str(path).endswith(".heads"):
            raise OSError(errno.EIO, os.strerror(errno.EIO), path)
        return open_file(path, *how)

    monkeypatch.setattr(os, "open", fail)
    assert bodies(open_store(root)) == known


def test_a_pack_that_is_gone_is_noticed_by_who_joined_from_a_shelf(root):
    filled(root)
    (root / "log" / "000003.pack").unlink()
    late = open_store(root)
    gone = [number for number in range(SHELF) if number // BLOCK == 3]
    for number in range(SHELF):
        if number in gone:
            with pytest.raises(Exception, match="gone"):
                body_of(late, key(number))
        else:
            assert body_of(late, key(number)) == b"body %d" % number


def test_what_was_dropped_is_on_no_shelf(root):
    anna = filled(root)
    position = anna.discard([key(3)], reason="wrong")
    drop_discarded(anna)
    assert shelf_of(root).exists()
    late = open_store(root)
    assert late.undo(position) == 0
    assert bodies(late)[3] is None


def test_a_shelf_of_packs_that_were_replaced_meanwhile_does_not_stay(root, monkeypatch):
    """The maker is slow: between its reading and its placing all is compacted."""
    anna = filled(root)
    position = anna.discard([key(3)], reason="wrong")
    shelf_of(root).unlink()
    bert = open_store(root, "bert")
    stage, busy = Directory.stage, []

    def slow(self, chunks, *, durable):
        staged = stage(self, chunks, durable=durable)
        if not durable and not busy:
            busy.append(self)
            drop_discarded(bert)
        return staged

    monkeypatch.setattr(Directory, "stage", slow)
    anna._log._shelves.make(0)
    monkeypatch.undo()
    assert busy
    late = open_store(root)
    assert late.undo(position) == 0
    assert bodies(late)[3] is None


def test_who_replaces_a_pack_takes_away_a_shelf_that_was_placed_just_before(
    root, monkeypatch
):
    anna = filled(root)
    anna.discard([key(3)], reason="wrong")
    former = shelf_of(root).read_bytes()
    replace = os.replace

    def late_shelf(staged, path):
        if str(path).endswith("000001.pack"):
            shelf_of(root).write_bytes(former)
        return replace(staged, path)

    monkeypatch.setattr(os, "replace", late_shelf)
    drop_discarded(anna)
    monkeypatch.undo()
    assert not shelf_of(root).exists() or shelf_of(root).read_bytes() != former


def test_a_shelf_from_another_store_is_not_taken_for_ones_own(root, tmp_path):
    """Its positions are others: what was copied to a wrong place is not read."""
    filled(root, 2 * SHELF)
    shutil.copy(shelf_of(root, 1), shelf_of(root))
    assert bodies(open_store(root)) == [b"body %d" % n for n in range(SHELF)]
