"""A stored result that was changed is noticed, reported and computed again."""

from __future__ import annotations

import pytest

from backends.opening import open_backend
from backends.segment import HEADER_SIZE

from ..rough import tg, value_of

JOB = """
import os
import numpy
from taskgraph import TaskGenerator

def ran(name):
    with open("ran", "a") as file:
        file.write(name + chr(10))

@TaskGenerator
def small(number):
    ran("small")
    return number

@TaskGenerator
def large(number):
    ran("large")
    return {"array": numpy.random.default_rng(number).integers(0, 1 << 30, 50_000)}

@TaskGenerator
def total(number, result):
    ran("total")
    return number + int(result["array"][0])

one, two = small(7), large(7)
result = total(one, two)
"""


@pytest.fixture
def folder(tmp_path):
    """Return a folder where all but the last task are done."""
    (tmp_path / "job.py").write_text(JOB)
    tg(tmp_path, "execute", "job.py", "-q", "--name", "small", "--name", "large")
    (tmp_path / "ran").unlink()
    return tmp_path


def answer():
    import numpy

    numbers = numpy.random.default_rng(7).integers(0, 1 << 30, 50_000)
    return 7 + int(numbers[0])


def empty(data, head):
    return b""


def truncate(data, head):
    return data[: len(data) // 2]


def cut_last(data, head):
    return data[:-1]


def flip_head(data, head):
    return flip(data, HEADER_SIZE + head // 2)


def flip_length(data, head):
    return flip(data, 5)


def flip_body(data, head):
    return flip(data, len(data) - 3)


def flip(data, place):
    return data[:place] + bytes([data[place] ^ 16]) + data[place + 1 :]


def segments(folder):
    """Return the files of all segments that hold records."""
    backend = open_backend(folder / "job.tgdata", create=False)
    backend.poll()
    places = {backend.find(key).position for key in list(backend.keys())}
    log = folder / "job.tgdata" / "log" / "000000"
    return [log / f"{place:03d}" for place in places]


def spoil(paths, how):
    assert paths
    for path in paths:
        data = path.read_bytes()
        path.write_bytes(how(data, int.from_bytes(data[4:8], "little")))


SPOILT = [empty, truncate, cut_last, flip_head, flip_length, flip_body]


@pytest.mark.parametrize("how", SPOILT)
def test_a_damaged_segment_is_computed_again(folder, how):
    spoil(segments(folder), how)
    done = tg(folder, "execute", "job.py", "-q")
    assert value_of(folder) == answer()
    assert sorted((folder / "ran").read_text().split()) == ["large", "small", "total"]
    if how is not flip_body:
        assert "damaged" in done.stderr


@pytest.mark.parametrize("how", [empty, truncate, cut_last, flip_body])
def test_a_damaged_blob_is_computed_again(folder, how):
    blobs = list((folder / "job.tgdata" / "blobs").glob("*/*"))
    spoil(blobs, how)
    tg(folder, "execute", "job.py", "-q")
    assert value_of(folder) == answer()
    assert sorted((folder / "ran").read_text().split()) == ["large", "total"]


def test_a_lost_blob_is_computed_again(folder):
    for path in (folder / "job.tgdata" / "blobs").glob("*/*"):
        path.unlink()
    tg(folder, "execute", "job.py", "-q")
    assert value_of(folder) == answer()


def test_damage_is_told_and_never_handed_on(folder):
    tg(folder, "execute", "job.py", "-q")
    spoil(segments(folder), flip_body)
    said = tg(folder, "value", "job.py", "total", code=4).stderr
    assert "is damaged" in said
    assert "run `tg fsck job.py --repair`, then `tg execute job.py` computes it" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("how", [empty, flip_head, flip_body])
def test_fsck_mends_so_that_the_next_run_ends_well(folder, how):
    tg(folder, "execute", "job.py", "-q")
    spoil(segments(folder), how)
    assert tg(folder, "fsck", "job.py", code=None).returncode == 1
    tg(folder, "fsck", "job.py", "--repair", code=None)
    tg(folder, "execute", "job.py", "-q")
    tg(folder, "fsck", "job.py")
    assert value_of(folder) == answer()
