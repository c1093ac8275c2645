"""What the author of a jugfile can write, and what it means."""

import functools
import pickle
import statistics

import pytest
from hypothesis import given, strategies as st

from taskgraph import (
    CachedFunction,
    Task,
    TaskGenerator,
    Tasklet,
    init,
    is_jug_running,
    iteratetask,
    open_store,
    return_tuple,
    run,
    set_jugdir,
    value,
)
from taskgraph.errors import NoResultError, TaskInsideTaskError, UsageError
from taskgraph.execution.at_once import run_at_once
from taskgraph.tasks.recording import Recording, recorded_in


@TaskGenerator
def double(x):
    return 2 * x


@TaskGenerator
def add(*terms, start=0):
    return sum(terms, start)


@TaskGenerator
def split(text, sep=" "):
    return text.split(sep)


@pytest.fixture
def recording():
    with recorded_in(Recording(open_store("memory://"), run_at_once)) as recording:
        yield recording


def test_a_call_is_written_down_and_not_made(recording):
    task = double(4)
    assert isinstance(task, Task)
    assert not task.can_load()
    assert recording.tasks == [task]


def test_a_task_has_the_result_of_its_call(recording):
    task = add(double(1), double(2), start=double(3))
    run(recording.tasks)
    assert value(task) == task.result == task.value() == 12


def test_jugs_attributes_are_there(recording):
    task = add(double(1), 5)
    assert task.f is add.f
    assert task.name.endswith("test_task.add")
    assert task.args[1] == 5
    assert task.dependencies() == (task.args[0],)
    assert task.hash() == task.key.hex().encode()
    assert not task.can_run()


def test_the_generator_keeps_the_functions_name_and_doc():
    @TaskGenerator
    def documented():
        """Do nothing."""

    assert documented.__doc__ == "Do nothing."
    assert documented.__name__ == "documented"


def test_generators_pickle_by_name():
    assert pickle.loads(pickle.dumps(double)) is double


def test_a_lambda_is_refused_with_advice():
    with pytest.raises(UsageError, match="lambda has no name"):
        Task(lambda: 1)


def test_a_lambda_with_a_name_is_a_function_like_others(recording):
    task = TaskGenerator(lambda x: x + 1, name="increment")(1)
    run(recording.tasks)
    assert value(task) == 2


def test_partials_are_unwrapped(recording):
    assert Task(functools.partial(add, 1), 2).key == add(1, 2).key


def test_builtins_and_library_functions_can_be_tasks(recording):
    tasks = [Task(statistics.mean, [1, 2, 6]), Task(len, "abc"), Task(max, 1, 2)]
    run(recording.tasks)
    assert value(tasks) == [3, 3, 2]


def test_a_wrong_call_is_refused_where_it_is_written():
    with pytest.raises(TypeError, match="missing a required argument: 'x'"):
        double()


def test_tasklets_are_views_of_results(recording):
    words = split("a b c")
    doubled = double(words[1])
    pair = words[0:2][1]
    run(recording.tasks)
    assert value([words[2], pair]) == ["c", "b"]
    assert value(doubled) == "bb"


def test_a_tasklet_can_apply_a_function(recording):
    words = split("a b c")
    count = double(Tasklet(words, len))
    run(recording.tasks)
    assert value(count) == 6


def test_a_tasklet_may_be_indexed_by_a_task(recording):
    word = split("a b c")[double(1)]
    shown = double(word)
    run([*recording.tasks])
    assert value(shown) == "cc"


def test_iterating_over_a_task_is_refused_with_advice():
    with pytest.raises(NotImplementedError, match="iteratetask"):
        list(split("a b"))


def test_iteratetask_gives_the_first_items(recording):
    first, second = iteratetask(split("a b"), 2)
    items = iteratetask(split("a b"), 2)
    joined = add("x", items[0], start="") if False else double(items)
    run(recording.tasks)
    assert value([first, second, items[-1], len(items)]) == ["a", "b", "b", 2]
    assert value(joined) == ["a", "b"] * 2


def test_an_index_below_0_counts_from_the_end_of_the_result(recording):
    items = iteratetask(split("a b c"), 2)
    run(recording.tasks)
    assert value([items[-1], *items[0:2], *items]) == ["c", "a", "b", "a", "b"]
    with pytest.raises(UsageError, match="count from its beginning"):
        items[-1:]
    with pytest.raises(IndexError, match="item 2 of an iteratetask of 2"):
        items[2]


def test_return_tuple_takes_whatever_returns_a_task(recording):
    @return_tuple(2)
    def built(text):
        return split(text + " b")

    @return_tuple(2)
    def finished(text):
        return text, text

    one, other = built("a")
    run(recording.tasks)
    assert value([one, other]) == ["a", "b"]
    with pytest.raises(UsageError, match="returned tuple, no task; put @TaskGenerator"):
        finished("a")


def test_return_tuple_gives_tasklets(recording):
    @return_tuple(2)
    @TaskGenerator
    def halves(x):
        return x // 2, x - x // 2

    small, large = halves(7)
    run(recording.tasks)
    assert value((small, large)) == (3, 4)


def test_return_tuple_checks_the_size_when_it_loads(recording):
    small, _, _ = return_tuple(3)(split)("a b")
    run(recording.tasks)
    with pytest.raises(NoResultError, match="has 2 items"):
        value(small)


@pytest.mark.parametrize("inner", [return_tuple(2), TaskGenerator])
def test_decorators_in_the_wrong_order_are_refused_with_advice(inner):
    with pytest.raises(UsageError, match=r"put @return_tuple above @TaskGenerator"):

        @TaskGenerator
        @inner
        def halves(x):
            return x // 2, x - x // 2


def test_a_tasklet_of_a_lambda_is_refused_with_advice(recording):
    with pytest.raises(UsageError, match=r"write task\[-1\] for an item, or define"):
        Tasklet(split("a b"), lambda words: words[-1])


def test_value_looks_into_containers(recording):
    task = double(2)
    run([task])
    assert value({"a": [task, (task, {"b": task})], 1: {3}}) == {
        "a": [4, (4, {"b": 4})],
        1: {3},
    }


def test_a_value_that_is_not_there_says_what_to_do(recording):
    with pytest.raises(NoResultError, match="no result yet; run `tg execute`"):
        value(double(2))


def test_without_a_store_a_value_says_what_to_do():
    with pytest.raises(UsageError, match="set_jugdir"):
        value(double(2))


def test_cached_function_runs_now_and_once(recording, tmp_path):
    count = tmp_path / "count"
    count.write_text("")
    assert CachedFunction(_touch, str(count)) == 1
    assert CachedFunction(_touch, str(count)) == 1
    assert recording.tasks == []


def _touch(path):
    with open(path, "a") as file:  # noqa: PTH123 - appends
        file.write("x")
    with open(path) as file:  # noqa: PTH123
        return len(file.read())


def test_two_graphs_live_in_one_process():
    with recorded_in(Recording(open_store("memory://"))) as one:
        first = double(1)
    with recorded_in(Recording(open_store("memory://"))) as other:
        second = double(1)
    run(one.tasks)
    assert value(first) == 2
    assert not second.can_load()
    assert one.tasks != other.tasks


def test_set_jugdir_chooses_the_store(tmp_path):
    with recorded_in(Recording()):
        store = set_jugdir(tmp_path / "store")
        task = double(21)
        run(task)
        assert store.load(task.key) == 42
    assert (tmp_path / "store" / "format.json").exists()


def test_init_loads_a_jugfile_and_its_results(tmp_path):
    jugfile = tmp_path / "some_work.py"
    jugfile.write_text(
        "from taskgraph import TaskGenerator, barrier, value, is_jug_running\n"
        "@TaskGenerator\ndef f(x): return x + 1\n"
        "running = is_jug_running()\n"
        "one = f(1)\nbarrier()\ntwo = f(value(one))\n"
    )
    with recorded_in(Recording()):
        store, space = init(jugfile, store=tmp_path / "s", on_error="propagate")
        assert space["__jug__hasbarrier__"] is True
        assert space["running"] is True
        run(jugfile, store=store)
        _, space = init(jugfile, store=tmp_path / "s")
        assert value(space["two"]) == 3
    assert not is_jug_running()


def test_a_task_inside_a_task_is_refused(recording):
    task = TaskGenerator(_nested)(1)
    with pytest.raises(TaskInsideTaskError, match=r"call the plain function|g\.f"):
        task.run()


def _nested(x):
    return double(x)


def test_a_method_is_refused():
    class Model:
        @TaskGenerator
        def fit(self):
            return 1

    with pytest.raises(UsageError, match="methods cannot be tasks"):
        Model().fit()


def test_ignoring_what_is_no_argument_is_refused():
    with pytest.raises(UsageError, match="no argument threds to ignore"):

        @TaskGenerator(ignore=("threds",))
        def f(x, threads=1):
            return x


def test_a_name_keeps_results_when_a_function_is_renamed():
    old = TaskGenerator(statistics.mean, name="work.mean")
    new = TaskGenerator(statistics.fmean, name="work.mean")
    assert old.name == new.name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1, 2), {"start": 0}),
        ((), {}),
    ],
    ids=["extra", "none"],
)
def test_defaults_spelled_out_make_no_difference(one, other):
    assert add(*one).key == add(*one, start=0).key == add(*one, **other).key


@given(st.one_of(*map(st.from_type, (bool, int, float, complex, str, bytes, tuple))))
def test_one_argument_alone_is_as_it_was_written(x):
    task = Task(id, x)
    (found,), kwargs = task.args, task.kwargs
    assert found is x
    assert kwargs == {}
    assert task.key == task.generator.key_of(task) == Task(id, *(x,)).key
    assert not task.changed()
