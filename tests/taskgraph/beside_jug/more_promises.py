"""The other half of `promises`: hashes, map and reduce, barriers, hooks, commands."""

import contextlib
import functools
import io
import json
import operator
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from .promises import add, add1, double, same, square, total

# hashes


def an_array_is_known_by_what_is_in_it(jug):
    one = jug.hash.hash_one
    numbers = np.arange(10, dtype=np.float32)
    before = one(numbers)
    other = np.zeros((20, 20), np.float32)
    other[2, ::2] = np.arange(10)
    assert one(other[2, ::2]) == before != one(other[2, ::2].astype(np.float64))
    numbers += 1
    assert one(numbers) != before


def a_copy_of_an_array_is_the_same(jug):
    one, numbers = jug.hash.hash_one, np.arange(10)
    assert one(numbers[::-1]) != one(numbers) == one(numbers.copy())
    assert one(numbers[::-1].copy()) == one(numbers[::-1])


def an_array_of_objects_is_known_by_them(jug):
    one, things = jug.hash.hash_one, np.array(["a", "b", None, 3], dtype=object)
    assert one(things) == one(things.copy()) != one(things[::-1])
    assert one(things) != one(things.reshape((2, 2)))


def dicts_of_mixed_keys_have_a_hash(jug):
    assert len(jug.hash.hash_one({frozenset([1, 2, 3]): 4, "hello": 2}))


def sets_are_no_lists_and_have_no_order(jug):
    one = jug.hash.hash_one
    assert one({1, 2, 3}) != one([1, 2, 3])
    assert one(frozenset([1, 2, 3])) == one(frozenset([3, 2, 1])) != one({1, 2, 3})
    assert one(frozenset([1, 2, 3])) != one(frozenset([1, 2]))


def what_is_not_hashed_does_not_count(jug):
    one, hidden = jug.hash.hash_one, jug.unsafe.NoHash
    assert one([1, 2, hidden(3)]) == one([1, 2, hidden(7)])


def hashes_are_those_of_earlier_versions_of_jug(jug):
    digest = b"072067f4dcf1ed6f65eebc9ac81bb629179c0c9f"
    assert jug.hash.hash_one([1, "a", (2, 3)]) == digest


def the_default_protocol_of_pickle_does_not_count(jug):
    before, default = jug.hash.hash_one([1, "a", (2, 3)]), pickle.DEFAULT_PROTOCOL
    pickle.DEFAULT_PROTOCOL = 3
    try:
        assert jug.hash.hash_one([1, "a", (2, 3)]) == before
    finally:
        pickle.DEFAULT_PROTOCOL = default


def hashes_are_the_same_in_each_process(jug):
    letters = "set('abcde'), {'a': 1, 'b': 2, 'c': 3}, {frozenset('abc'): 1}"
    code = f"from {jug.name}.hash import hash_one; print(hash_one([{letters}]))"
    said = {
        subprocess.check_output(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}
        )
        for seed in "12"
    }
    assert len(said) == 1


# map and reduce


def what_is_mapped_and_reduced_is_what_python_makes_of_it(jug):
    numbers = list(range(300))
    task = jug.mapreduce.mapreduce(operator.add, square, numbers)
    assert jug.run(task) == sum(map(square, numbers))


def what_is_mapped_is_as_long_and_in_order(jug):
    numbers = np.arange(50)
    mapped = jug.mapreduce.map(square, numbers)
    assert jug.run(jug.task.Task(same, mapped)) == list(map(square, numbers))


def what_is_reduced_is_in_order(jug):
    letters = [chr(97 + n % 26) for n in range(128)]
    task = jug.mapreduce.reduce(operator.add, letters)
    assert jug.run(task) == functools.reduce(operator.add, letters)


def nothing_mapped_and_reduced_is_an_empty_list(jug):
    assert jug.run(jug.mapreduce.mapreduce(operator.add, square, [])) == []


def generators_are_mapped_and_reduced(jug):
    space = jug.execute(
        "from ENGINE import mapreduce, TaskGenerator\n"
        "@TaskGenerator\ndef double(x): return 2 * x\n"
        "@TaskGenerator\ndef both(x, y): return x + y\n"
        "out = mapreduce.mapreduce(both, double, list(range(10)))\n"
        "again = mapreduce.map(double, mapreduce.map(double, list(range(16))))\n"
    )
    assert jug.top.value(space["out"]) == 90
    assert jug.top.value(space["again"]) == [4 * x for x in range(16)]


def tuples_of_arguments_are_mapped(jug):
    mapped = jug.mapreduce.currymap(add, [(x, x) for x in range(30)])
    assert jug.run(jug.task.Task(same, mapped)) == [2 * x for x in range(30)]


def steps_of_one_are_plain_tasks(jug):
    written = jug.task.TaskGenerator(square)
    mapped = jug.mapreduce.map(written, list(range(8)), map_step=1)
    plain = [jug.task.Task(square, x) for x in range(8)]
    assert [task.hash() for task in mapped] == [task.hash() for task in plain]
    pairs = jug.mapreduce.currymap(jug.task.TaskGenerator(add), [(1, 2)], map_step=1)
    assert pairs[0].hash() == jug.task.Task(add, 1, 2).hash()


def slices_of_what_is_mapped_are_as_those_of_lists(jug):
    mapped, plain = (
        jug.mapreduce.map(square, list(range(23))),
        [x**2 for x in range(23)],
    )
    jug.run(*mapped.blocks)
    slices = [
        (None, None, 2),
        (1, 9, 3),
        (None, None, -1),
        (20, 2, -3),
        (5, 3),
        (3, 99),
    ]
    for one in (slice(*s) for s in slices):
        assert jug.top.value(mapped[one]) == plain[one]
        for other in (slice(1, None), slice(None, None, -1), slice(1, 4, -1)):
            assert jug.top.value(mapped[one][other]) == plain[one][other]
            assert len(mapped[one][other]) == len(plain[one][other])


def a_slice_of_a_slice_has_the_hash_of_the_slice(jug):
    mapped = jug.mapreduce.map(square, list(range(23)))
    one, other = (jug.task.Task(total, s) for s in (mapped[2:8][1:3], mapped[3:5]))
    assert one.hash() == other.hash()


def a_slice_waits_for_its_blocks_only(jug):
    mapped = jug.mapreduce.map(square, list(range(23)), map_step=4)
    task = jug.task.Task(total, mapped[5:10])
    assert list(task.dependencies()) == list(mapped.blocks[1:3])
    mapped.blocks[1].run()
    assert not task.can_run()
    mapped.blocks[2].run()
    assert task.run() == sum(x**2 for x in range(5, 10))


# compounds


def a_compound_is_known_once_its_inside_ran(jug):
    parts = jug.mapreduce.mapreduce, operator.add, square, list(range(50))
    first = jug.compound.CompoundTask(*parts)
    found = jug.run(first)
    again = jug.compound.CompoundTask(*parts)
    assert again.can_load()
    assert again.result == found


COMPOUND = """
from ENGINE import TaskGenerator, barrier, value
from ENGINE.utils import identity
from ENGINE.compound import CompoundTaskGenerator
@TaskGenerator
def double(x): return 2 * x
@TaskGenerator
def both(y): return y[0] + y[1]
"""


def a_compound_may_have_a_barrier(jug):
    space = jug.execute(
        f"{COMPOUND}@CompoundTaskGenerator\ndef twice(x):\n    x2 = double(x)\n"
        "    barrier()\n    return double(value(x2))\nout = twice(double(2))\n"
    )
    assert jug.top.value(space["out"]) == 16


def a_compound_may_return_a_container(jug):
    space = jug.execute(
        f"{COMPOUND}@CompoundTaskGenerator\ndef twice(x): return double(x), double(x)\n"
        "eight = twice(4)\nbarrier()\neight = identity(eight)\nbarrier()\n"
        "out = both(eight)\n"
    )
    assert jug.top.value(space["out"]) == 16


# barriers

BARRIER = """
from ENGINE import TaskGenerator, barrier, bvalue, value
@TaskGenerator
def double(x): return 2 * x
"""


def a_jugfile_stops_at_a_barrier_until_all_is_known(jug):
    text = f"{BARRIER}two = double(1)\nbarrier()\nfour = double(value(two))\n"
    assert "four" not in jug.load(text)
    assert jug.top.value(jug.execute(text)["four"]) == 4


def a_jugfile_stops_at_a_value_until_it_is_known(jug):
    text = f"{BARRIER}two = double(1)\nfour = 2 * bvalue(two)\n"
    assert "four" not in jug.load(text)
    assert jug.execute(text)["four"] == 4


def a_value_may_be_of_containers_of_views(jug):
    text = (
        f"{BARRIER}three = double([1, 2])\n"
        "out = bvalue({'first': [three[0]], 'last': (three[3],)})\n"
    )
    assert jug.execute(text)["out"] == {"first": [1], "last": (2,)}


def an_error_at_a_value_is_no_barrier(jug):
    text = f"{BARRIER}three = double([1])\nout = bvalue(three[5])\n"
    with pytest.raises(Exception, match="index out of range"):
        jug.execute(text)


def what_is_not_loaded_is_not_waited_for_at_a_value(jug):
    task = jug.task.Task(sum, [1, 2])
    held = jug.io.NoLoad(task)
    assert jug.barrier.bvalue(held) is held
    assert jug.barrier.bvalue({"a": (held,)}) == {"a": (held,)}
    with pytest.raises(jug.barrier.BarrierError):
        jug.barrier.bvalue([held, task])
    assert list(jug.task.Task(len, [held]).dependencies()) == [task]


def long_chains_may_be_before_a_barrier(jug):
    text = f"{BARRIER}s = 1\nfor i in range(1200): s = double(s)\nbarrier()\nout = 1\n"
    assert "out" not in jug.load(text)


# files and commands


def a_function_gets_what_is_not_loaded_as_it_is(jug):
    parts = [jug.task.Task(add1, x) for x in range(3)]
    task = jug.task.Task(_sum_of_bases, [jug.io.NoLoad(part) for part in parts])
    assert not task.can_run()
    assert jug.run(task) == 6


def _sum_of_bases(held):
    return sum(each.base.value() for each in held)


def what_a_result_was_made_of_is_written_down(jug):
    task = jug.task.Task(double, jug.task.Task(add1, 1))
    about = str(jug.folder / "about.json")
    written = jug.io.write_task_out(task, str(jug.folder / "x"), about, "json")
    jug.run(written)
    assert json.loads(Path(about).read_text())["args"][0]["args"] == [1]


def an_array_is_written_as_numpy_does(jug):
    name = jug.folder / "numbers.npy"
    jug.run(jug.io.write_task_out(jug.task.Task(np.arange, 5), str(name)))
    assert name.read_bytes().startswith(b"\x93NUMPY")
    assert np.array_equal(np.load(name), np.arange(5))


def a_hash_of_ones_own_is_asked_for(jug):
    asked = []
    task = jug.task.Task(
        double, jug.utils.CustomHash(1, lambda x: asked.append(x) or b"one")
    )
    assert jug.run(task) == 2
    assert asked


def a_path_with_a_time_is_another_when_that_changes(jug):
    path = jug.folder / "file"
    path.write_text("Hello World")
    os.utime(path, (1, 1))
    one = jug.utils.timed_path(str(path))
    before = jug.hash.hash_one(jug.utils.timed_path(str(path)))
    assert before == jug.hash.hash_one(one)
    os.utime(path, (9, 9))
    assert jug.hash.hash_one(jug.utils.timed_path(str(path))) != before
    assert jug.top.value(one) == str(path)


# hooks

RAN = "execute.task-executed1"


def hooks_are_called_as_often_as_they_are_registered(jug):
    calls = []
    for _ in range(2):
        jug.hooks.register_hook(RAN, functools.partial(calls.append, 0))
    jug.hooks.jug_hook(RAN)
    assert len(calls) == 2
    jug.hooks.reset_all_hooks()
    jug.hooks.jug_hook(RAN)
    assert len(calls) == 2


def hooks_with_a_code_are_registered_once(jug):
    calls = []
    for _ in range(5):
        jug.hooks.register_hook_once(RAN, "mine", functools.partial(calls.append, 0))
    jug.hooks.jug_hook(RAN)
    assert len(calls) == 1


def a_hook_that_there_is_not_is_a_value_error(jug):
    with pytest.raises(ValueError, match="hook"):
        jug.hooks.register_hook("my_bad_hook", print)


def a_worker_ends_when_a_function_says_so(jug):
    end = []
    jug.hooks.exit_checks.exit_when_true(lambda: bool(end))
    jug.hooks.jug_hook(RAN, (None,))
    end.append(1)
    with pytest.raises(SystemExit):
        jug.hooks.jug_hook(RAN, (None,))


def that_function_may_ask_for_the_task(jug):
    jug.hooks.exit_checks.exit_when_true(
        lambda t: t == "stop", function_takes_Task=True
    )
    jug.hooks.jug_hook(RAN, ("go",))
    with pytest.raises(SystemExit):
        jug.hooks.jug_hook(RAN, ("stop",))


def checks_count_from_when_they_were_registered_first(jug):
    importlib_checks = jug.hooks.exit_checks
    importlib_checks.exit_after_n_tasks(2)
    jug.hooks.jug_hook(RAN, (None,))
    importlib_checks.exit_after_n_tasks(2)  # as a jugfile does that is read again
    with pytest.raises(SystemExit):
        jug.hooks.jug_hook(RAN, (None,))


def times_are_told_once(jug):
    for _ in range(2):
        jug.hooks.execution.register_time_tasks()
    with contextlib.redirect_stdout(io.StringIO()) as said:
        jug.hooks.jug_hook("execute.finished_post_status")
    assert said.getvalue().upper().count("TIMES") == 1


def a_generator_makes_tasks(jug):
    assert isinstance(jug.task.TaskGenerator(operator.neg)(2), jug.task.Task)
