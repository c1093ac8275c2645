"""What is kept of an exception: its user's own frames, and why it was raised."""

import linecache
import time
from pathlib import Path

import pytest

import taskgraph
from taskgraph import Task, TaskGenerator, TasksFailedError, run

ENGINE = str(Path(taskgraph.__file__).parent)


def inner(x):
    raise ValueError(x)


@TaskGenerator
def plain(x):
    return inner(x)


@TaskGenerator
def caused(x):
    try:
        inner(x)
    except ValueError as error:
        raise RuntimeError("led here") from error


@TaskGenerator
def grouped(x):
    try:
        inner(x)
    except ValueError as error:
        raise ExceptionGroup("some", [error, KeyError(x)]) from None


class MuteError(Exception):
    def __str__(self):
        raise OSError("no words")


@TaskGenerator
def mute():
    raise MuteError


@TaskGenerator
def nested(x):
    return plain(x)


@TaskGenerator
def generates():
    return (x for x in ())


class Unwilling:
    def __reduce__(self):
        raise OSError("not now")


@TaskGenerator
def unwilling():
    return Unwilling()


def traceback_of(task, workers, store):
    report = run(task, store=store, workers=workers, check=False)
    return report.store.record(task.key).failure.traceback


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("task", [plain, caused, grouped])
def test_a_traceback_has_the_frames_of_the_task_and_none_of_the_engine(
    task, workers, tmp_path
):
    linecache.clearcache()
    text = traceback_of(task(7), workers, tmp_path / "store")
    assert ENGINE not in text
    assert f", in {task.f.__name__}" in text
    assert ", in inner" in text


def test_the_cause_comes_before_what_it_led_to(tmp_path):
    before, after = traceback_of(caused(7), 0, tmp_path).split("This led to:")
    assert "ValueError: 7" in before
    assert "RuntimeError: led here" in after


def test_each_exception_of_a_group_has_its_own_traceback(tmp_path):
    text = traceback_of(grouped(7), 0, tmp_path)
    assert "Exception 1 of 2:\n\n    Traceback" in text
    assert "Exception 2 of 2:\n\n    KeyError: 7" in text


def test_a_message_that_cannot_be_shown_is_no_second_failure(tmp_path):
    assert "MuteError: (its message cannot be shown)" in traceback_of(
        mute(), 0, tmp_path
    )


def test_where_the_engine_itself_refuses_only_frames_of_others_are_shown(tmp_path):
    text = traceback_of(nested(7), 0, tmp_path)
    assert ENGINE not in text
    assert ", in nested" in text


@pytest.mark.parametrize("workers", [0, 1])
def test_a_result_that_cannot_be_stored_is_told_in_its_sentence_alone(
    workers, tmp_path
):
    report = run(generates(), store=tmp_path / "s", workers=workers, check=False)
    (failed,) = report.errors
    assert "cannot pickle 'generator' object" in failed.message
    assert failed.traceback == ""
    with pytest.raises(TasksFailedError, match="cannot pickle 'generator' object"):
        run(generates(), store=tmp_path / "s", workers=workers)


def test_what_raised_while_a_result_was_stored_keeps_its_frames(tmp_path):
    text = traceback_of(unwilling(), 0, tmp_path)
    assert ENGINE not in text
    assert ", in __reduce__" in text
    assert "OSError: not now" in text


def test_the_error_of_a_function_without_python_code_is_kept(tmp_path):
    assert "division or modulo by zero" in traceback_of(Task(divmod, 7, 0), 0, tmp_path)


@TaskGenerator(timeout=0.2)
def sleeps():
    time.sleep(60)


def test_a_failure_without_a_traceback_is_told_by_its_sentence(tmp_path):
    with pytest.raises(TasksFailedError, match=r"Timeout: stopped after 0\.2 s"):
        run(sleeps(), store=tmp_path / "s", workers=1)
