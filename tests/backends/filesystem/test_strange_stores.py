"""A store from a stranger, or one that somebody meddled with, harms nobody."""

import os
import shutil
import socket
from pathlib import Path

import pytest

from backends.errors import BackendError, DamagedError, OpenError
from backends.filesystem.document_folder import DocumentFolder
from backends.filesystem.packs import NewPack
from backends.interface import Cause, Kind, Row, Segment
from backends.liveness import alive_here, worker_identity
from backends.opening import open_backend
from backends.segment import decode_head, encode_frame
from backends.warning import warnings_told

ELSEWHERE = ["../../victim/thesis.txt", "../workers/../../victim/thesis.txt", ""]
KEY = b"k" * 20


@pytest.fixture
def thesis(tmp_path):
    path = tmp_path / "victim" / "thesis.txt"
    path.parent.mkdir()
    path.write_text("precious")
    os.utime(path, (1, 1))  # old enough for every kind of tidying
    return path


@pytest.fixture
def store(tmp_path):
    """Return the folder of a store in which one key has a record."""
    root = tmp_path / "place" / "store"
    backend = open_backend(root, worker="anna")
    claim = backend.claim([KEY])
    backend.publish([KEY], bytes([Row.RESULT]), b"body", since=claim.token)
    return root


def opened(root):
    """Open a store; return it with what was warned of."""
    told = []
    backend = open_backend(root, create=False, worker="bert")
    with warnings_told(told.append):
        backend.poll()
    return backend, told


@pytest.mark.parametrize(
    "name", [*ELSEWHERE[:2], "/etc/passwd", "..", "\x1b[2J", "x" * 300]
)
def test_a_worker_s_name_from_a_segment_leads_nowhere(store, thesis, name):
    open_backend(store, worker=name).claim([b"j" * 20])

    backend, told = opened(store)

    assert backend.locks() == []
    assert "it names a worker as no worker is called" in told[0]
    assert "\x1b" not in told[0]
    with pytest.raises(DamagedError, match="is no worker's name"):
        backend.members.leave(name)
    assert thesis.read_text() == "precious"


def test_nor_does_the_name_of_one_that_is_expelled(store):
    backend = open_backend(store, worker="evil")
    backend.claim([b"j" * 20])
    segment = Segment(Kind.EXPEL, "evil", 0.0, about="../x", number=Cause.LOST)
    with pytest.raises(DamagedError, match="as no worker is called"):
        decode_head(b"".join(encode_frame(segment)), "segment 1")


@pytest.mark.parametrize("name", [*ELSEWHERE, "ab/../../../victim/thesis.txt", "/ab"])
@pytest.mark.parametrize("deed", ["open", "trash", "age"])
def test_a_blob_s_name_leads_nowhere(store, thesis, name, deed):
    backend, _ = opened(store)
    with pytest.raises(DamagedError, match="no blob has such a name"):
        getattr(backend.blobs, deed)(name)
    with pytest.raises(DamagedError, match="no blob has such a name"):
        backend.blobs.write(name, [b"x"])
    assert thesis.read_text() == "precious"


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_document_s_name_leads_nowhere(store, name):
    backend, _ = opened(store)
    with pytest.raises(DamagedError, match="is no document's name"):
        backend.documents.get(name)
    with pytest.raises(DamagedError, match="is no document's name"):
        backend.documents.put(name, b"x")


@pytest.mark.parametrize(
    "folder", ["log", "blobs", "workers", "documents", "tmp", "trash"]
)
def test_a_folder_that_lies_elsewhere_is_refused(store, thesis, folder):
    place = store / folder
    place.rename(store.parent / f"former-{folder}")
    place.symlink_to(thesis.parent)
    with pytest.raises(OpenError, match="is a link to somewhere else"):
        open_backend(store, create=False).poll()


def test_blobs_that_lie_elsewhere_are_not_ours(store, thesis):
    (store / "blobs" / "ab").symlink_to(thesis.parent)
    (store / "blobs" / "cd").mkdir()
    (store / "blobs" / "cd" / "one.npy").symlink_to(thesis)
    backend, _ = opened(store)

    assert list(backend.blobs.all()) == []
    with pytest.raises(DamagedError, match="a link to somewhere else"):
        backend.blobs.trash("ab/thesis.txt")
    assert thesis.read_text() == "precious"


def test_emptying_the_trash_follows_no_links(store, thesis):
    for folder in ("trash", "tmp"):
        (store / folder / "1-ab-link").symlink_to(thesis.parent)
        os.utime(store / folder / "1-ab-link", (1, 1), follow_symlinks=False)
    backend, _ = opened(store)
    backend.space.leftovers(0.0, remove=True)
    backend.space.empty_trash(0.0)
    assert list((store / "trash").iterdir()) == list((store / "tmp").iterdir()) == []
    assert thesis.read_text() == "precious"


STRANGE = [
    Segment(Kind.CLAIM, "anna", float("nan"), KEY),
    Segment(Kind.CLAIM, "anna", 1e300, KEY),
    Segment(Kind.PUBLISH, "anna", 0.0, KEY, b""),
    Segment(Kind.PUBLISH, "anna", 0.0, KEY, b"\x09"),
    Segment(Kind.EXPEL, "anna", 0.0, KEY, about="bert", number=77),
    Segment(Kind.CLAIM, 7, 0.0, KEY),
    Segment(Kind.CLAIM, "anna", "now", KEY),
    Segment(Kind.CLAIM, "anna", 0.0, 3),
    Segment(99, "anna", 0.0, KEY),
]


@pytest.mark.parametrize("segment", STRANGE, ids=str)
def test_what_no_worker_would_write_is_damage(segment):
    with pytest.raises(DamagedError, match="is damaged"):
        decode_head(b"".join(encode_frame(segment)), "segment 1")


@pytest.mark.parametrize(
    "head", [b"", b"\xc0", b"\x93\x00\x01\x02", b"\xff", b"\xdf" * 9]
)
def test_so_is_a_head_of_another_shape(head):
    from backends.segment import _CHECK, _HEADER, MAGIC, xxh3_64_intdigest

    sums = xxh3_64_intdigest(head), xxh3_64_intdigest(b"")
    header = _HEADER.pack(MAGIC, len(head), 0, *sums)
    frame = header + _CHECK.pack(xxh3_64_intdigest(header)) + head
    with pytest.raises(DamagedError, match="is damaged"):
        decode_head(frame, "segment 1")


def make_pipe(path):
    os.mkfifo(path)


def make_socket(path):
    own = Path.cwd()  # names of sockets are short
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
    finally:
        os.chdir(own)


def make_folder(path):
    path.mkdir()


def make_link(path):
    path.symlink_to("nowhere")


NO_FILES = [make_pipe, make_socket, make_folder, make_link]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("make", NO_FILES)
@pytest.mark.parametrize("name", ["log/000000/001", "blobs/ab/cd.npy", "documents/d"])
def test_what_is_no_file_is_damage_and_nobody_waits_for_it(store, make, name):
    path = store / name
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    make(path)

    backend, told = opened(store)

    if name.startswith("log"):
        assert "log/000000/001 is damaged" in told[0]
    else:
        part = backend.blobs.open if "blobs" in name else backend.documents.get
        with pytest.raises(DamagedError):
            part(name.split("/", 1)[1])


@pytest.mark.timeout(20)
@pytest.mark.parametrize("make", NO_FILES)
def test_nor_is_it_a_worker(store, make):
    make(store / "workers" / "carl")
    backend, _ = opened(store)
    backend.members.beat("bert", {"host": "here"})
    assert [m.worker for m in backend.members.all() if m.identity] == ["bert"]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("make", NO_FILES)
def test_what_is_no_file_at_the_end_of_the_journal_is_written_behind(store, make):
    last = max((store / "log" / "000000").iterdir())
    last.unlink()
    make(last)

    backend, _ = opened(store)
    assert backend.claim([b"j" * 20]).keys == [b"j" * 20]

    again, _ = opened(store)
    assert b"j" * 20 in [lock.key for lock in again.locks()]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", ["999999", "0021", "21", "٠٢١", "1000"])
def test_a_foreign_file_with_a_number_for_a_name_is_no_segment(store, name):
    (store / "log" / "000000" / name).write_text("hello")
    (store / "log" / f"0{name}.pack").write_text("hello")
    backend, told = opened(store)
    end = backend.position
    assert told == []
    assert backend.claim([b"j" * 20]).token == end
    assert backend.upkeep.damaged() == []


@pytest.mark.timeout(20)
def test_of_many_lost_segments_the_copies_are_looked_for_once(store, monkeypatch):
    last = max((store / "log" / "000000").iterdir())
    last.rename(last.with_name("999"))
    listed = []
    names = DocumentFolder.names
    monkeypatch.setattr(
        DocumentFolder, "names", lambda own: listed.append(own) or names(own)
    )
    backend, told = opened(store)
    assert "gone, though later ones are there" in told[0]
    assert backend.position == 1000
    assert len(listed) < 10


@pytest.mark.parametrize("folder", ["tmp", "workers", "documents", "blobs", "trash"])
def test_a_folder_that_was_removed_is_made_again(store, folder):
    backend, _ = opened(store)
    for path in (store / folder).iterdir():
        path.unlink()
    (store / folder).rmdir()

    backend.claim([b"j" * 20])
    backend.members.beat("bert", {"host": "here"})
    backend.documents.put("d", b"text")
    backend.blobs.write("ab/cd", [b"x"])
    backend.blobs.trash("ab/cd")

    assert [m.worker for m in backend.members.all()] == ["bert"]
    assert backend.documents.get("d") == b"text"
    assert [lock.worker for lock in backend.locks()] == ["bert"]


def test_a_store_that_was_moved_away_is_not_made_again(store):
    backend, _ = opened(store)
    store.rename(store.parent / "moved")
    with pytest.raises(BackendError, match="removed meanwhile"):
        backend.documents.put("d", b"text")
    assert not store.exists()


def test_a_merged_block_that_became_a_folder_is_damage_and_mended(tmp_path):
    from backends.filesystem.file_log import FileLog
    from backends.store import JournalStore

    root = tmp_path / "store"
    backend = JournalStore(FileLog(root, block=4), "anna")
    for number in range(6):
        backend.claim([bytes([number]) * 20])
    pack = root / "log" / "000000.pack"
    pack.unlink()
    pack.mkdir()

    mender, told = opened(root)
    assert "000000.pack is damaged" in told[0]
    with warnings_told(told.append):
        mender.upkeep.mend()

    again, told = opened(root)
    assert (told, len(again.locks())) == ([], 2)


def test_an_error_at_the_format_is_a_sentence(store, monkeypatch):
    import backends.filesystem.directory as directory

    def refuse(path):
        raise OSError(12, "Cannot allocate memory", path)

    monkeypatch.setattr(directory, "read_file", refuse)
    with pytest.raises(
        BackendError, match=r"cannot open the store .*: Cannot allocate"
    ):
        open_backend(store, create=False).poll()


@pytest.mark.parametrize(("mask", "mode"), [(0o077, 0o600), (0o022, 0o644), (0, 0o666)])
def test_permissions_follow_the_umask(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        backend = open_backend(tmp_path / "store", worker="anna")
        claim = backend.claim([KEY])
        backend.publish([KEY], bytes([Row.RESULT]), b"body", since=claim.token)
        backend.blobs.write("ab/cd", [b"x"])
        backend.documents.put("d", b"text")
        backend.members.beat("anna", {})
        backend.blobs.trash("ab/cd")
    finally:
        os.umask(before)
    paths = [tmp_path / "store", *(tmp_path / "store").rglob("*")]
    assert {p.stat().st_mode & 0o777 for p in paths if p.is_file()} == {mode}
    folders = {p.stat().st_mode & 0o777 for p in paths if p.is_dir()}
    assert folders == {0o777 & ~mask}
    assert backend.space.open_to_all() == (mask == 0)


@pytest.mark.parametrize("folder", ["", "log", "blobs"])
def test_a_folder_that_everybody_may_write_to_is_seen(store, folder):
    backend, _ = opened(store)
    assert not backend.space.open_to_all()
    (store / folder).chmod(0o777)
    assert backend.space.open_to_all()


def test_in_a_copy_of_a_store_a_living_process_proves_nothing(tmp_path):
    backend = open_backend(tmp_path / "store", worker="anna")
    about = worker_identity(os.getpid(), 120.0)
    backend.members.beat("anna", about)
    shutil.copytree(tmp_path / "store", tmp_path / "copy")
    (tmp_path / "store").rename(tmp_path / "moved")

    (here,) = open_backend(tmp_path / "moved").members.all()
    (there,) = open_backend(tmp_path / "copy").members.all()

    assert here.identity == about
    assert alive_here(here.identity)
    assert alive_here(there.identity) is None


@pytest.mark.timeout(20)
@pytest.mark.parametrize("block", [1, 900, 999999])
@pytest.mark.parametrize("content", ["foreign", "cut", "hello"])
def test_a_foreign_pack_by_a_later_name_is_no_end_far_away(store, block, content):
    frame = b"".join(encode_frame(Segment(Kind.VOID, "", 0.0)))
    pack = b"".join(NewPack([7], lambda _: frame).chunks())
    data = {"foreign": pack, "cut": pack[:30], "hello": b"hello"}[content]
    (store / "log" / f"{block:06d}.pack").write_bytes(data)

    backend, told = opened(store)
    end = backend.position

    assert told == []
    assert backend.claim([b"j" * 20]).token == end
    assert backend.upkeep.mend() == 0
    assert opened(store)[0].position == end + 1
