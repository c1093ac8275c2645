"""What is kept twice and damaged once does no harm; it is found and written anew."""

import os

import pytest

from backends.filesystem.file_log import FileLog
from backends.filesystem.shelves import PACKS
from backends.interface import Kind, Segment
from backends.segment import encode_frame
from backends.store import JournalStore
from backends.testing.deeds import answers, drop_discarded, key, publish

BLOCK = 4


@pytest.fixture
def root(tmp_path):
    """A store of a shelf, two packs more, and some segments, with discards in all."""
    root = tmp_path / "store"
    store = JournalStore(FileLog(root, block=BLOCK), "anna")
    number = 0
    while store.position < (PACKS + 2) * BLOCK + 2:
        publish(store, key(number), body=b"body %d" % number)
        if number % 5 == 0:
            store.discard([key(number)], reason="wrong")
        number += 1
    assert len(list(root.glob("log/*.heads"))) == 1
    return root


def opened(root):
    store = JournalStore(FileLog(root), "late")
    store.poll()
    return store


def flip(path, place, bit=4):
    data = bytearray(path.read_bytes())
    data[place] ^= bit
    path.write_bytes(data)


def told(root):
    return [(fault.what, fault.kind) for fault in opened(root).upkeep.unnoticed()]


def assert_mended(root, known):
    assert answers(opened(root)) == known
    store = opened(root)
    store.upkeep.unnoticed()
    store.upkeep.mend()
    assert told(root) == []
    assert opened(root).upkeep.damaged() == []
    assert answers(opened(root)) == known


def test_of_a_store_in_order_nothing_is_told(root):
    assert told(root) == []
    drop_discarded(opened(root))
    assert told(root) == []


@pytest.mark.parametrize("block", [0, PACKS])
@pytest.mark.parametrize("place", [0, 5, 13, 30, 40, 70, -1, -20, -36, -40, -80])
def test_a_bit_of_either_table_of_a_pack(root, block, place):
    known, pack = answers(opened(root)), root / f"log/{block:06d}.pack"
    flip(pack, place)
    assert told(root) == [(str(pack), "copy")]
    assert_mended(root, known)


def test_something_at_the_end_of_a_pack(root):
    known, pack = answers(opened(root)), root / "log/000003.pack"
    with pack.open("ab") as file:
        file.write(b"more")
    assert told(root) == [(str(pack), "copy")]
    assert_mended(root, known)


@pytest.mark.parametrize("damage", ["flipped", "cut", "longer", "a folder", "another"])
def test_a_shelf(root, damage):
    known, (shelf,) = answers(opened(root)), root.glob("log/*.heads")
    if damage == "flipped":
        flip(shelf, 99)
    elif damage == "cut":
        os.truncate(shelf, 99)
    elif damage == "longer":
        with shelf.open("ab") as file:
            file.write(b"more")
    elif damage == "a folder":
        shelf.unlink()
        shelf.mkdir()
    else:
        shelf.write_bytes((root / "log/000000.pack").read_bytes())
    assert told(root) == [(str(shelf), "copy")]
    assert_mended(root, known)


def test_a_head_that_only_a_shelf_still_has(root):
    pack = root / "log/000001.pack"
    data = pack.read_bytes()
    past = 100  # the first table, which may hold the same bytes
    place = next(at for n in range(9) if (at := data.find(key(n), past)) > 0)
    flip(pack, place)
    late = opened(root)
    assert not late.upkeep.damaged()
    late.upkeep.unnoticed()
    (fault,) = late.upkeep.damaged()
    assert fault.what.startswith("segment ")
    late.upkeep.mend()
    assert told(root) == []
    assert opened(root).upkeep.damaged() == []


@pytest.mark.parametrize("damage", ["flipped", "gone", "empty", "another"])
def test_the_copy_of_a_segment(root, damage):
    known = answers(opened(root))
    copies = sorted(root.glob("documents/segment-*"))
    for copy in (copies[0], copies[-1]):
        if damage == "flipped":
            flip(copy, -1)
        elif damage == "gone":
            copy.unlink()
        elif damage == "empty":
            opened(root).documents.put(copy.name, b"")
        else:
            copy.write_bytes(copies[1].read_bytes())
    names = {f"document {copy.name}" for copy in (copies[0], copies[-1])}
    assert {what for what, _ in told(root)} == names
    assert_mended(root, known)


@pytest.mark.parametrize("lost", [2, 3, 6])
def test_a_journal_that_ended_later_once(tmp_path, lost):
    """Its last names are gone; the copy of one of these is there, and says so."""
    root = tmp_path / "store"
    store = JournalStore(FileLog(root), "anna")
    for number in range(5):
        publish(store, key(number), since=0)
    store.discard([key(1)], reason="wrong")
    for name in sorted((root / "log/000000").iterdir())[-lost:]:
        name.unlink()
    (fault,) = opened(root).upkeep.unnoticed()
    assert fault.what.startswith("document segment-5-")
    assert fault.kind == "document"
    assert "has lost results" in fault.why
    opened(root).documents.put(fault.what.removeprefix("document "), b"")
    assert told(root) == []


def test_a_copy_of_what_is_about_to_be_appended_says_nothing(root):
    store = opened(root)
    segment = Segment(Kind.DISCARD, "bert", 0.0, key(1), about="r")
    store._journal.copies.keep(store.position, encode_frame(segment))
    assert told(root) == []
