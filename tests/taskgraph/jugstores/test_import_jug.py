"""`tg import-jug`: what is taken, what is not, and what is told of it."""

import os
import subprocess
import sys
import zlib

import pytest

pytest.importorskip("jug", reason="the extra `test` has it")
from jug.backends.file_store import file_store
from jug.backends.redis_store import redis_store

from taskgraph import open_store, run
from taskgraph.execution.in_process import member

from ...redis_servers import ONE, RedisServer

TWO = "a = f(1)", "b = f(a, 2)", "c = f(7)"


def test_a_result_is_taken_beside_what_it_was_made_of_with_where_it_came_from(imported):
    imported.write(*TWO)
    imported.left_by_jug(a="A", b="B")
    done = imported()

    assert (done.copied, done.absent) == (2, {"work.f": 1})
    assert imported.known("a", "b", "c") == [True, True, False]
    key = imported.loaded.space["b"].key
    record = imported.results.record(key)
    assert record.context["jug"] == str(imported.jugdir)
    where = imported.results.backend.find(key)
    made_of = imported.results.key_at(*imported.results.inputs(key, where)[0])
    assert made_of == imported.loaded.space["a"].key


def test_what_is_there_stays_and_a_second_import_takes_nothing(imported):
    imported.write(*TWO)
    imported.left_by_jug(a="A", b="B")
    imported()
    done = imported()
    assert (done.copied, done.there, done.left_out) == (0, 2, 0)


def test_calls_that_jug_takes_for_one_are_left_out_with_what_was_made_of_them(imported):
    imported.write("a = f([[1], 2])", "b = f([[1, 2]])", "c = f(a)", "d = f(3)")
    imported.left_by_jug(a="A", b="B", c="C", d="D")
    done = imported()
    assert len(done.ambiguous) == 1
    assert imported.known("a", "b", "c", "d") == [False, False, False, True]
    assert (done.lacking, done.left_out) == (1, 3)


def test_calls_that_are_one_here_are_found_in_each_way_they_were_written(imported):
    imported.write("def g(x, y=1): return x", "g = TaskGenerator(g)")
    with imported.script.open("a") as script:
        script.write(
            "\na = g(1)\nb = g(1, y=1)\nc = f(b)\nd = g(2)\ne = g(x=2)\nh = f(d)"
        )
    imported.left_by_jug(b="B", c="C", d=4, e=5, h=6)
    imported()
    # c was made of the only one that jug has, h of the one that was written first
    assert imported.known("a", "c", "h") == [True, True, True]
    assert imported.results.load(imported.loaded.space["e"].key) == 4


def test_what_was_made_of_another_result_than_the_one_here_is_left_out(imported):
    imported.write(*TWO)
    imported.left_by_jug(a="A", b="B")
    store = imported.folder / "own"
    space = imported.loaded_with("memory://")
    run(space["a"], store=store)
    done = imported()
    assert (done.copied, done.elsewise, done.there) == (0, 1, 1)


def test_damaged_results_are_named_and_left_out_and_nothing_else(imported):
    lines = [f"t{i} = f({i})" for i in range(6)]
    imported.write(*lines, "u = f(t0)", "v = f(t5)")
    at = imported.left_by_jug(**{f"t{i}": "x" * 99 for i in range(6)}, u=1, v=2)
    at["t0"].write_bytes(at["t0"].read_bytes()[:20])
    at["t1"].write_bytes(zlib.compress(b"Pcos\nno_such_function\n."))
    at["t2"].write_bytes(b"\x93NUMPY\x01\x00nonsense")
    for name, make in (("t3", os.mkfifo), ("t4", os.mkdir)):
        at[name].unlink()
        make(at[name])
    (imported.jugdir / "ab").mkdir(exist_ok=True)
    (imported.jugdir / "ab" / "no digest").write_text("x")
    done = imported()
    assert imported.known("t0", "t1", "t2", "t3", "t4") == [False] * 5
    assert imported.known("t5", "u", "v") == [True, False, True]
    assert len(done.damaged) == 5
    for name in ("t0", "t1", "t2", "t3", "t4"):
        assert any(str(at[name]) in said for said in done.damaged)
    assert done.lacking == 1


@pytest.mark.parametrize("pack", [b"", b"garbage", zlib.compress(b"Pcos\nnothing\n.")])
def test_a_damaged_pack_is_named_and_the_rest_taken(imported, pack):
    imported.write(*TWO)
    imported.left_by_jug(a="A", b="B")
    (imported.jugdir / "packs").mkdir()
    (imported.jugdir / "packs" / "jugpack").write_bytes(pack)
    said = imported.tg("import-jug", "work.py")
    assert "jugpack" in said
    assert "2 results" in said


def test_values_of_the_jugfiles_own_classes_are_read_from_a_pack(imported):
    imported.write("class Own: x = 5", "a = f(1)", "b = f(bvalue(a).x)")
    imported.left_by_jug(a=lambda space: space["Own"]())
    file_store(str(imported.jugdir)).update_pack()
    done = imported()
    assert done.copied == 1
    assert imported.loaded.space["b"].args == (5,)


def test_a_jugfile_goes_on_at_its_barriers_until_jug_knows_no_more(imported):
    imported.write("a = f(1)", "n = bvalue(a)", "b = f(n)", "barrier()", "c = f(b)")
    at = imported.left_by_jug(a=6)
    assert imported().absent == {"work.f": 1}
    at["a"].write_bytes(b"damaged")
    done = imported("other")
    assert (done.copied, len(done.damaged), imported.loaded.missing != ()) == (
        0,
        1,
        True,
    )


def test_what_was_invalidated_or_failed_here_is_told_and_not_taken(imported):
    imported.write(*TWO, "def g(): raise ValueError", "d = TaskGenerator(g)()")
    imported.left_by_jug(a="A", b="B", d="D")
    imported.tg("execute", "work.py", code=1)
    imported.tg("invalidate", "work.py", "--name", "f", "--yes")
    said = imported.tg("import-jug", "work.py", code=1)
    assert "2 results left out: invalidated here" in said
    assert "1 task failed here" in said


KILLED = """
import os, sys
from taskgraph import open_store
from taskgraph.execution.in_process import member
backend = open_store(sys.argv[1]).backend
backend.make()
with member(backend):
    assert backend.claim([bytes.fromhex(key) for key in sys.argv[2:]]).keys
    os.kill(os.getpid(), 9)
"""


def test_an_import_that_was_killed_holds_nothing_up(imported):
    imported.write(*TWO)
    imported.left_by_jug(a="A", b="B")
    space = imported.loaded_with("memory://")
    keys = [space[name].key.hex() for name in "ab"]
    command = [sys.executable, "-c", KILLED, str(imported.folder / "own"), *keys]
    assert subprocess.run(command, check=False).returncode == -9
    assert imported().copied == 2


def test_what_workers_compute_meanwhile_is_left_to_them(imported):
    imported.write(*TWO)
    imported.left_by_jug(a="A", b="B")
    other = open_store(imported.folder / "own").backend
    other.make()
    with member(other):
        other.claim([imported.loaded_with("memory://")["a"].key])
        done = imported()
    assert (done.copied, done.locked, done.lacking) == (0, 1, 1)


def test_a_dry_run_counts_and_writes_nothing(imported):
    imported.write(*TWO)
    imported.left_by_jug(a="A", b="B")
    about = imported.json("import-jug", "work.py", "--dry-run")
    assert (about["adopted"], about["absent"]) == (2, {"work.f": 1})
    assert not (imported.folder / "work.tgdata").exists()


def test_a_store_that_the_jugfile_chooses_gets_the_results(imported):
    imported.write("set_jugdir('chosen')", *TWO)
    imported.left_by_jug(a="A", b="B")
    said = imported.tg("import-jug", "work.py", "--store", "given")
    assert said.splitlines()[1].startswith("tg: no result there: work.f 1")
    assert "2 results" in said
    imported.tg("execute", "-q", "work.py", "--store", "given")
    assert imported.json("status", "work.py", "--store", "given")
    results = open_store(imported.folder / "chosen")
    results.backend.refresh()
    assert len(results.keys()) == 3


def test_a_script_of_another_name_is_told_why_nothing_fits(imported):
    imported.write(*TWO)
    imported.left_by_jug(a="A", b="B")
    imported.script.rename(imported.folder / "other.py")
    said = imported.tg("import-jug", "other.py", "--jugdir", "work.jugdata")
    assert "the script must have the name that it had" in said


def test_files_that_tasks_wrote_are_written_again(imported):
    imported.write("import taskgraph.io", "a = taskgraph.io.write_task_out(f(1), 'o')")
    imported.left_by_jug(a=None)
    said = imported.tg("import-jug", "work.py", code=1)
    assert "taskgraph.io.write_task_out 1: left out" in said


def test_what_is_no_store_of_jugs_is_refused(imported):
    imported.write(*TWO)
    (imported.folder / "own.tgdata").mkdir()
    (imported.folder / "own.tgdata" / "format.json").touch()
    for jugdir, why in {
        "nothing": "there is no jug store nothing",
        "dict_store:x": "a dict_store cannot be read",
        "own.tgdata": "is a store of tg itself",
        "redis://": "redis://host[:port]",
        "redis://127.0.0.1:1": "refused",
    }.items():
        said = imported.tg("import-jug", "work.py", "--jugdir", jugdir, code=2)
        assert why in said
    assert not (imported.folder / "work.tgdata").exists()


@pytest.mark.skipif(ONE is None, reason="no server of Redis")
def test_a_store_in_redis_is_taken_over_and_what_is_damaged_there_named(imported):
    imported.write(*TWO)
    digests = {
        n: "".join(p.parts[-2:]) for n, p in imported.left_by_jug(a=1, b=2).items()
    }
    server = RedisServer(ONE)
    try:
        url = f"redis://127.0.0.1:{server.port}"
        there = redis_store(url)
        there.dump(None, digests["a"])
        there.dump([1, 2], digests["b"])
        imported.jugdir = url
        assert imported().copied == 2
        assert imported.results.load(imported.loaded.space["b"].key) == [1, 2]
        there.redis.set(f"result:{digests['b']}", b"no base 64")
        done = imported("other")
        assert (done.copied, len(done.damaged)) == (1, 1)
    finally:
        server.close()


def test_a_bomb_is_refused_and_the_others_are_taken(imported, monkeypatch):
    monkeypatch.setattr("taskgraph.jugstores.files.most_bytes", lambda: 1_000_000)
    imported.write(*TWO)
    at = imported.left_by_jug(a="A", c="C")
    at["c"].write_bytes(zlib.compress(b"P" + bytes(30_000_000)))
    done = imported()
    assert imported.known("a", "c") == [True, False]
    assert "unpacks to more than 1000000 bytes" in done.damaged[0]


def test_that_pickles_are_read_is_told(imported):
    imported.write(*TWO)
    imported.left_by_jug(a="A")
    assert "are pickles: reading one runs" in imported.tg("import-jug", "work.py")


def test_why_blocks_of_a_mapper_are_run_again_is_told(imported):
    imported.write(
        "from taskgraph.mapreduce import mapreduce",
        "import operator",
        "m = mapreduce(operator.add, abs, [1, 2, 3, 4])",
        "a = f(1)",
    )
    imported.left_by_jug(a="A")
    (imported.jugdir / "ab").mkdir(exist_ok=True)
    left = imported.jugdir / "ab" / ("0" * 38)  # a reduced block
    left.write_bytes(zlib.compress(b"P" + b"N."))
    assert "mappers have tasks of their own" in imported.tg("import-jug", "work.py")
