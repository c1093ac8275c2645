"""Stores are opened, made, refused."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from backends import FormatError, NoStoreError, OpenError, UnavailableError
from backends.filesystem.file_log import FileLog
from backends.filesystem.format import VERSION
from backends.opening import open_backend
from backends.store import JournalStore
from backends.testing.deeds import A, body_of, publish


@pytest.fixture
def root(tmp_path):
    return tmp_path / "store"


def make(root, **how):
    log = FileLog(root, **how)
    log.documents.put("made", b"")
    return log


def test_a_store_is_made_when_something_is_written_to_it(root):
    store = JournalStore(FileLog(root), "anna")
    store.poll()
    store.wait(0.0)
    assert [*store.members.all(), *store.documents.names(), *store.blobs.all()] == []
    assert store.space.leftovers(0.0) == []
    assert store.documents.get("d") is None
    assert (store.space.size(), store.space.empty_trash(0.0)) == (0, 0)
    assert (store.blobs.age("ab/cd"), store.upkeep.compact()) == (0.0, 0)
    assert store.discard([A], reason="none") is None
    store.release([A])
    store.members.leave("anna")
    assert not root.exists()

    assert publish(store, A) == 1

    assert body_of(JournalStore(FileLog(root, create=False), "bert"), A) == b"x"


def test_a_store_that_somebody_else_makes_is_found_by_those_who_wait_for_it(root):
    early = JournalStore(FileLog(root, block=5), "early")
    early.poll()
    publish(JournalStore(FileLog(root, block=7), "anna"), A)
    assert len(early.poll()) == 1
    assert early._log.block_size == 7


def test_a_store_can_be_made_before_anything_is_written(root):
    store = JournalStore(FileLog(root), "anna")
    store.make()
    store.make()
    assert JournalStore(FileLog(root, create=False), "bert").poll() == []


@pytest.mark.parametrize("deed", ["make", "beat", "claim", "blob"])
def test_a_store_that_cannot_be_made_ends_in_a_sentence(root, monkeypatch, deed):
    store = JournalStore(FileLog(root), "anna")
    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(UnavailableError, match="quota is used up"):
        {
            "make": store.make,
            "beat": lambda: store.members.beat("anna", {}),
            "claim": lambda: store.claim([A]),
            "blob": lambda: store.blobs.write("ab/cd", [b"x"]),
        }[deed]()


def refuse(*_what, **_how):
    raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))


def test_two_make_the_same_store(root, monkeypatch):
    link, made = os.link, []

    def late(staged, path):
        if not made and path.endswith("format.json"):
            made.append(None)
            make(root, block=7)
        link(staged, path)

    monkeypatch.setattr(os, "link", late)
    assert make(root, block=5).block_size == 7
    assert list((root / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("version", "advice"),
    [(VERSION - 1, "release that wrote it"), (VERSION + 1, "install a newer")],
)
def test_another_format_is_refused_with_advice(root, version, advice):
    make(root)
    about = {"format": "taskgraph store", "version": version}
    (root / "format.json").write_text(json.dumps(about))
    with pytest.raises(FormatError, match=f"format {version}.*{advice}"):
        FileLog(root)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "taskgraph store"}'])
def test_a_damaged_format_says_how_to_mend_it(root, text):
    make(root)
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
    with pytest.raises(NoStoreError, match="no store"):
        FileLog(root, create=False)
    assert not root.exists()


def test_staged_files_of_the_long_dead_are_collected(root):
    log = FileLog(root)
    old, new = log.stage([b"x" * 7], durable=False), log.stage([b"y"], durable=False)
    os.utime(old, (1, 1))
    assert log.space.empty_trash(0) == 7
    assert [str(path) for path in (root / "tmp").iterdir()] == [new]


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("gopher://host:70", "no backend for 'gopher'; give a directory, file:///"),
        ("Gopher:host", "no backend for 'gopher'"),
        ("a:b", r"no backend for 'a'; .* or s3://bucket \(./a:b if a directory"),
        ("memory://shared", "in memory has no name"),
        ("file:store", "takes a whole path, as in file:///data/store"),
        ("file://store", "takes a whole path"),
        ("file://", "takes a whole path"),
        ("", "has no name; give a directory"),
        ("dict_store", r"in memory is memory:// \(./dict_store if a directory"),
        ("dict_store:kept", "no backend for 'dict_store'"),
        ("file_keepalive:kept", "no backend for 'file_keepalive'"),
        ("%(date)s", "nothing is filled in; write the whole name"),
    ],
)
def test_a_url_of_nothing_that_exists_makes_no_folder(
    tmp_path, monkeypatch, url, sentence
):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(OpenError, match=sentence) as refusal:
        open_backend(url).make()

    assert not isinstance(refusal.value, NoStoreError)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("./a:b", "a:b"),
        (Path("a:b"), "a:b"),
        ("in/a:b", "in/a:b"),
        ("./~root", "~root"),
        ("~nobody-at-all/store", "~nobody-at-all/store"),
        ("2026-11-21T10:00", "2026-11-21T10:00"),
        ("file://{}/a", "a"),
        ("file:{}/a", "a"),
        ("FILE://{}/a", "a"),
    ],
)
def test_a_directory_may_have_a_colon_or_a_url(tmp_path, monkeypatch, url, place):
    monkeypatch.chdir(tmp_path)

    open_backend(url.format(tmp_path) if isinstance(url, str) else url).make()

    assert (tmp_path / place / "format.json").is_file()


@pytest.mark.parametrize("url", ["memory:", "memory://"])
def test_a_store_in_memory_has_two_spellings(url):
    assert not open_backend(url).shared
