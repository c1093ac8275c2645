"""Tasks that do nothing: little is done for each, and it comes to the same."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from taskgraph import TaskGenerator, UnhashableError, open_store, run, value
from taskgraph.errors import TasksFailedError
from taskgraph.tasks.recording import Recording, recorded_in

OURS = tuple(f"{os.sep}{package}{os.sep}" for package in ("taskgraph", "backends"))


@TaskGenerator
def same(number):
    return number


@TaskGenerator
def total(start, numbers):
    return start + sum(numbers)


@TaskGenerator
def called(*args, **kwargs):
    return args, sorted(kwargs.items())


@TaskGenerator(retries=2)
def third_time(folder, number):
    tries = Path(folder, f"tries{number}")
    tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
    if len(tries.read_text()) < 3:
        raise ValueError(number)
    return number


@TaskGenerator
def go_elsewhere(folder):
    os.chdir(folder)
    os.umask(0o123)
    return 0


@TaskGenerator
def where_am_i(number):
    mask = os.umask(0)
    os.umask(mask)
    return str(Path.cwd()), mask


def calls_of(tasks):
    """Return how many functions of ours are called to run tasks."""
    count = 0

    def note(frame, event, _what):
        nonlocal count
        if event == "call" and any(part in frame.f_code.co_filename for part in OURS):
            count += 1

    sys.setprofile(note)
    try:
        run(tasks)
    finally:
        sys.setprofile(None)
    return count


WRITTEN = {
    "numbers": lambda count: [same(number) for number in range(count)],
    "text": lambda count: [same(str(number)) for number in range(count)],
    "names": lambda count: [same(number=number) for number in range(count)],
}


def calls_a_task(written):
    """Return how many functions of ours are called for each task more."""
    counts = []
    for count in (100, 300):
        with recorded_in(Recording(open_store("memory://"))) as recording:
            WRITTEN[written](count)
        counts.append(calls_of(recording.tasks))
    return (counts[1] - counts[0]) / 200


@pytest.mark.parametrize(
    ("written", "most"), [("numbers", 26), ("text", 36), ("names", 38)]
)
def test_few_functions_of_ours_are_called_for_each_task(written, most):
    # In a process of its own: what other tests leave behind, as threads, costs calls.
    code = f"import {__name__} as here; print(here.calls_a_task({written!r}))"
    root = Path(__file__).parents[3]
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=root, check=True, capture_output=True
    )

    assert float(said.stdout) <= most


def test_calls_come_to_the_same_however_they_are_written():
    with recorded_in(Recording(open_store("memory://"))) as recording:
        tasks = [called(7), called((7,)), called(7, 8), called(7, x=8), called(x=7)]
        tasks += [called("a text"), called(None), called(), called([7])]
    run(recording.tasks)

    assert value(tasks[:4]) == [
        ((7,), []),
        (((7,),), []),
        ((7, 8), []),
        ((7,), [("x", 8)]),
    ]
    assert value(tasks[4:7]) == [((), [("x", 7)]), (("a text",), []), ((None,), [])]
    assert value(tasks[7:]) == [((), []), (([7],), [])]


def test_what_fails_is_tried_again_among_tasks_that_do_not(tmp_path):
    with recorded_in(Recording(open_store("memory://"))) as recording:
        tasks = [third_time(str(tmp_path), number) for number in range(3)]
    run(recording.tasks)

    record = recording.results.record(tasks[1].key)
    assert (value(tasks), record.attempt) == ([0, 1, 2], 3)


def test_records_of_tiny_tasks_say_what_they_were_given():
    with recorded_in(Recording(open_store("memory://"))) as recording:
        tasks = [same(7), same(1 << 200), same("seven"), same(True), same([7])]
    run(recording.tasks)

    said = [recording.results.record(task.key).summary for task in tasks]
    assert said == ["7", "int of 201 bits", "'seven'", "True", "list(7)"]


def test_a_tiny_task_leaves_nothing_to_the_next(tmp_path):
    with recorded_in(Recording(open_store("memory://"))) as recording:
        spoils, tasks = go_elsewhere(str(tmp_path)), [where_am_i(n) for n in range(2)]
    mask = os.umask(0)
    os.umask(mask)
    run(recording.tasks)

    assert value([spoils, *tasks]) == [0, *[(str(Path.cwd()), mask)] * 2]


def test_what_two_calls_are_given_is_worked_out_once():
    with recorded_in(Recording(open_store("memory://"))) as recording:
        numbers = [same(number) for number in range(5)]
        first = total(1, numbers)
        known = recording.encoder.row
        second = total(2, list(numbers))
        assert recording.encoder.row is known
    run(recording.tasks)

    assert (value(first), value(second)) == (11, 12)
    assert first.needs is second.needs


def test_a_list_that_is_changed_between_two_calls_is_another_argument():
    with recorded_in(Recording(open_store("memory://"))) as recording:
        numbers = [same(number) for number in range(3)]
        total(1, numbers)
        numbers[1] = same(10)
        second = total(1, list(numbers))
        third = total(1, list(reversed(numbers)))
        other = called([numbers[0], np.arange(2), numbers[2]])
        numbers[2] = same(20)  # the first call has this very list
    with pytest.raises(TasksFailedError, match="changed after the call was written"):
        run(recording.tasks)

    assert (value(second), value(third)) == (13, 13)
    assert second.key != third.key
    assert [type(one) for one in value(other)[0][0]] == [int, np.ndarray, int]


def test_a_task_that_is_renamed_after_a_refused_call_has_its_new_key():
    with recorded_in(Recording(open_store("memory://"))):
        task = same(1)
        with pytest.raises(UnhashableError):
            called([task], lambda: 0)
        task.name = "renamed"
        found = called([task])
    with recorded_in(Recording(open_store("memory://"))):
        expected = called([TaskGenerator(same.f, name="renamed")(1)])

    assert found.key == expected.key


def test_what_records_share_is_read_as_if_each_had_its_own():
    with recorded_in(Recording(open_store("memory://"))) as recording:
        numbers = [same(number) for number in range(4)]
        sums = [total(k, numbers) for k in range(3)]
        last = total(9, [numbers[0], sums[0]])
    run(recording.tasks)
    results = recording.results

    def made_of(task):
        where = results.backend.find(task.key)
        return [results.key_at(*place) for place in results.inputs(task.key, where)]

    keys = [number.key for number in numbers]
    assert [made_of(each) for each in sums] == [keys] * 3
    assert made_of(last) == [numbers[0].key, sums[0].key]
