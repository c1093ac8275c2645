"""A stranger's records, right in every checksum, are read or refused, and no more."""

import copy
import random
from contextlib import suppress

import msgpack
import pytest

from backends.errors import BackendError
from backends.interface import Inputs, Row
from taskgraph import open_store
from taskgraph.compression import zstd
from taskgraph.errors import TaskgraphError
from taskgraph.records import Body, Failure
from taskgraph.results.batch import Batch
from taskgraph.results.codec import blob_refs, stored_size
from taskgraph.upkeep.checking import check

KEYS = [bytes([number]) * 20 for number in range(3)]
STRANGE = [
    None, True, -1, 1 << 60, 1.5, float("nan"), "", "x", "\x1b[2J", b"", b"\xff", [],
    [1],
    [[]], {}, {"a": 1}, {5: None}, [None] * 3, ["../x", False, 0, 9, 9], 1 << 40,
]  # fmt: skip


def batch():
    found = Batch()
    about = ("1, 2", 1.0, 2.0, 3.0, 4)
    blob = msgpack.packb([[("ab/cd-0.npy", False, 128, 99, 7)], b"\xc1\x90"])
    found.add(KEYS[0], b"P\xc1\x01", ("job.f", "abc"), about, output="said")
    found.add(KEYS[1], b"B" + blob, ("job.g", "abd"), about, attempt=2)
    found.add(KEYS[2], Failure("exception", "E", "m", "t"), ("job.f", "abc"), about)
    return found


def parts():
    context = {"host": "h", "packages": {"a": "1"}, "git": {"commit": "c", "dirty": 0}}
    version, packed, sizes, payloads = msgpack.unpackb(batch().encode(context))
    meta = msgpack.unpackb(zstd.decompress(packed), strict_map_key=False)
    return [version, meta, sizes, payloads]


def places(node, path=()):
    """Return the ways to all that is in nested lists and dicts."""
    yield path
    inner = node.items() if isinstance(node, dict) else []
    inner = enumerate(node) if isinstance(node, list) else inner
    for name, each in inner:
        yield from places(each, (*path, name))


def changed(rng):
    tree = copy.deepcopy(parts())
    for _ in range(rng.randrange(1, 3)):
        path = rng.choice([path for path in places(tree) if len(path) > 1 or path])
        node = tree
        try:
            for name in path[:-1]:
                node = node[name]
            node[path[-1]] = rng.choice(STRANGE)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took it away
    version, meta, sizes, payloads = tree
    packed = zstd.compress(msgpack.packb(meta), 1)
    return msgpack.packb([version, packed, sizes, payloads])


def look_at_all(results):
    list(results.codes(KEYS))
    results.makers(1)
    for key in KEYS:
        record = results.record(key)
        if record is not None and record.failure is None:
            stored_size(record.payload)
            blob_refs(record.payload)
            results.load(key)
    body = results.body(results.backend.find(KEYS[0]).position)
    for name in ("function", "cpu", "wall"):
        body.column(name)


@pytest.mark.parametrize("seed", range(150))
def test_whatever_a_body_says_it_is_read_or_refused(seed):
    results = open_store("memory://")
    backend = results.backend
    token = backend.claim(KEYS).token
    rows = bytes([Row.RESULT, Row.RESULT, Row.FAILURE])
    body = changed(random.Random(seed))
    assert backend.publish(KEYS, rows, body, since=token) == 3
    with suppress(BackendError, TaskgraphError):  # and nothing else is raised
        look_at_all(results)
    list(check(results))  # one fault or many, and no exception


def test_what_is_not_changed_is_read():
    version, meta, sizes, payloads = parts()
    data = msgpack.packb([version, zstd.compress(msgpack.packb(meta)), sizes, payloads])
    body = Body(data, b"".join(KEYS))
    assert body.record(0, failed=False).output == "said"
    assert body.record(2, failed=True).failure.message == "m"
    for row, failed in enumerate([False, False, True]):
        whole = body.record(row, failed=failed)
        assert Body(data, b"".join(KEYS)).codes()[row] == whole.code


def test_a_record_s_inputs_are_never_left_out_without_a_word():
    found = Batch()
    about = ("", 1.0, 2.0, 3.0, 4)
    found.add(KEYS[0], b"", ("job.f", ""), about, inputs=Inputs(0, (KEYS[1],)))
    with pytest.raises(LookupError, match="pass `places`"):
        found.encode({})


def test_what_records_were_made_of_is_told_of_each_though_worked_out_once():
    found, shared = Batch(), (KEYS[1], KEYS[2])
    about = ("", 1.0, 2.0, 3.0, 4)
    needs = [shared, shared, (), shared, (KEYS[1],)]
    keys = [b"a" * 20, b"b" * 20, KEYS[2], b"c" * 20, b"d" * 20]
    for key, need in zip(keys, needs, strict=True):
        found.add(key, b"", ("job.f", ""), about, inputs=Inputs(0, need))
    stored = {KEYS[1]: (3, 4), KEYS[2]: (5, 6)}

    def places(keys):
        return [number for key in keys for number in stored[key]]

    body = Body(found.encode({}, places), b"".join(keys))
    before, after = [(3, 4), (5, 6)], [(3, 4), (9, 2)]
    told = [body.inputs(row, 9) for row in range(len(keys))]
    assert told == [before, before, [], after, [(3, 4)]]
