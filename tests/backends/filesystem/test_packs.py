"""Merged blocks: read at a stroke, and as much of them as damage left."""

import errno
import os
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from backends.errors import DamagedError, UnavailableError
from backends.filesystem import packs
from backends.filesystem.file_log import FileLog
from backends.filesystem.packs import NewPack, open_pack
from backends.interface import Cause, Kind, Row, Segment
from backends.segment import encode_frame, void_frame
from backends.store import JournalStore
from backends.testing.deeds import A, answers, body_of, key, publish

BLOCK = 4
_names = st.text("abcXYZ019_", min_size=1, max_size=5)


@st.composite
def _segments(draw):
    """Return segments as workers write them."""
    kind = draw(st.sampled_from(Kind))
    keys = draw(st.lists(st.binary(min_size=20, max_size=20), max_size=3))
    published, expelled = kind in {Kind.PUBLISH, Kind.RESTORE}, kind is Kind.EXPEL
    rows = st.lists(st.sampled_from(Row), min_size=len(keys), max_size=len(keys))
    return Segment(
        kind,
        draw(_names),
        draw(st.floats(-1e10, 1e10)),
        b"".join(keys),
        bytes(draw(rows)) if published else b"",
        draw(_names if expelled else st.text(max_size=5)),
        draw(st.sampled_from(Cause).map(int) if expelled else st.integers(0, 2**60)),
        draw(st.binary(max_size=50)),
    )


def frame_of(segment: Segment) -> bytes:
    return b"".join(encode_frame(segment))


def merged_store(root):
    """Return a store of two merged blocks, one result in each segment."""
    store = JournalStore(FileLog(root, block=BLOCK), "anna")
    for number in range(2 * BLOCK):
        publish(store, key(number), body=b"body %d" % number, since=0)
    return store


def pack_of(root, block=0):
    return root / "log" / f"{block:06d}.pack"


def flip(path, place, bit=4):
    data = bytearray(path.read_bytes())
    data[place] ^= bit
    path.write_bytes(data)


def reader(root):
    late = JournalStore(FileLog(root), "late")
    late.poll()
    return late


@given(
    st.dictionaries(st.integers(0, 2**40), _segments(), min_size=1, max_size=6),
    st.sets(st.integers(0, 2**40), max_size=3),
    st.integers(0),
)
def test_a_pack_gives_back_each_frame(tmp_path_factory, segments, gone, limit):
    frames = {position: frame_of(segment) for position, segment in segments.items()}
    path = tmp_path_factory.mktemp("pack") / "x.pack"
    gone = {place: place + 7 for place in gone - frames.keys()}
    new = NewPack(frames, frames.__getitem__, gone)
    path.write_bytes(b"".join(new.chunks()))
    assert path.stat().st_size == new.size

    descriptor = os.open(path, os.O_RDONLY)
    try:
        pack, heads = open_pack(descriptor, "x", range(2**40 + 1))
        assert pack.is_still(descriptor)
        limit %= max(map(len, frames.values()), default=1) + 1
        for position, frame in frames.items():
            assert pack.read(descriptor, position, None) == (frame, len(frame))
            start = frame[:limit]
            assert pack.read(descriptor, position, limit) == (start, len(frame))
        for place, check in {**gone, 2**41: 0}.items():
            void, size = pack.read(descriptor, place, None)
            assert void == void_frame(check)
            assert pack.read(descriptor, place, limit) == (void[:limit], size)
    finally:
        os.close(descriptor)
    told = [(at, replace(segments[at], body=b"")) for at in sorted(segments)]
    assert list(pack.segments(heads, str)) == told
    last = max([*frames, *gone])
    assert pack.ends_with(last) == (last in frames)


def test_joining_opens_each_pack_once(tmp_path, monkeypatch):
    root = tmp_path / "store"
    merged_store(root)
    opened = []
    open_file = os.open

    def counted(path, *how, **more):
        opened.append(path)
        return open_file(path, *how, **more)

    late = JournalStore(FileLog(root), "late")
    monkeypatch.setattr(os, "open", counted)
    late.poll()
    found = [path for path in opened if str(path).endswith(".pack")]
    ahead = str(pack_of(root, 2))  # is there a third one?
    assert [path for path in found if path != ahead] == [
        str(pack_of(root, block)) for block in (0, 1)
    ]


def test_heads_that_one_read_does_not_reach_are_read_on(tmp_path, monkeypatch):
    root = tmp_path / "store"
    before = answers(merged_store(root))
    for size in (0, 10, 50, 100, 250):
        monkeypatch.setattr(packs, "_FIRST_READ", size)
        assert answers(reader(root)) == before


def test_a_reader_in_the_middle_of_a_block_goes_on_in_its_pack(tmp_path):
    root = tmp_path / "store"
    anna = JournalStore(FileLog(root, block=BLOCK), "anna")
    publish(anna, A, since=0)
    late = reader(root)
    anna.discard([A], reason="wrong")
    for number in range(BLOCK):
        publish(anna, key(number), since=0)
    assert pack_of(root).exists()
    late.poll()
    assert answers(late) == answers(anna)
    assert answers(late) == answers(reader(root))


# damage


def test_any_bit_of_a_pack_may_flip(tmp_path):
    """What is told is what was stored, or damage of the one segment that it hit."""
    root = tmp_path / "store"
    merged_store(root)
    size = pack_of(root).stat().st_size
    keys = [key(number) for number in range(2 * BLOCK)]
    for place in range(size):
        flip(pack_of(root), place)
        late, lost = reader(root), 0
        for number, known in enumerate(keys):
            try:
                lost += late.find(known) is None
                if late.find(known) is not None:
                    assert body_of(late, known) == b"body %d" % number
            except DamagedError:
                lost += 1
        assert lost <= 1
        assert bool(late.upkeep.damaged()) == any(late.find(k) is None for k in keys)
        flip(pack_of(root), place)


@pytest.mark.parametrize("kept", [0, 1, 35, 36, 100, 500])
def test_a_pack_that_is_cut_short_is_damaged(tmp_path, kept):
    root = tmp_path / "store"
    merged_store(root)
    os.truncate(pack_of(root), kept)
    late = reader(root)
    for number in range(BLOCK):
        if late.find(key(number)) is None:
            assert late.upkeep.damaged()
        else:
            with suppress(DamagedError):
                assert body_of(late, key(number)) == b"body %d" % number
    for number in range(BLOCK, 2 * BLOCK):
        assert body_of(late, key(number)) == b"body %d" % number


def test_a_pack_that_cannot_be_read_now_is_no_damage(tmp_path, monkeypatch):
    """A soft mount gives EIO when time is short: what is there later, is there."""
    root = tmp_path / "store"
    known = answers(merged_store(root))

    def fail(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    late = JournalStore(FileLog(root), "late")
    for call, ask in (
        ("read", late.poll),
        ("pread", lambda: body_of(late, key(0))),
    ):
        monkeypatch.setattr(os, call, fail)
        with pytest.raises(UnavailableError):
            ask()
        monkeypatch.undo()
        late.poll()
        assert late.upkeep.damaged() == []
        assert answers(late) == known


@pytest.mark.parametrize("content", ["zeroes", "the other pack", "a folder"])
def test_a_pack_of_another_content_is_damaged(tmp_path, content):
    root = tmp_path / "store"
    merged_store(root)
    pack = pack_of(root)
    if content == "zeroes":
        pack.write_bytes(bytes(pack.stat().st_size))
    elif content == "the other pack":
        pack.write_bytes(pack_of(root, 1).read_bytes())
    else:
        pack.unlink()
        pack.mkdir()
    late = reader(root)
    assert len(late.upkeep.damaged()) == BLOCK
    assert set(late.keys()) == {key(number) for number in range(BLOCK, 2 * BLOCK)}


def test_a_pack_of_which_nothing_is_left_does_not_pass_for_another(tmp_path):
    """Two blocks of claims that nobody needs; the one with results gets such a pack."""
    root = tmp_path / "store"
    store = merged_store(root)
    for number in range(100, 100 + BLOCK // 2):
        store.claim([key(number)])
        publish(store, key(number))
    store.discard([key(100 + n) for n in range(BLOCK // 2)], reason="wrong")
    while store.position % BLOCK:
        store.claim([key(200 + store.position)])
    store.make_final([about.position for about in store.discards()])
    while store.position % BLOCK:
        store.claim([key(300 + store.position)])
    store.upkeep.compact()
    packs = sorted(root.glob("log/*.pack"), key=lambda path: path.stat().st_size)
    pack_of(root).write_bytes(packs[0].read_bytes())
    late = reader(root)
    assert len(late.upkeep.damaged()) == BLOCK
