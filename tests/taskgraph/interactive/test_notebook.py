"""What a notebook shows of tasks, runs, sweeps and values; what memory remembers."""

from __future__ import annotations

import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter

from taskgraph import (
    ArgumentChangedError,
    Task,
    TaskGenerator,
    in_store,
    memory,
    run,
    show,
    sweep,
)

from ..displays.html_checks import Offences

BAD = "<script>alert(1)</script>"
calls = []


@TaskGenerator
def picture(text):
    return np.eye(32) * len(text)


@TaskGenerator
def fails(one, text):
    raise ValueError(text)


class Other:
    pass


@TaskGenerator
def other():
    return Other()


@TaskGenerator
def doubled(n):
    return 2 * n


def shown(value):
    """Return the HTML that a notebook shows, and the text in it."""
    bundle, _ = DisplayFormatter().format(value)
    assert bundle["text/plain"]
    html = bundle["text/html"]
    checked = Offences(html)
    assert checked.found == []
    return html, " ".join(checked.text)


def test_a_task_shows_its_call_how_far_it_is_and_what_came_out():
    with in_store() as results:
        first = picture(BAD)
        second = fails(first, BAD)
        _, words = shown(second)
        assert "waiting for 1 of 1 tasks" in words
        _, words = shown(first)
        assert f"picture('{BAD}')" in words
        assert "ready" in words
        run([first, second], store=results, check=False)
        html, words = shown(first)
        assert "done" in words
        assert "data:image/png" in html
        _, words = shown(second)
        assert f"ValueError: {BAD}" in words


def test_a_task_never_run_anywhere_shows_itself_too(monkeypatch):
    with in_store() as results:
        task = other()
        run(task, store=results)
        _, words = shown(task)
    assert "read by pickle: task.value() does so" in words
    _, words = shown(task[0])
    assert "other" in words


def test_a_report_shows_functions_states_the_graph_and_errors():
    with in_store() as results:
        report = run(fails(picture("a"), BAD), store=results, check=False)
    html, words = shown(report)
    assert "<svg" in html
    assert f"ValueError: {BAD}" in words
    assert "1 of 2 tasks done, 1 failed" in words
    assert "list of" not in words
    assert "✗ failed" in words


def test_a_report_shows_each_cause_of_failures_once():
    with in_store() as results:
        many = [fails(picture("a" * k), BAD) for k in range(4)]
        others = [fails(picture("b" * k), str(k)) for k in range(4)]
        report = run([*many, *others], store=results, check=False)
    _, words = shown(report)
    assert words.count(f"ValueError: {BAD}") == 2  # above and below the traceback
    assert "and 3 more of " in words
    assert "and 2 more failed" in words


def test_a_sweep_shows_points_and_states_and_its_table_what_came_out():
    with in_store() as results:
        points = sweep(doubled, {"n": [1, 2, BAD]})
        run(points.tasks[:2], store=results)
        _, words = shown(points)
        assert words.count("done") == 2
        assert "waiting" in words
        assert BAD in words
        _, words = shown(points.table())
        assert "4" in words.split()


def test_any_value_can_be_shown_and_so_can_results():
    with in_store() as results:
        task = picture("ab")
        run(task, store=results)
        assert "data:image/png" in shown(show(task))[0]
    _, words = shown(show({"label": np.arange(3), BAD: [BAD] * 3}))
    assert BAD in words
    assert repr(show(np.zeros(0))) == "<text: ndarray(0,)float64>"


def counted(image, power=1):
    calls.append(power)
    return image.sum() ** power


def test_memory_calls_once_and_shares_results_with_tasks(tmp_path):
    calls.clear()
    memo = memory(tmp_path / "store")
    remembered = memo(counted)
    image = np.ones((100, 100))
    assert remembered(image) == remembered(image.copy(), power=1) == 10_000
    assert remembered(image, 2) == 10_000**2
    assert calls == [1, 2]
    task = Task(counted, image)
    assert memo.results.load(task.key) == 10_000
    assert memory(tmp_path / "store")(counted)(image) == 10_000
    assert calls == [1, 2]
    assert remembered.__name__ == "counted"
    assert remembered.__wrapped__(image) == 10_000


def test_memory_takes_the_options_of_tasks():
    calls.clear()
    memo = memory("memory://")
    quiet = memo(ignore="power")(counted)
    assert quiet(np.ones(3), 1) == quiet(np.ones(3), 2) == 3
    with pytest.raises(ZeroDivisionError):
        memo(divided)(1, 0)


def brightened(image):
    image += 1
    return image.sum()


def drawn(random):
    return random.normal()


@pytest.mark.parametrize(
    ("function", "argument"),
    [(brightened, np.zeros(3)), (drawn, np.random.default_rng(0))],
)
def test_memory_keeps_nothing_of_a_call_that_changes_its_argument(function, argument):
    memo = memory("memory://")
    key = Task(function, argument).key
    with pytest.raises(ArgumentChangedError, match=f"{function.__name__}.* in place"):
        memo(function)(argument)
    assert not memo.results.has(key)


def divided(one, other):
    return one // other


@TaskGenerator
def outer(n):
    return memory("memory://")(divided)(n, 2)


def test_in_a_task_what_memory_remembers_is_simply_called():
    with in_store() as results:
        task = outer(9)
        run(task, store=results)
        assert task.value() == 4


def test_what_memory_remembers_is_seen_by_tg(forked_tg):
    memory(forked_tg.folder / "store")(divided)(7, 2)
    said = forked_tg("status", "--sizes", "--store", "store").stdout
    assert "test_notebook.divided" in said
