"""Whatever happens to a store, no wrong value is handed on, and what is lost is said.

Stores with a history (results, an invalidation, results anew, merged blocks) are
damaged by chance and then used. Functions return what their version says, so a result
that was forgotten can be told from the one that took its place.
"""

from __future__ import annotations

import os
import random
import shutil
from contextlib import suppress

import pytest

from backends.errors import DamagedError
from backends.filesystem.file_log import FileLog
from taskgraph import open_store
from taskgraph.tasks.jugfile import Jugfile

from ..forking_tg import call_tg

COUNT = 5
JOB = """
from pathlib import Path

import numpy
from taskgraph import TaskGenerator

HERE = Path(__file__).resolve().parent
VERSION = int((HERE / "version").read_text())

def ran(name):
    with open(HERE / "ran", "a") as file:
        file.write(name + chr(10))

@TaskGenerator
def small(number):
    ran("small")
    return VERSION * 1000 + number

@TaskGenerator
def large(number):
    ran("large")
    return numpy.random.default_rng(VERSION * 1000 + number).random(6000)

@TaskGenerator
def both(one, two):
    ran("both")
    return [3 * one, float(two.sum())]

@TaskGenerator
def total(pairs):
    ran("total")
    return sum(one for one, _ in pairs)

pairs = [(small(i), large(i)) for i in range(COUNT)]
boths = [both(*pair) for pair in pairs]
result = total(boths)
""".replace("COUNT", str(COUNT))


def call(folder, *arguments):
    """Run `tg` in a folder; return its exit code and what it said."""
    code, text = call_tg(folder, *arguments)
    assert "Traceback" not in text, f"tg {' '.join(arguments)}\n{text}"
    assert code in {0, 1, 4}, f"{code} of tg {' '.join(arguments)}\n{text}"
    return code, text


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """Return a folder with a store that has a history, and copies of earlier times."""
    folder = tmp_path_factory.mktemp("history")
    (folder / "job.py").write_text(JOB)
    FileLog(folder / "job.tgdata", block=8).make()
    copies = []
    for version in (1, 2):
        (folder / "version").write_text(str(version))
        for names in ("small|large", "."):
            call(folder, "execute", "-q", "job.py", "--pattern", names)
            copies.append(folder / f"copy-{len(copies)}")
            shutil.copytree(folder / "job.tgdata", copies[-1])
        if version == 1:
            call(folder, "invalidate", "job.py", "--yes", "--name", "small")
            call(folder, "invalidate", "job.py", "--yes", "--name", "large")
            copies.append(folder / f"copy-{len(copies)}")
            shutil.copytree(folder / "job.tgdata", copies[-1])
    (folder / "ran").unlink()
    assert len(list((folder / "job.tgdata" / "log").glob("*.pack"))) >= 2
    check(folder)
    return folder


def check(folder, *, versions=(2,), whole=True):
    """Assert that all is there, of these versions, and each of what is stored.

    What is not `whole` may have results that are damaged, and says so.
    """
    loaded = Jugfile(folder / "job.py").load(open_store(folder / "job.tgdata"))
    loaded.results.backend.poll()

    def load(key):
        try:
            return loaded.results.load(key)
        except DamagedError:
            if whole:
                raise
            raise _NoticedError from None

    for (small, large), both in zip(
        loaded.space["pairs"], loaded.space["boths"], strict=True
    ):
        with suppress(_NoticedError):
            one = load(small.key)
            assert one // 1000 in versions, one
        with suppress(_NoticedError):
            two = load(large.key)
            assert float(two[0]) in {_first(v, small.args[0]) for v in versions}
        with suppress(_NoticedError):
            assert load(both.key) == [
                3 * load(small.key),
                float(load(large.key).sum()),
            ]
    with suppress(_NoticedError):
        smalls = [load(small.key) for small, _ in loaded.space["pairs"]]
        assert load(loaded.space["result"].key) == 3 * sum(smalls)


class _NoticedError(Exception):
    """A damage was noticed, and what is damaged not handed on."""


def _first(version, number):
    import numpy

    return float(numpy.random.default_rng(version * 1000 + number).random(6000)[0])


# what happens to stores


def chosen(store, rng, pattern="*/**/*"):
    files = [p for p in sorted(store.glob(pattern)) if p.is_file()]
    return rng.choice([p for p in files if "tmp" not in p.parts])


def change(store, rng, how, pattern="*/**/*"):
    path = chosen(store, rng, pattern)
    data = bytearray(path.read_bytes())
    how(data, rng)
    path.write_bytes(data)


def flip(data, rng):
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def truncate(data, rng):
    del data[rng.randrange(len(data) + 1) :]


def blank(data, rng):
    start = rng.randrange(len(data) + 1)
    end = min(len(data), start + rng.randrange(1, 5000))
    data[start:end] = bytes(end - start)


def garbage(data, rng):
    data[:] = rng.randbytes(len(data))


def extend(data, rng):
    data += rng.randbytes(rng.randrange(1, 100))


def flip_any(store, rng, copies):
    change(store, rng, flip)


def flip_pack(store, rng, copies):
    change(store, rng, flip, "log/*.pack")


def flip_segment(store, rng, copies):
    change(store, rng, flip, "log/*/*")


def truncate_any(store, rng, copies):
    change(store, rng, truncate)


def truncate_pack(store, rng, copies):
    change(store, rng, truncate, "log/*.pack")


def blank_any(store, rng, copies):
    change(store, rng, blank)


def garbage_any(store, rng, copies):
    change(store, rng, garbage)


def extend_any(store, rng, copies):
    change(store, rng, extend)


def delete_any(store, rng, copies):
    chosen(store, rng).unlink()


def delete_pack(store, rng, copies):
    chosen(store, rng, "log/*.pack").unlink()


def delete_folder(store, rng, copies):
    shutil.rmtree(store / rng.choice(["blobs", "documents", "workers", "tmp", "trash"]))


def delete_block(store, rng, copies):
    folders = [p for p in sorted((store / "log").iterdir()) if p.is_dir()]
    shutil.rmtree(rng.choice(folders))


def swap(store, rng, copies):
    kind = rng.choice(["log/*.pack", "log/*/*", "blobs/*/*"])
    one, two = chosen(store, rng, kind), chosen(store, rng, kind)
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)


def become_a_folder(store, rng, copies):
    path = chosen(store, rng)
    path.unlink()
    path.mkdir()


def become_a_pipe(store, rng, copies):
    path = chosen(store, rng)
    path.unlink()
    os.mkfifo(path)


def lose_names(store, rng, copies):
    """A server lost the last names of the journal."""
    names = sorted((store / "log").glob("*/*")) or sorted((store / "log").iterdir())
    for path in names[-rng.randrange(1, len(names) + 1) :]:
        path.unlink()


def older_file(store, rng, copies):
    """One file is as an older copy has it."""
    copy = rng.choice(copies)
    path = chosen(copy, rng)
    target = store / path.relative_to(copy)
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.is_dir():
        shutil.copy(path, target)


def older_log(store, rng, copies):
    """The journal is as it was, and the rest as it is."""
    shutil.rmtree(store / "log")
    shutil.copytree(rng.choice(copies) / "log", store / "log")


def older_blobs(store, rng, copies):
    """The large values are those of an older time."""
    shutil.rmtree(store / "blobs")
    shutil.copytree(rng.choice(copies) / "blobs", store / "blobs")


def older_store(store, rng, copies):
    """A backup was restored."""
    shutil.rmtree(store)
    shutil.copytree(rng.choice(copies), store)


def older_over_newer(store, rng, copies):
    """A backup was restored over what was there."""
    shutil.copytree(rng.choice(copies), store, dirs_exist_ok=True)


REWOUND = [lose_names, delete_block, older_log, older_store]
"""After these the store is one that was: nothing in it can tell."""
HAPPENINGS = [
    flip_any, flip_pack, flip_segment, truncate_any, truncate_pack, blank_any,
    garbage_any, extend_any, delete_any, delete_pack, delete_folder, swap,
    become_a_folder, become_a_pipe, older_file, older_blobs, older_over_newer, *REWOUND,
]  # fmt: skip


def trial(history, folder, happened, rng):
    copies = sorted(history.glob("copy-*"))
    for name in ("job.py", "version"):
        shutil.copy(history / name, folder)
    shutil.copytree(history / "job.tgdata", folder / "job.tgdata")
    for happening in happened:
        try:
            happening(folder / "job.tgdata", rng, copies)
        except (FileNotFoundError, IndexError, IsADirectoryError):
            continue  # the first one took what the second one needs
    print([happening.__name__ for happening in happened])  # noqa: T201

    said = [call(folder, command, "job.py")[1] for command in ("status", "fsck")]
    code, text = call(folder, "execute", "-q", "job.py")
    said.append(text)
    rewound = any(happening in REWOUND for happening in happened)
    versions = (1, 2) if rewound else (2,)
    if code == 0:
        check(folder, versions=versions, whole=False)
    said.append(call(folder, "fsck", "job.py", "--repair")[1])
    code, text = call(folder, "execute", "-q", "job.py")
    assert code == 0, text
    said.append(text)
    check(folder, versions=versions)
    print(*said)  # noqa: T201
    code, text = call(folder, "fsck", "job.py")
    assert code == 0 or "orphan" in text or "leftover" in text, text
    if (folder / "ran").exists() and not rewound:
        words = ("damaged", "gone", "lost")
        assert any(word in text for text in said for word in words), "nothing is said"


TOGETHER = [HAPPENINGS[at : at + 3] for at in range(0, len(HAPPENINGS), 3)]


@pytest.mark.parametrize(
    "happened", TOGETHER, ids=lambda some: "-".join(each.__name__ for each in some)
)
def test_no_wrong_value_is_handed_on(history, tmp_path, happened):
    trial(history, tmp_path, happened, random.Random(1))


@pytest.mark.chaos
@pytest.mark.parametrize("seed", range(1000, 1300))
def test_nor_after_three_hundred_happenings(history, tmp_path, seed):
    rng = random.Random(seed)
    happened = [HAPPENINGS[seed % len(HAPPENINGS)]]
    if rng.random() < 0.2:
        happened.append(rng.choice(HAPPENINGS))
    trial(history, tmp_path, happened, rng)


def test_a_wrong_value_would_be_found(history, tmp_path):
    for name in ("job.py", "version"):
        shutil.copy(history / name, tmp_path)
    (tmp_path / "version").write_text("1")
    call(tmp_path, "execute", "-q", "job.py")
    with pytest.raises(AssertionError):
        check(tmp_path)
