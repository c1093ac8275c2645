"""Sweeps: their tasks, how far they are, what came out, the best of it, its picture."""

import functools
import math
import os
from dataclasses import dataclass

import numpy as np
import pandas
import pytest

from backends.liveness import worker_identity
from backends.opening import open_backend
from taskgraph import (
    CompoundTaskGenerator,
    NoResultError,
    Results,
    Task,
    TaskGenerator,
    UsageError,
    WorkerOptions,
    invalidate,
    open_store,
    return_tuple,
    run,
    set_jugdir,
    sweep,
    table,
    value,
)
from taskgraph.tasks.recording import current_recording, set_recording


@dataclass
class Found:
    dice: float
    labels: np.ndarray


@TaskGenerator
def segment(x, sigma=1.0, state="new"):
    if x == 3:
        raise ValueError("three is too many")
    return Found(x / sigma, np.full((300, 300), x, np.int32))


@TaskGenerator
def count(path, sigma):
    return len(path) * sigma


@TaskGenerator
def fields(x, error=None):
    return {"x": -x, "state": "solid", "y": x}


@TaskGenerator
def listed(results):
    return results


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store")


def test_a_sweep_is_its_tasks_and_an_argument_like_a_list_of_them(store):
    tried = sweep(count, {"path": ["a", "bb"]}, sigma=3)
    assert len(tried) == 2
    assert list(tried) == tried.tasks
    together = listed(tried)
    assert together.key == listed(tried.tasks).key

    run(together, store=store, workers=0)

    assert value(together) == [3, 6] == value(tried)
    assert value(tried[1:]) == [6]
    assert tried[1:].points == [{"path": "bb"}]


@return_tuple(2)
@TaskGenerator
def halves(x):
    return x // 2, x - x // 2


@CompoundTaskGenerator
def twice(x, y):
    return count(count(x, y), y)


def test_whatever_writes_calls_down_can_be_swept(store):
    both = sweep(halves, {"x": [4, 7]})
    compound = sweep(twice, {"x": ["a", "bb"]}, y=1)
    partly = sweep(functools.partial(count, "abc"), {"sigma": [1, 2]})
    run([*both, *partly], store=store, workers=0)

    assert both.table()["halves[1]"] == [2, 4]
    assert compound.table()["x"] == ["a", "bb"]
    assert [task.name for task in compound] == [f"{__name__}.twice"] * 2
    assert partly[1].key == count("abc", 2).key
    assert partly.table()["count"] == [3, 6]


def test_a_frame_says_how_far_each_point_is(store):
    tried = sweep(segment, {"x": [1, 2, 3, 4]}, sigma=2)
    assert tried.to_frame()["state"].tolist() == ["waiting"] * 4

    run(tried[:3], store=store, workers=0, check=False)
    frame = tried.to_frame()

    assert frame["state"].tolist() == ["done", "done", "failed", "waiting"]
    assert frame["error"][2] == "ValueError: three is too many"
    assert frame["dice"].tolist()[:2] == [0.5, 1.0]
    assert frame["dice"].isna()[3]
    assert frame["labels"][0] == "int32 (300, 300)"
    assert frame["sigma"].tolist() == [2] * 4
    again = sweep(segment, {"x": [1, 2, 3, 4]}, sigma=2)
    assert again.to_frame()["state"].tolist() == ["waiting"] * 4
    assert again.to_frame(store=store.backend.url).equals(frame)


def test_what_a_running_or_blocked_task_is_called(store):
    bad, good = segment(3), segment(1)
    tried = sweep(listed, {"results": [[bad], [good], [1]]})
    run([*tried[2:], bad, good], store=store, workers=0, check=False)
    mine = Results(open_backend(store.backend.url, worker="me"))
    mine.backend.refresh()
    mine.backend.claim([tried[1].key])
    assert table(tried, store=store)["state"] == ["blocked", "waiting", "done"]

    mine.backend.members.beat("me", worker_identity(os.getpid(), 100.0))

    assert table(tried, store=store)["state"] == ["blocked", "running", "done"]


@TaskGenerator(files=True)
def saved(path):
    path.write_text("text")
    return path


def test_a_task_whose_file_is_gone_is_not_done_nor_what_was_made_of_it(tmp_path, store):
    tried = sweep(saved, {"path": [tmp_path / "a", tmp_path / "b"]})
    after = sweep(listed, {"results": list(tried)})
    run(after, store=store, workers=0)
    (tmp_path / "a").unlink()

    assert tried.table()["state"] == ["waiting", "done"]
    assert after.table()["state"] == ["waiting", "done"]


def test_an_argument_keeps_its_name_before_our_columns_and_these_before_results(store):
    tasks = [fields(1), segment(1), segment(3)]
    run(tasks, store=store, workers=0, check=False)

    first, second = table("fields", tasks), table("segment", tasks)

    assert list(first.columns) == [
        "x",
        "error",
        "result.x",
        "result.state",
        "y",
        "state",
    ]
    assert list(second.columns) == [
        *("x", "sigma", "state", "dice", "labels", "task.state", "error"),
    ]
    assert second["task.state"] == ["done", "failed"]


def test_a_table_is_of_a_name_a_function_or_tasks(store):
    tasks = [count("a", 1), count("bb", sigma=2), Task(divmod, 7, 2)]
    run(tasks, store=store, workers=0)

    for which in ("count", "cou*", count, count.name):
        assert table(which, tasks).columns == {
            "path": ["a", "bb"],
            "sigma": [1, 2],
            "count": [1, 4],
            "state": ["done", "done"],
        }
    assert table(divmod, tasks)["x"] == [7]
    both = table(tasks)
    assert both["function"] == [count.name, count.name, "builtins.divmod"]
    assert both["x"] == [None, None, 7]
    assert both["result"] == [1, 4, None]
    with pytest.raises(UsageError, match="did you mean count"):
        table("coumt", tasks)
    with pytest.raises(UsageError, match="a table is of tasks"):
        table("count", [3])
    with pytest.raises(UsageError, match="of which tasks"):
        table("count")
    with pytest.raises(UsageError, match="tasks alone"):
        table(tasks, tasks)


def test_a_notebook_asks_for_what_it_has_written_down_so_far(tmp_path):
    before = current_recording()
    try:
        set_jugdir(tmp_path / "store")
        sweep(count, {"path": ["a"]}, sigma=1)
        run(sweep(count, {"path": ["a", "bb"]}, sigma=1), workers=0)
        assert table(count)["count"] == [1, 2]
    finally:
        set_recording(before)


def test_a_file_a_task_and_a_default_are_told_in_words(tmp_path, store):
    from taskgraph import File

    path = tmp_path / "a.txt"
    path.write_text("text")
    tasks = [listed(File(path)), listed(count("a", 1)), segment(1)]

    assert table("listed", tasks)["results"] == [str(path), f"{count.name}('a', 1)"]
    assert table("segment", tasks)["sigma"] == [1.0]


def test_damaged_results_are_told_and_leave_the_others(tmp_path):
    tried = sweep(count, {"path": ["a", "bb", "c"]}, sigma=2)
    for task in tried:
        run(task, store=tmp_path / "store")
    second = sorted((tmp_path / "store" / "log").glob("*/*"))[3]
    data = bytearray(second.read_bytes())
    data[-10] ^= 1
    second.write_bytes(data)

    found = table(tried, store=tmp_path / "store")

    assert found["state"] == ["done", "damaged", "done"]
    assert found["count"] == [2, None, 2]
    assert "checksum" in found["error"][1]
    assert found.damaged == 1


def test_arrays_are_not_read(tmp_path):
    tried = sweep(segment, {"x": [1, 2]}, sigma=2)
    run(tried, store=tmp_path / "store")
    store = open_store(tmp_path / "store")
    for blob in (tmp_path / "store").rglob("*.npy*"):
        blob.write_bytes(b"spoilt")

    assert table(tried, store=store)["labels"] == ["int32 (300, 300)"] * 2
    assert table(tried, store=store)["dice"] == [0.5, 1.0]


def test_results_that_are_not_asked_for_are_not_loaded(store, monkeypatch):
    from taskgraph.sweeps.tabulating import tabulate

    tried = sweep(count, {"path": ["a", "bb"]}, sigma=2)
    run(tried, store=store, workers=0)
    asked = []
    read = type(store).outline
    monkeypatch.setattr(
        type(store), "outline", lambda *args: asked.append(1) or read(*args)
    )

    def of(**options):
        asked.clear()
        found = tabulate(tried.tasks, store, **options)
        return len(asked), found.columns

    assert of(columns=["path"], where="state == 'done'") == (0, {"path": ["a", "bb"]})
    assert of(where="path == 'bb'")[0] == 1
    assert of(columns=["path"], sort=["count"], descending=True) == (
        2,
        {"path": ["bb", "a"]},
    )


def test_the_best_is_of_those_that_are_done(store):
    tried = sweep(segment, {"x": [1, 2, 3, 4]}, sigma=2)
    with pytest.raises(UsageError, match="no column 'dice'"):
        tried.best("dice")
    run(tried, store=store, workers=0, check=False)

    assert tried.best("dice")["x"] == 4
    assert tried.best("dice", lowest=True)["x"] == 1
    invalidate(tried)
    with pytest.raises((UsageError, NoResultError)):
        tried.best("dice")


def test_a_sweep_that_grows_computes_only_what_is_new(tmp_path):
    store = tmp_path / "store"
    small = sweep(count, {"path": ["a", "b"], "sigma": [1, 2]})
    assert run(small, store=store, workers=0).done == 4

    large = sweep(count, pandas.DataFrame([*small.points, {"path": "c", "sigma": 9}]))

    options = WorkerOptions(max_tasks=1)
    assert run(large, store=store, workers=0, options=options).done == 5


def test_a_plot_has_a_line_for_each_value_and_leaves_out_what_is_not_there(store):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    tried = sweep(segment, {"x": [4, 1, 2, 3], "sigma": [1, 2]})
    run(tried, store=store, workers=0, check=False)

    axes = tried.plot(x="x", y="dice", by="sigma")

    drawn = axes.get_lines()[0]
    assert list(drawn.get_xdata()) == [1, 2, 4]
    assert list(drawn.get_ydata()) == [1, 2, 4]
    assert [t.get_text() for t in axes.get_legend().get_texts()] == [
        "sigma = 1",
        "sigma = 2",
    ]
    assert axes.get_xlabel() == "x"
    with pytest.raises(UsageError, match="did you mean dice"):
        tried.plot(x="x", y="dise")


def test_what_is_not_installed_is_told(store, monkeypatch):
    tried = sweep(count, {"path": ["a"]}, sigma=math.inf)
    for name in ("pandas", "pyarrow", "matplotlib"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    for deed in (
        tried.to_frame,
        lambda: tried.to_parquet("x.parquet"),
        lambda: tried.plot(x="path", y="sigma"),
    ):
        with pytest.raises(UsageError, match="not installed"):
            deed()


@TaskGenerator
def noisy(sigma, size=2, *, rng: np.random.Generator):
    return sigma * rng.normal(size=size)


def test_a_function_that_wants_random_numbers_is_given_them_at_each_point():
    set_jugdir("memory:")
    tried = sweep(noisy, {"sigma": [1, 2], "size": [1, 2]})
    assert tried[0].hash() == noisy(sigma=1, size=1).hash()
    run(tried)
    drawn = [
        number / point["sigma"]
        for point, found in zip(tried.points, value(tried), strict=True)
        for number in found
    ]
    assert len(set(drawn)) == 6
