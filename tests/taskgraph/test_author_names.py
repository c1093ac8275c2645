"""jug's modules by their names: found in every order, lazy, and what they promise."""

import functools
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from taskgraph import File, Task, TaskGenerator, UsageError, open_store, run, value
from taskgraph.io import NoLoad, write_metadata, write_task_out
from taskgraph.mapreduce import currymap, map, mapreduce, reduce  # noqa: A004 - jug's
from taskgraph.task import describe, recursive_dependencies, topological_sort
from taskgraph.unsafe import NoHash
from taskgraph.utils import CustomHash, identity, jug_execute, timed_path

PROGRAMS = {
    "a module needs no import of its own": """
import taskgraph as jug
assert jug.task.value(3) == jug.mapreduce.map(abs, []).places.stop + 3
assert jug.dict_store.dict_store().backend.url == "memory://"
""",
    "the module barrier leaves the function": """
import taskgraph.barrier
from taskgraph.barrier import BarrierError
from taskgraph import barrier
taskgraph.set_jugdir("memory://")
barrier(); taskgraph.barrier()
taskgraph.Task(abs, -1)
try: barrier()
except BarrierError: pass
else: raise AssertionError
""",
    "the function barrier leaves the module": """
from taskgraph import barrier
import taskgraph.barrier as module
taskgraph = __import__("taskgraph")
taskgraph.set_jugdir("memory://")
barrier(); module(); module.barrier()
""",
    "a star brings no module": """
from taskgraph import *
assert "hash" not in vars() and "io" not in vars() and CompoundTask
""",
    "nothing of it is loaded before it is asked for": """
import sys, taskgraph.cli, taskgraph.execution.worker
from taskgraph import TaskGenerator, barrier
names = ("hooks", "utils", "task", "io", "compound", "mapreduce", "hash", "unsafe")
assert not [n for n in names if f"taskgraph.{n}" in sys.modules]
""",
}


@pytest.mark.parametrize("promise", PROGRAMS)
def test_names_are_found(promise):
    subprocess.run([sys.executable, "-c", PROGRAMS[promise]], check=True)


@TaskGenerator
def double(x):
    return 2 * x


@TaskGenerator(version=3)
def joined(x, y):
    return x + y


def result(task):
    results = open_store("memory://")
    run(task, store=results)
    return results.load(task.key)


@pytest.mark.parametrize("n", [0, 1, 3, 4, 5, 33])
@pytest.mark.parametrize("step", [1, 2, 4, 50])
def test_steps_change_no_value(n, step):
    numbers = list(range(n))
    mapped = map(double, numbers, step)
    assert len(mapped) == n
    assert result(Task(list, mapped)) == [2 * x for x in numbers]
    assert result(Task(list, mapped[::-2])) == [2 * x for x in numbers][::-2]
    letters = [chr(97 + x) for x in numbers]
    whole = reduce(joined, letters, step + 1)
    assert result(whole) == ("".join(letters) if n else [])
    assert result(mapreduce(joined, str, numbers, step, step + 1)) == (
        "".join([str(x) for x in numbers]) if n else []
    )
    pairs = currymap(joined, list(zip(numbers, numbers, strict=True)), step)
    assert result(Task(list, pairs)) == [2 * x for x in numbers]


def test_blocks_have_the_name_of_the_function_and_keys_of_their_own():
    (block,) = map(double, [1], 2).blocks
    assert block.name == double(1).name
    assert block.key != double([1]).key
    assert reduce(joined, ["a"]).key != reduce(TaskGenerator(joined.f), ["a"]).key


def test_a_slice_needs_its_blocks_only():
    mapped = map(double, list(range(10)), 2)
    assert Task(sum, mapped[2:5]).needs == tuple(mapped.blocks[1:3])
    keys = {Task(sum, part).key for part in (mapped[2:5], mapped[2:4], mapped[3:5])}
    assert len(keys) == 3
    assert Task(sum, mapped[2:8][1:3]).key == Task(sum, mapped[3:5]).key


@pytest.mark.parametrize("step", [0, -1])
def test_steps_below_one_are_refused(step):
    with pytest.raises(UsageError, match="1 or more"):
        map(double, [1], step)


def bracketed(x, y):
    return f"({x}{y})"


def test_items_are_reduced_in_the_groups_of_jug():
    whole = result(reduce(bracketed, "abcdefghi"))
    assert whole == "(((((ab)c)d)(((ef)g)h))i)"  # by 4, then what is left by 8
    assert result(mapreduce(bracketed, None, "abcd", 2)) == "((ab)(cd))"


def scaled(x, factor, threads=1):
    return x * factor


def test_what_a_function_ignores_is_no_part_of_the_keys_of_its_blocks():
    def blocks(threads):
        given = functools.partial(scaled, factor=2, threads=threads)
        return map(TaskGenerator(given, ignore="threads"), [1, 2], 2).blocks

    assert blocks(4)[0].key == blocks(8)[0].key
    assert result(blocks(4)[0]) == [2, 4]
    ignoring = TaskGenerator(scaled, ignore="threads")
    four, eight = (currymap(ignoring, [(3, 5, threads)], 2)[0] for threads in (4, 8))
    assert four.base.key == eight.base.key
    assert result(four.base) == [15]
    assert four.base.key != currymap(ignoring, [(3, 6, 4)], 2)[0].base.key

    with pytest.raises(UsageError, match="ignores x, which are the items"):
        map(TaskGenerator(scaled, ignore="x"), [1], 2)


@pytest.mark.parametrize("items", [(x for x in "ab"), {"a", "b"}, {"a": 1}])
def test_items_without_places_are_refused_with_what_to_do(items):
    for used in (map, reduce):
        with pytest.raises(UsageError, match=r"pass a list of them, as list\("):
            used(bracketed, items)


def write_number(number, folder):
    """Write a file, but for 0."""
    path = Path(folder, str(number))
    return [path] if number and path.write_text(str(number)) else []


@pytest.mark.parametrize("step", ["3", 2.0, None])
def test_a_step_is_a_number(step):
    with pytest.raises(UsageError, match="a step of"):
        map(str, [1, 2, 3], step)


def test_what_mapped_functions_write_is_written_again_if_it_is_gone(tmp_path):
    copied = TaskGenerator(write_number, files=True)
    jobs = [(number, str(tmp_path)) for number in (0, 0, 1, 2, 3)]
    wanted, store = currymap(copied, jobs, 2), open_store("memory://")
    run([item.base for item in wanted], store=store)
    (tmp_path / "2").unlink()
    run([item.base for item in wanted], store=store)
    assert sorted(at.name for at in tmp_path.iterdir()) == ["1", "2", "3"]

    with pytest.raises(UsageError, match="files=True"):
        reduce(copied, [1, 2, 3])


def test_a_lambda_is_refused():
    with pytest.raises(UsageError, match="lambda"):
        map(lambda x: x, [1, 2])


def test_what_does_not_count_is_handed_over_and_waited_for():
    task = double(2)
    held = Task(max, [NoHash(task), 3])
    assert held.needs == (task,)
    assert held.key == Task(max, [NoHash(7), 3]).key
    assert result(held) == 4


def test_a_digest_of_ones_own_is_the_key():
    def first(x):
        return x[:1]

    one, other = CustomHash([1, double(2)], first), CustomHash([1, 3], first)
    assert Task(sum, one).key == Task(sum, other).key
    assert result(Task(sum, one)) == 5


@pytest.mark.parametrize("thing", [threading.Lock(), iter({1}), lambda x: x])
def test_what_has_no_key_is_handed_over_by_who_says_what_it_is_known_by(thing):
    def named(_):
        return b"it"

    one, other = double(2), double(3)
    for argument in (NoHash(thing), CustomHash(thing, named)):
        assert value(argument) is thing
        assert Task(max, [argument, one]).needs == (one,)
    held = NoHash([one, thing, {"a": File(__file__)}, other])
    assert Task(max, held).needs == (one, other)


def test_an_iterator_is_handed_over_from_where_it_was_with_its_tasks():
    def added(tasks):
        return sum(value(task) for task in tasks)

    first, *others = double(1), double(2), double(3)
    tasks = iter([first, *others])
    next(tasks)
    held = CustomHash(tasks, lambda _: b"all")
    task = Task(added, held)
    assert list(task.needs) == others
    assert result(task) == 10
    assert list(value(held)) == list(value(held)) == others


def test_a_path_goes_by_time_and_size(tmp_path):
    path = tmp_path / "file"
    keys = set()
    for text, when in (("a", 1), ("b", 1), ("b", 2), ("bc", 2)):
        path.write_text(text)
        os.utime(path, (when, when))
        keys.add(Task(len, timed_path(str(path))).key)
    assert len(keys) == 3
    with pytest.raises(FileNotFoundError):
        Task(len, timed_path(str(tmp_path / "none")))


def test_a_task_is_handed_over_unloaded():
    def held(it):
        return type(it).__name__, value(it.base)

    task = double(2)
    assert result(Task(held, NoLoad(task))) == ("NoLoad", 4)
    assert Task(held, NoLoad(task)).key != Task(held, task).key
    with pytest.raises(UsageError, match="NoLoad"):
        NoLoad(task)[0]


def test_a_command_that_fails_is_told():
    report = run(jug_execute(["false"]), check=False)
    assert "['false'] failed with exit code 1" in report.errors[0].message
    assert result(jug_execute(["false"], check_exit=False, return_value=3)) == 3


def test_a_task_is_identical_to_itself():
    task = double(2)
    mapped = map(double, [1, 2, 3])
    assert identity(task) is task
    assert identity(task[0]).base is task
    assert result(identity([task, mapped])) == [4, [2, 4, 6]]


def test_a_written_result_is_what_it_was(tmp_path):
    name = tmp_path / "ones"
    run(write_task_out(Task(np.ones, 3), str(name), str(tmp_path / "about")))
    assert np.load(name).tolist() == [1, 1, 1]
    assert "numpy.ones" in (tmp_path / "about").read_text()
    with pytest.raises(UsageError, match="'toml'"):
        write_task_out(double(2), "out", "about", "toml")


def test_what_is_written_of_a_task_may_have_any_arguments(tmp_path):
    about = tmp_path / "about.json"
    run(write_metadata(Task(len, {(1, 2): 3, "x": 4, 5: None}), str(about)))
    (told,) = json.loads(about.read_text())["args"]
    assert told == {"(1, 2)": 3, "x": 4, "5": None}


def test_what_a_task_was_made_of_is_told():
    made = describe([double(double(1)[0]), {"x": map(double, [1])}])
    assert made[0]["args"][0]["base"]["args"] == [1]
    assert made[1]["x"]["base"][0]["args"] == [[1]]


def test_dependencies_are_walked_once_and_sorted():
    task = joined(double(1), double(double(1)))
    found = list(recursive_dependencies(task))
    assert len(found) == len({id(need) for need in found}) >= 3
    assert len(list(recursive_dependencies(task, 1))) == 2
    assert list(recursive_dependencies(task, 0)) == []
    tasks = [task, *found]
    topological_sort(tasks)
    places = {need: place for place, need in enumerate(tasks)}
    assert all(places[need] < places[t] for t in tasks for need in t.needs)


def test_a_task_is_named_before_it_is_needed():
    task = Task(abs, -4)
    before = task.key
    task.name = "mine"
    assert (task.name, task.key == before) == ("mine", False)
    assert task.key == TaskGenerator(abs, name="mine")(-4).key
    assert result(Task(abs, task)) == 4


def chain(length, step):
    task = Task(abs, 0)
    for _ in range(length):
        task = step(task)
    return task


@pytest.mark.parametrize(
    "whole",
    [
        chain(2000, lambda task: Task(abs, task)),
        chain(100, lambda task: Task(max, task, task)),
    ],
    ids=["a long chain", "much that is shared"],
)
def test_what_much_was_made_of_is_written_down_once(tmp_path, whole):
    run(write_metadata(whole, str(tmp_path / "about")), store="memory://")
    about = json.loads((tmp_path / "about").read_text())
    assert about["name"] == whole.name
    far = {task.key.hex() for task in recursive_dependencies(whole)}
    assert about["tasks"].keys() <= far
    named = {
        arg["hash"]
        for one in about["tasks"].values()
        for arg in one["args"]
        if isinstance(arg, dict)
    }
    assert named <= about["tasks"].keys()
