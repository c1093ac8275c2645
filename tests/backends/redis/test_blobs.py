"""Large values in Redis: whole or not at all, whoever is killed when."""

import os
from itertools import pairwise

import numpy as np
import pytest

from backends import DamagedError
from backends.opening import open_backend
from backends.redis import blobs as module
from backends.testing.deeds import A
from taskgraph.results.results import Results


@pytest.fixture
def backend(server, store):
    return open_backend(server.url(store))


def keys(server, store, what):
    with server.client() as client:
        return sorted(client.scan_iter(f"{{taskgraph:{store}}}:{what}:*"))


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 12288, 30000])
@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_chunks_of_any_size_come_back(backend, monkeypatch, size, pieces):
    monkeypatch.setattr(module, "CHUNK", 4096)
    data = os.urandom(size)
    cuts = [size * n // pieces for n in range(pieces + 1)]
    chunks = [data[a:b] for a, b in pairwise(cuts)]
    assert backend.blobs.write("ab/cd", chunks) == size
    assert bytes(backend.blobs.open("ab/cd")) == data
    assert list(backend.blobs.all()) == [("ab/cd", size)]
    assert backend.space.leftovers(-1) == []


def test_arrays_are_written_as_they_lie_in_memory(backend):
    array = np.arange(1 << 19, dtype=np.float64)
    backend.blobs.write("ab/cd", [b"head", memoryview(array)])
    assert np.array_equal(np.frombuffer(backend.blobs.open("ab/cd")[4:]), array)


def test_who_is_killed_while_writing_leaves_what_is_collected(
    backend, server, store, monkeypatch
):
    monkeypatch.setattr(module, "CHUNK", 4096)

    def chunks():
        yield os.urandom(9000)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backend.blobs.write("ab/cd", chunks())
    with pytest.raises(DamagedError, match="gone"):
        backend.blobs.open("ab/cd")
    assert len(keys(server, store, "chunk")) == 1
    assert backend.space.leftovers(3600.0) == []
    assert len(backend.space.leftovers(-1, remove=True)) == 1
    assert keys(server, store, "chunk") == backend.space.leftovers(-1) == []


def test_a_name_that_is_written_again_has_the_last_content_and_nothing_else(
    backend, server, store
):
    for content in (b"first" * 500_000, b"second" * 500_000):
        backend.blobs.write("ab/cd", [content])
    assert bytes(backend.blobs.open("ab/cd")) == b"second" * 500_000
    assert len(keys(server, store, "chunk")) == 6


def test_a_blob_without_one_of_its_chunks_is_damaged(backend, server, store):
    backend.blobs.write("ab/cd", [bytes(3 << 20)])
    chunk, *_ = keys(server, store, "chunk")
    with server.client() as client:
        client.delete(chunk)
    with pytest.raises(DamagedError, match="a part of it is gone"):
        backend.blobs.open("ab/cd")


@pytest.mark.parametrize(
    "text", ["", "x", "1 t -5 1", "1 t 5 0", "1 t 5", "1 ../t 5 5", "a t 5 5"]
)
def test_what_no_worker_would_say_of_a_blob_is_damage(backend, server, store, text):
    backend.blobs.write("ab/cd", [b"data"])
    with server.client() as client:
        client.hset(f"{{taskgraph:{store}}}:blobs", "ab/cd", text)
        client.hset(f"{{taskgraph:{store}}}:blobs", "../x", "1 t 5 5")
        client.hset(f"{{taskgraph:{store}}}:trash", f"ab/cd {text}", "1")
        client.hset(f"{{taskgraph:{store}}}:staged", "../x", text)
        client.sadd(f"{{taskgraph:{store}}}:workers", "anna", "../x")
        client.set(f"{{taskgraph:{store}}}:worker:anna", text)
        client.set(f"{{taskgraph:{store}}}:worker:../x", "5 {}")
    with pytest.raises(DamagedError):
        backend.blobs.open("ab/cd")
    assert list(backend.blobs.all()) == []
    assert backend.space.leftovers(0, remove=True) == []
    assert backend.space.empty_trash(0) == 0
    assert backend.members.names() <= {"anna"}
    assert {member.worker for member in backend.members.all()} <= {"anna"}


def test_the_trash_takes_memory_until_it_is_emptied(backend, server, store):
    backend.blobs.write("ab/cd", [bytes(3 << 20)])
    backend.blobs.trash("ab/cd")
    assert backend.space.size() >= 3 << 20
    assert backend.space.empty_trash(3600) == 0
    assert backend.space.empty_trash(0) == 3 << 20
    assert backend.space.size() < 1 << 20
    assert keys(server, store, "chunk") == []


def test_large_results_may_lie_in_a_folder(server, store, tmp_path):
    results = Results(open_backend(server.url(store, f"&blobs={tmp_path}/large")))
    array = np.random.default_rng(0).random(1 << 18)
    found = results.decode(results.encode(array, A), A)
    assert np.array_equal(found, array)
    (place,) = (tmp_path / "large").iterdir()
    assert sum(x.stat().st_size for x in place.rglob("*.npy")) > array.nbytes
    assert keys(server, store, "chunk") == []


def test_a_folder_of_large_results_is_no_store_of_its_own(server, store, tmp_path):
    backend = open_backend(server.url(store, f"&blobs={tmp_path}"))
    backend.blobs.write("ab/cd", [b"x"])
    (place,) = tmp_path.iterdir()
    with pytest.raises(Exception, match="is not a taskgraph store"):
        open_backend(place).poll()


@pytest.mark.parametrize("name", ["../x", "ab", "/etc/passwd", "ab/c d"])
def test_names_of_blobs_are_checked(backend, name):
    with pytest.raises(DamagedError):
        backend.blobs.write(name, [b"x"])
    with pytest.raises(DamagedError):
        backend.blobs.open(name)
