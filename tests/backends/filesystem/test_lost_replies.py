"""A file system loses replies, refuses links, cannot read, or is cut off."""

from __future__ import annotations

import errno
import multiprocessing
import os
from pathlib import Path

import pytest

from backends import UnavailableError
from backends.filesystem.file_log import FileLog
from backends.opening import open_backend
from backends.store import JournalStore
from backends.testing.deeds import A, B, answers, body_of, key, publish

BLOCK = 4


@pytest.fixture
def root(tmp_path):
    return tmp_path / "store"


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
    store.blobs.write("ab/first", [b"x"])
    lose_reply(monkeypatch, "rename", errno.ENOENT)
    store.blobs.write("ab/cd", [b"data"])
    assert bytes(store.blobs.open("ab/cd")) == b"data"


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
            stores[writer].upkeep.compact()
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
    assert {body_of(store, key(2000 + n)) for n in range(20)} == {b"2"}
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
    assert late.upkeep.damaged() == []


def failing_once(monkeypatch, name, where):
    """Let a system call fail for a file that was removed since it was opened."""
    real = getattr(os, name)

    def stale(descriptor, *args):
        if where in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
            monkeypatch.setattr(os, name, real)
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return real(descriptor, *args)

    monkeypatch.setattr(os, name, stale)
    return real


@pytest.mark.parametrize("name", ["fstat", "read"])
def test_a_worker_that_left_while_it_was_looked_at_is_no_error(root, monkeypatch, name):
    anna = open_backend(str(root), worker="anna")
    anna.members.beat("anna", {"host": "here"})
    late = open_backend(str(root), worker="late")
    real = failing_once(monkeypatch, name, "/workers/")
    assert [member.worker for member in late.members.all()] == ["anna"]
    assert getattr(os, name) is real  # it did fail


def test_a_pack_that_was_replaced_while_it_was_read_is_opened_anew(root, monkeypatch):
    anna = JournalStore(FileLog(root, block=BLOCK), "anna")
    for number in range(10, 10 + 3 * BLOCK):
        publish(anna, key(number), body=b"%d" % number)
    anna.upkeep.compact()
    late = JournalStore(FileLog(root, block=BLOCK), "late")
    late.poll()
    assert (root / "log/000000.pack").exists()
    real = failing_once(monkeypatch, "pread", ".pack")
    assert body_of(late, key(10)) == b"10"
    assert os.pread is real


def test_what_one_cannot_read_is_no_damage_for_all(root, monkeypatch):
    anna = JournalStore(FileLog(root), "anna")
    publish(anna, A)
    publish(anna, B, since=0)
    place = anna._log._path(anna.find(A).position)
    late = JournalStore(FileLog(root), "late")
    with monkeypatch.context() as patch:
        failing_open(patch, errno.EIO, times=99, where=place)
        with pytest.raises(UnavailableError, match="input/output error"):
            late.poll()
    late.poll()
    assert set(late.keys()) == {A, B}
    assert late.upkeep.damaged() == []


def test_a_passing_error_neither_revives_nor_loses_anything(root, monkeypatch):
    anna, bert = (JournalStore(FileLog(root, block=10), w) for w in ("anna", "bert"))
    publish(anna, A, body=b"old")
    position = anna.discard([A], reason="wrong")
    publish(anna, A, body=b"new")
    with monkeypatch.context() as patch:
        failing_open(patch, errno.EIO, times=99, where=anna._log._path(position))
        with pytest.raises(UnavailableError):
            publish(bert, B)
    number = 10
    while bert.position < 12:  # bert fills the block and merges it
        publish(bert, key(number), since=0)
        number += 1
    assert (root / "log/000000.pack").exists()
    for store in (anna, bert, JournalStore(FileLog(root), "late")):
        store.poll()
        assert body_of(store, A) == b"new"


def test_what_nobody_may_read_is_no_damage(root, monkeypatch):
    publish(JournalStore(FileLog(root), "anna"), A)
    late = JournalStore(FileLog(root), "late")
    failing_open(monkeypatch, errno.EACCES, times=99)
    with pytest.raises(UnavailableError, match="permission denied"):
        late.poll()


def test_a_gap_after_a_power_cut_is_told_and_what_follows_counts(root):
    anna = JournalStore(FileLog(root), "anna")
    for number in range(3):
        publish(anna, key(number), since=0)
    Path(anna._log._path(1)).unlink()
    late = JournalStore(FileLog(root), "late")
    late.poll()
    assert set(late.keys()) == {key(0), key(2)}
    assert "gone" in late.upkeep.damaged()[0].why
    assert late.claim([key(1), key(2)]).keys == [key(1)]
    assert late.upkeep.mend() == 1
    assert JournalStore(FileLog(root), "again").upkeep.damaged() == []
    assert answers(JournalStore(FileLog(root), "later")) == answers(late)


def test_a_claim_that_a_power_cut_emptied_is_no_claim(root):
    anna = JournalStore(FileLog(root), "anna")
    anna.claim([A])
    Path(anna._log._path(0)).write_bytes(b"")
    assert list(JournalStore(FileLog(root), "late").claim([A]).keys) == [A]


@pytest.mark.parametrize("gone", ["", "log/000000"])
def test_a_store_that_is_removed_meanwhile_ends_in_a_sentence(root, gone):
    store = JournalStore(FileLog(root), "anna")
    publish(store, A)
    (root / gone).rename(root.parent / "away")
    with pytest.raises(UnavailableError, match="start again"):
        store.claim([B])


def test_a_blob_that_was_replaced_while_it_was_opened_is_opened_anew(root, monkeypatch):
    blobs = open_backend(str(root), worker="anna").blobs
    blobs.write("ab/cd.npy", [b"whole"])
    real = failing_once(monkeypatch, "fstat", "/blobs/")
    assert bytes(blobs.open("ab/cd.npy")) == b"whole"
    assert os.fstat is real
