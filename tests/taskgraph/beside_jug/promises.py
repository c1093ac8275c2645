"""What jug's own tests promise to authors of jugfiles, as seventy functions.

Each takes an `Engine`, which is jug or taskgraph, and asserts something; its name says
what. They were written after jug 2.7's tests, and hold under jug.
"""

import functools
import importlib
import pickle
import sys
from collections import namedtuple

import numpy as np
import pytest

Pair = namedtuple("Pair", "a b")


class Engine:
    """An engine, with an empty store in memory; what it is asked for is of its modules.

    ``engine.task.Task`` is ``jug.task.Task``, or that of taskgraph.
    """

    def __init__(self, name, folder):
        self.name = name
        self.folder = folder
        self.top = importlib.import_module(name)

    def __getattr__(self, module):
        return importlib.import_module(f"{self.name}.{module}")

    def run(self, *wanted):
        """Run tasks and what they need; return the value of the first."""
        if self.name == "jug":
            for task in self._in_order(wanted):
                if not task.can_load():
                    task.run()
        else:
            self.top.run(list(wanted), store=self.store, check=False)
        return self.top.value(wanted[0])

    def _in_order(self, wanted):
        tasks = [*wanted]
        for task in wanted:
            tasks += self.task.recursive_dependencies(task)
        tasks = [task for task in tasks if isinstance(task, self.task.Task)]
        self.task.topological_sort(tasks)
        return tasks

    def load(self, text):
        """Read a jugfile; return its names."""
        path = self.folder / "work.py"
        path.write_text(text.replace("ENGINE", self.name))
        sys.modules.pop("work", None)
        if self.name == "jug":
            self.task.alltasks.clear()
        _, space = self.top.init(str(path), store=self.store, on_error="propagate")
        return space

    def execute(self, text, most=9):
        """Read a jugfile and run its tasks, until it says no more; return its names."""
        for _ in range(most):
            space = self.load(text)
            if self.name == "jug":
                tasks = list(self.task.alltasks)
            else:
                jugfile = importlib.import_module("taskgraph.tasks.jugfile").Jugfile
                loaded = jugfile(self.folder / "work.py").load(self.store)
                tasks, space = loaded.graph.tasks, loaded.space
                if loaded.missing:
                    space["__jug__hasbarrier__"] = True
            if tasks:
                self.run(*tasks)
            if not space.get("__jug__hasbarrier__"):
                return space
        return space


def add1(x):
    return x + 1


def add2(x):
    return x + 2


def add(x, y=0, z=0):
    return x + y + z


def same(x):
    return x


def double(x):
    return 2 * x


def square(x):
    return x**2


def total(xs):
    return sum(xs)


def in_order(tasks, deps):
    places = {id(task): place for place, task in enumerate(tasks)}
    return all(
        places[id(need)] < places[id(task)]
        for task in tasks
        for need in deps(task)
        if id(need) in places
    )


def sorted_whole(jug, tasks):
    whole = list(tasks)
    jug.task.topological_sort(whole)
    assert len(whole) == len(tasks)
    assert in_order(whole, lambda task: task.dependencies())
    return whole


def sorting_puts_what_is_needed_first(jug):
    first = [jug.task.Task(add1, x) for x in range(10)]
    later = [jug.task.Task(add1, task) for task in first]
    last = [jug.task.Task(add1, task) for task in later]
    for tasks in ([*later, *first], [*first, *later][::-1], [*last, *first, *later]):
        sorted_whole(jug, tasks)


def sorting_heeds_keyword_arguments(jug):
    first = [jug.task.Task(add2, x=x) for x in range(10)]
    later = [jug.task.Task(add, x=0, y=first[y], z=first[0]) for y in range(4)]
    sorted_whole(jug, [*later, *first])


def sorted_tasks_can_be_run_one_after_the_other(jug):
    first = jug.task.Task(sorted, range(9))
    sums = [jug.task.Task(add, jug.task.Task(sum, first), n) for n in (1, 2)]
    needed = [task.args[0] for task in sums]
    for task in sorted_whole(jug, [*sums, *needed, first]):
        assert task.can_run()
        task.run()


def a_task_that_ran_can_be_loaded(jug):
    task = jug.task.Task(add1, 1)
    assert not task.can_load()
    task.run()
    assert task.can_load()


def other_arguments_are_another_hash(jug):
    assert jug.task.Task(add1, 0).hash() != jug.task.Task(add1, 1).hash()


def another_function_is_another_hash(jug):
    assert jug.task.Task(add1, 0).hash() != jug.task.Task(add2, 0).hash()


def a_lambda_is_no_function_of_a_task(jug):
    with pytest.raises(Exception, match="lambda"):
        jug.task.Task(lambda x: x + 1, 0)


def a_partial_is_its_function_with_its_arguments(jug):
    need = jug.task.Task(add1, 0)
    task = jug.task.Task(functools.partial(add, need, z=10), y=3)
    assert task.name == f"{__name__}.add"
    assert task.hash() == jug.task.Task(add, need, y=3, z=10).hash()
    assert list(task.dependencies()) == [need]
    assert jug.run(task) == 14


def partials_of_partials_are_unwrapped_and_overridden(jug):
    inner = functools.partial(functools.partial(add, 1), y=2, z=3)
    task = jug.task.Task(inner, z=4)
    assert task.hash() == jug.task.Task(add, 1, y=2, z=4).hash()
    assert jug.run(task) == 7


def a_partial_of_a_lambda_is_refused(jug):
    with pytest.raises(Exception, match="lambda"):
        jug.task.Task(functools.partial(lambda x, y: x + y, 1), 2)


def a_generator_makes_tasks_of_one_type(jug):
    assert type(jug.task.TaskGenerator(double)(2)) is jug.task.Task


def a_generator_that_no_name_finds_cannot_be_pickled(jug):
    def local(x):
        return x

    for module in ("no_such_module_at_all", __name__):
        local.__module__ = module
        with pytest.raises(RuntimeError):
            pickle.dumps(jug.task.TaskGenerator(local))


def a_result_outlives_unload(jug):
    task = jug.task.Task(add1, 0)
    task.run()
    assert task.result == 1
    task.unload()
    assert task.result == 1


def unload_recursive_goes_through_chains(jug):
    first = jug.task.Task(add1, 0)
    last = jug.task.Task(add1, jug.task.Task(add1, first))
    jug.run(last)
    last.unload_recursive()
    assert not first.is_loaded()
    assert first.result == 1


def unload_recursive_goes_through_tuples(jug):
    first = jug.task.Task(add1, 0)
    last = jug.task.Task(total, (first, jug.task.Task(add1, first)))
    jug.run(last)
    last.unload_recursive()
    assert not first.is_loaded()


def unload_without_a_result_does_nothing(jug):
    jug.task.Task(add2, 3).unload()


def a_task_is_not_loaded_at_first(jug):
    assert not jug.task.Task(add2, 3).is_loaded()


def a_cached_function_returns_what_it_returned(jug):
    assert jug.task.CachedFunction(same, 123) == 123
    assert jug.task.CachedFunction(same, "mixture") == "mixture"


def a_cached_function_returns_arrays(jug):
    numbers = np.arange(23)
    assert np.array_equal(jug.task.CachedFunction(same, numbers), numbers)


def the_value_of_a_chain_is_known(jug):
    written = jug.task.TaskGenerator(double)
    two = written(1)
    four = written(two)
    for task in (two, four, written(four)):
        task.run()
    assert jug.task.value(written(four)) == 8


def tasks_in_dicts_are_replaced_by_results(jug):
    written = jug.task.TaskGenerator(double)
    two, four = written(1), written(2)
    inside = {"one": two, "three": {1: four, 0: two}}
    found = jug.run(jug.task.Task(same, inside))
    assert found == {"one": 2, "three": {1: 4, 0: 2}}


def a_task_as_text_names_function_and_arguments(jug):
    task = jug.task.Task(add2, 3)
    assert "add2" in str(task)
    assert "add2" in repr(task)
    assert "3" in repr(task)


def functions_that_are_compiled_are_run(jug):
    numbers = jug.task.TaskGenerator(np.array)(list(range(8)))
    assert np.array_equal(jug.run(numbers), np.arange(8))


def a_description_has_keyword_arguments(jug):
    task = jug.task.Task(add, 1, y=2)
    task.run()
    about = jug.task.describe(task)
    assert about["name"].endswith("add")
    assert about["kwargs"] == {"y": 2}


def a_description_goes_into_tuples(jug):
    task = jug.task.Task(add, 1, y=2)
    about = jug.task.describe((task, 3))
    assert about[0]["name"].endswith("add")
    assert about[1] == 3
    inside = jug.task.describe(jug.task.Task(add1, (task, 3)))
    assert inside["args"][0][0]["name"].endswith("add")


def dependencies_are_listed_to_a_level(jug):
    first = jug.task.Task(add1, 0)
    second = jug.task.Task(add1, first)
    third = jug.task.Task(add, second, first)
    listed = jug.task.recursive_dependencies
    assert list(listed(first)) == []
    assert list(listed(third)) == list(listed(third, max_level=None)) == [second, first]
    assert list(listed(third, max_level=0)) == []
    assert list(listed(third, max_level=1)) == [second, first]


def dependencies_are_listed_once_however_many_ways_lead_there(jug):
    tasks = [jug.task.Task(add1, 0)]
    for _ in range(100):
        tasks.append(jug.task.Task(add, tasks[-1], tasks[-1]))
    found = list(jug.task.recursive_dependencies(tasks[-1]))
    assert len(found) == 100
    assert set(map(id, found)) == set(map(id, tasks[:-1]))
    assert len(list(jug.task.recursive_dependencies(tasks[-1], max_level=3))) == 3


def the_shorter_way_counts_for_the_level(jug):
    e = jug.task.Task(add1, 0)
    c = jug.task.Task(add1, e)
    b = jug.task.Task(add1, jug.task.Task(add1, c))
    top = jug.task.Task(add, b, c)
    found = set(map(id, jug.task.recursive_dependencies(top, max_level=3)))
    assert {id(b), id(c), id(e)} < found
    assert set(map(id, jug.task.recursive_dependencies(top, 1))) == {id(b), id(c)}


def dependencies_of_long_chains_are_listed(jug):
    task = jug.task.Task(add1, 0)
    many = sys.getrecursionlimit() + 100
    chain = [task]
    for _ in range(many):
        task = jug.task.Task(add1, task)
        chain.append(task)
        task.hash()
    assert len(list(jug.task.recursive_dependencies(task))) == many


def wrapped_tasks_are_waited_for(jug):
    def wrap(task):
        return jug.utils.CustomHash(task, jug.hash.hash_one)

    for number, wrapped in enumerate((wrap, jug.unsafe.NoHash)):
        need = jug.task.Task(add1, number)
        task = jug.task.Task(add1, wrapped(need))
        assert list(task.dependencies()) == [need]
        assert not task.can_run()
        need.run()
        assert task.can_run()
        assert task.run() == number + 2


def a_task_in_a_named_tuple_is_refused(jug):
    jug.task.Task(same, Pair(1, 2)).hash()
    with pytest.raises(TypeError):
        jug.task.Task(same, Pair(jug.task.Task(add1, 1), 2)).hash()


def a_task_is_locked_and_failed_by_hand(jug):
    assert jug.task.Task(add1, 1).lock()
    task = jug.task.Task(add1, 1)
    task.fail()
    assert task.is_failed()


def views_of_results_are_arguments(jug):
    whole = jug.task.Task(sorted, [4, 0, 2])
    assert jug.run(jug.task.Task(add, whole[0], whole[-1])) == 4
    plus = jug.task.Tasklet(jug.task.Task(add, whole[1], 0), add1)
    assert jug.run(jug.task.Task(add, plus, plus)) == 6


def a_view_may_be_a_lambda(jug):
    whole = jug.task.Task(sorted, [4, 0, 2])
    last = jug.task.Tasklet(whole, lambda found: found[-1])
    assert jug.run(jug.task.Task(add1, last)) == 5


def items_of_a_task_are_iterated_over(jug):
    first, second = jug.task.iteratetask(jug.task.Task(sorted, [2, 0, 4]), 2)
    assert jug.run(jug.task.Task(add, first, second)) == 2


def a_task_waits_for_what_its_views_are_of(jug):
    whole = jug.task.Task(sorted, [4, 0, 2])
    task = jug.task.Task(add1, whole[0])
    assert not task.can_run()
    whole.run()
    assert task.can_run()


def a_view_may_have_a_task_for_its_index(jug):
    @jug.task.return_tuple(2)
    def both(x):
        return jug.task.Task(divmod, x, 3)

    place = jug.task.Task(add1, 1)
    item = jug.task.Task(sorted, [7, 8, 9])[place]
    quotient, rest = both(item)
    jug.run(place)  # which jug does not wait for
    assert jug.run(jug.task.Task(add, quotient, rest)) == 3
