"""Somebody else acts, or a reply is lost, at the worst moment."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
from pathlib import Path

import pytest

from backends import Cause, FormatError, OpenError, Row, UnavailableError
from backends.filesystem import FileLog
from backends.memory import MemoryLog, Room
from backends.opening import open_backend
from backends.store import JournalStore

from .contract import A, B, answers, body_of, key, publish

RESULT = bytes([Row.RESULT])
BLOCK = 4


@pytest.fixture(params=["file", "memory"])
def open_store(request, tmp_path):
    room = Room()

    def open_it(worker):
        if request.param == "file":
            return JournalStore(FileLog(tmp_path / "store", block=BLOCK), worker)
        log = MemoryLog(room)
        log.block_size = BLOCK
        return JournalStore(log, worker)

    return open_it


@pytest.fixture
def anna(open_store):
    return open_store("anna")


@pytest.fixture
def bert(open_store):
    return open_store("bert")


@pytest.fixture
def root(tmp_path):
    return tmp_path / "store"


def before_append(store, deed):
    """Let somebody else act between the last look of `store` and its next append."""
    append = store._log.append
    deeds = [deed]

    def late(position, staged):
        if deeds:
            deeds.pop()()
        return append(position, staged)

    store._log.append = late


# between looking and appending


def test_the_other_locks_first(anna, bert):
    before_append(anna, lambda: bert.claim([A]))
    assert list(anna.claim([A, B]).keys) == [B]
    assert anna.holder(A) == "bert"


def test_the_other_publishes_first(anna, bert):
    token = anna.claim([A]).token
    before_append(anna, lambda: publish(bert, A, body=b"first", since=0))
    assert publish(anna, A, B, body=b"late", since=token) == 1
    assert body_of(bert, A) == b"first"
    assert body_of(bert, B) == b"late"


def test_the_other_invalidates_first(anna, bert):
    token = anna.claim([A]).token
    before_append(anna, lambda: bert.discard([A], reason="wrong"))
    assert publish(anna, A, since=token) == 0
    assert anna.find(A) is None


def test_the_other_publishes_what_is_to_be_locked(anna, bert):
    before_append(anna, lambda: publish(bert, A, since=0))
    assert anna.claim([A]).keys == []
    assert bert.locks() == []


def test_the_other_takes_over_what_is_to_be_released(anna, bert):
    anna.claim([A])

    def take_over():
        bert.expel("anna", Cause.LOST)
        bert.claim([A])

    before_append(anna, take_over)
    anna.release([A])
    assert anna.holder(A) == "bert"


def test_the_other_expels_the_same_worker(open_store, anna, bert):
    open_store("cora").claim([A])
    before_append(anna, lambda: bert.expel("cora", Cause.LOST))
    anna.expel("cora", Cause.LOST)
    assert dict(anna.deaths(A)) == {Cause.LOST: 1}


def test_a_worker_that_is_taken_for_dead_finishes_first(open_store, anna):
    cora = open_store("cora")
    token = cora.claim([A]).token
    before_append(anna, lambda: publish(cora, A, since=token))
    anna.expel("cora", Cause.LOST)
    assert dict(anna.deaths(A)) == {}
    assert set(anna.keys()) == {A}


def test_the_other_discards_first(anna, bert):
    publish(anna, A, B)
    before_append(anna, lambda: bert.discard([A], reason="one"))
    position = anna.discard([A, B], reason="two")
    assert [list(x.keys) for x in anna.discards()] == [[A], [B]]
    assert anna.restore(position) == 1


def test_the_other_restores_first(anna, bert):
    publish(anna, A)
    position = anna.discard([A], reason="wrong")
    before_append(anna, lambda: bert.restore(position))
    assert anna.restore(position) == 0
    assert set(anna.keys()) == {A}


def test_the_other_computes_anew_before_the_restore(anna, bert):
    publish(anna, A, body=b"old")
    position = anna.discard([A], reason="wrong")
    before_append(anna, lambda: publish(bert, A, body=b"new"))
    assert anna.restore(position) == 0
    assert body_of(anna, A) == b"new"


def test_the_block_ends_and_is_merged_before_the_append(anna, bert):
    def fill_and_merge():
        for number in range(10, 10 + 2 * BLOCK):
            publish(bert, key(number), since=0)
        bert.compact()

    before_append(anna, fill_and_merge)
    assert list(anna.claim([A]).keys) == [A]
    bert.poll()
    assert bert.holder(A) == "anna"
    assert answers(anna) == answers(bert)


@pytest.mark.parametrize("places", range(BLOCK + 1))
def test_a_block_begins_while_the_one_before_is_merged(open_store, anna, bert, places):
    for number in range(10, 10 + BLOCK - 1 + places):
        publish(bert, key(number), since=0)
    before_append(anna, lambda: (publish(bert, B, since=0), bert.compact()))
    anna.claim([A])
    assert answers(anna) == answers(bert) == answers(open_store("late"))


def test_two_merge_at_once(anna, bert, open_store):
    for number in range(10, 10 + 2 * BLOCK):
        publish(bert, key(number), since=0)
    merge = anna._log.merge

    def late(block, frames, **how):
        bert.compact()
        return merge(block, frames, **how)

    anna._log.merge = late
    anna.compact()
    assert answers(anna) == answers(bert) == answers(open_store("late"))


# the first append to a block, frozen for so long that the block is merged


def test_a_frozen_maker_of_a_block_does_not_hide_it(root, monkeypatch):
    anna, bert = (JournalStore(FileLog(root, block=BLOCK), w) for w in ("anna", "bert"))
    for number in range(10, 10 + BLOCK):
        publish(bert, key(number), since=0)
    makedirs = os.makedirs

    def frozen(path, exist_ok=False):
        monkeypatch.setattr(os, "makedirs", makedirs)
        for number in range(20, 20 + BLOCK + 1):
            publish(bert, key(number), since=0)
        bert.compact()
        makedirs(path, exist_ok=exist_ok)

    monkeypatch.setattr(os, "makedirs", frozen)
    publish(anna, A, since=0)
    assert set(anna.keys()) == {A, *map(key, range(10, 14)), *map(key, range(20, 25))}
    late = JournalStore(FileLog(root), "late")
    assert answers(late) == answers(anna)


def test_what_a_killed_maker_left_of_a_merged_block_is_not_looked_at(root):
    anna = JournalStore(FileLog(root, block=BLOCK), "anna")
    for number in range(BLOCK + 1):
        publish(anna, key(number), since=0)
    stray = root / "log" / "000000"
    assert not stray.exists()
    stray.mkdir()
    (stray / "000").write_bytes((root / "log" / "000001" / "000").read_bytes())
    assert answers(JournalStore(FileLog(root), "late")) == answers(anna)


# replies that are lost


def lose_reply(monkeypatch, name, error):
    """Let a system call succeed once, and say that it failed."""
    real = getattr(os, name)

    def lossy(*args, **kwargs):
        real(*args, **kwargs)
        monkeypatch.setattr(os, name, real)
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, name, lossy)


LOST = [errno.EEXIST, errno.ESTALE, errno.EIO, errno.ENOENT, errno.EPERM]


@pytest.mark.parametrize("error", LOST)
def test_a_link_whose_reply_was_lost_counts(root, monkeypatch, error):
    store = JournalStore(FileLog(root), "anna")
    lose_reply(monkeypatch, "link", error)
    assert list(store.claim([A]).keys) == [A]
    assert store._state.position == 1


@pytest.mark.parametrize("error", [errno.ENOENT, errno.ENOTEMPTY, errno.ESTALE])
def test_a_rename_whose_reply_was_lost_counts(root, monkeypatch, error):
    store = JournalStore(FileLog(root), "anna")
    real = os.rename

    def lossy(source, target):
        real(source, target)
        if "/log/" in os.fspath(target):
            monkeypatch.setattr(os, "rename", real)
            raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "link", refuse(errno.EPERM))
    monkeypatch.setattr(os, "rename", lossy)
    assert list(store.claim([A]).keys) == [A]
    assert JournalStore(FileLog(root), "late").claim([A]).keys == []


def test_a_blob_whose_reply_was_lost_is_there(root, monkeypatch):
    store = JournalStore(FileLog(root), "anna")
    store.write_blob("ab/first", [b"x"])
    lose_reply(monkeypatch, "rename", errno.ENOENT)
    store.write_blob("ab/cd", [b"data"])
    assert bytes(store.open_blob("ab/cd")) == b"data"


# links that are refused


def refuse(error):
    def link(staged, path):
        known = errno.EEXIST if os.path.lexists(path) else error
        raise OSError(known, os.strerror(known), path)

    return link


@pytest.mark.parametrize(
    "error", [errno.EPERM, errno.EXDEV, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS]
)
def test_without_links_directories_do(tmp_path, monkeypatch, error):
    monkeypatch.setattr(os, "link", refuse(error))
    anna, bert = (open_backend(tmp_path / "s", worker=w) for w in ("anna", "bert"))
    assert list(anna.claim([A]).keys) == [A]
    assert list(bert.claim([A, B]).keys) == [B]


@pytest.mark.parametrize("linker", [0, 1])
def test_hosts_with_and_without_links_agree(root, monkeypatch, linker):
    stores = [JournalStore(FileLog(root, block=BLOCK), f"w{n}") for n in range(2)]
    link = os.link
    for number in range(10, 10 + 3 * BLOCK):
        writer = number % 2
        monkeypatch.setattr(
            os, "link", link if writer == linker else refuse(errno.EPERM)
        )
        publish(stores[writer], key(number), since=0)
        if number % 5 == 0:
            stores[writer].compact()
    monkeypatch.setattr(os, "link", link)
    assert answers(stores[0]) == answers(stores[1])
    assert len(list(stores[0].keys())) == 3 * BLOCK


# two processes of one handle


def _append_some(store, number):
    for each in range(20):
        publish(store, key(1000 * number + each), body=str(number).encode(), since=0)


def test_forked_handles_do_not_share_names(root):
    store = JournalStore(FileLog(root), "anna")
    publish(store, A)
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=_append_some, args=(store, n)) for n in (1, 2)]
    for child in children:
        child.start()
    _append_some(store, 3)
    for child in children:
        child.join()
    store.poll()
    assert [child.exitcode for child in children] == [0, 0]
    assert len(list(store.keys())) == 61
    assert {store.body(store.find(key(2000 + n)).position) for n in range(20)} == {b"2"}
    assert list((root / "tmp").iterdir()) == []


# what reading may meet


def failing_open(monkeypatch, error, times, where="/log/"):
    real, left = os.open, [times]

    def flaky(path, *args, **kwargs):
        if where in os.fspath(path) and left[0] and not args[0] & os.O_CREAT:
            left[0] -= 1
            raise OSError(error, os.strerror(error), path)
        return real(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", flaky)


@pytest.mark.parametrize("error", [errno.ESTALE, errno.EIO])
def test_a_passing_error_is_passed_over(root, monkeypatch, error):
    publish(JournalStore(FileLog(root), "anna"), A, body=b"whole")
    late = JournalStore(FileLog(root), "late")
    failing_open(monkeypatch, error, times=2)
    assert body_of(late, A) == b"whole"
    assert late.damaged() == []


def test_what_the_disk_cannot_read_is_a_damage(root, monkeypatch):
    anna = JournalStore(FileLog(root), "anna")
    publish(anna, A)
    publish(anna, B, since=0)
    place = anna._log._path(anna.find(A).position)
    failing_open(monkeypatch, errno.EIO, times=99, where=place)
    late = JournalStore(FileLog(root), "late")
    late.poll()
    assert set(late.keys()) == {B}
    assert "cannot read" in late.damaged()[0].why


def test_what_nobody_may_read_is_no_damage(root, monkeypatch):
    publish(JournalStore(FileLog(root), "anna"), A)
    late = JournalStore(FileLog(root), "late")
    failing_open(monkeypatch, errno.EACCES, times=99)
    with pytest.raises(UnavailableError, match="permission denied"):
        late.poll()


def test_a_gap_after_a_power_cut_is_filled(root):
    anna = JournalStore(FileLog(root), "anna")
    for number in range(3):
        publish(anna, key(number), since=0)
    Path(anna._log._path(1)).unlink()
    late = JournalStore(FileLog(root), "late")
    late.poll()
    assert set(late.keys()) == {key(0)}
    late.claim([B, key(2)])
    late.poll()
    assert set(late.keys()) == {key(0), key(2)}
    assert answers(JournalStore(FileLog(root), "later")) == answers(late)


def test_a_claim_that_a_power_cut_emptied_is_no_claim(root):
    anna = JournalStore(FileLog(root), "anna")
    anna.claim([A])
    Path(anna._log._path(0)).write_bytes(b"")
    assert list(JournalStore(FileLog(root), "late").claim([A]).keys) == [A]


@pytest.mark.parametrize("place", [0, 5, 18, 25, 45])
def test_a_pack_with_a_flipped_bit_is_noticed(root, place):
    anna = JournalStore(FileLog(root, block=BLOCK), "anna")
    for number in range(BLOCK):
        publish(anna, key(number), since=0)
    publish(anna, key(99), since=0)
    anna.compact()
    (pack,) = (root / "log").glob("*.pack")
    data = bytearray(pack.read_bytes())
    data[place] ^= 4
    pack.write_bytes(data)
    late = JournalStore(FileLog(root), "late")
    late.poll()
    assert len(late.damaged()) == BLOCK
    assert set(late.keys()) == {key(99)}


@pytest.mark.parametrize("gone", ["", "log/000000", "tmp"])
def test_a_store_that_is_removed_meanwhile_ends_in_a_sentence(root, gone):
    store = JournalStore(FileLog(root), "anna")
    publish(store, A)
    (root / gone).rename(root.parent / "away")
    with pytest.raises(UnavailableError, match="start again"):
        store.claim([B])


# opening


def test_two_make_the_same_store(root, monkeypatch):
    link, made = os.link, []

    def late(staged, path):
        if not made and path.endswith("format.json"):
            made.append(None)
            made.append(FileLog(root, block=7))
        link(staged, path)

    monkeypatch.setattr(os, "link", late)
    assert FileLog(root, block=5).block_size == 7
    assert list((root / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("version", "advice"), [(0, "release that wrote it"), (2, "install a newer")]
)
def test_another_format_is_refused_with_advice(root, version, advice):
    FileLog(root)
    about = {"format": "taskgraph store", "version": version}
    (root / "format.json").write_text(json.dumps(about))
    with pytest.raises(FormatError, match=f"format {version}.*{advice}"):
        FileLog(root)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "taskgraph store"}'])
def test_a_damaged_format_says_how_to_mend_it(root, text):
    FileLog(root)
    (root / "format.json").write_text(text)
    with pytest.raises(FormatError, match=r'put \{"format": "taskgraph store"'):
        FileLog(root)


def test_other_peoples_files_are_left_alone(root):
    root.mkdir()
    (root / "thesis.tex").touch()
    with pytest.raises(OpenError, match="other files"):
        FileLog(root)
    assert [path.name for path in root.iterdir()] == ["thesis.tex"]


def test_a_file_is_no_store(root):
    root.touch()
    with pytest.raises(OpenError, match="not a directory"):
        FileLog(root)


def test_what_is_not_there_is_not_made_for_a_reader(root):
    with pytest.raises(OpenError, match="no store"):
        FileLog(root, create=False)
    assert not root.exists()


def test_staged_files_of_the_long_dead_are_collected(root):
    log = FileLog(root)
    old, new = log.stage([b"x" * 7], durable=False), log.stage([b"y"], durable=False)
    os.utime(old, (1, 1))
    assert log.empty_trash(0) == 7
    assert [str(path) for path in (root / "tmp").iterdir()] == [new]
