"""What jug's tests promise holds under jug, and here but for what is named."""

import importlib
from pathlib import Path

import pytest

jug = pytest.importorskip("jug", reason="the extra `test` has it")
from taskgraph import set_jugdir  # noqa: E402 - only if jug is there
from taskgraph.tasks.recording import set_recording  # noqa: E402 - as above

from . import more_promises, promises  # noqa: E402 - as above

PROMISES = {
    name.replace("_", " "): promise
    for module in (promises, more_promises)
    for name, promise in vars(module).items()
    if list(getattr(promise, "__annotations__", [])) == []
    and getattr(promise, "__module__", "") == module.__name__
    and getattr(getattr(promise, "__code__", None), "co_varnames", ())[:1] == ("jug",)
    and promise.__code__.co_argcount == 1
}
NOT_HELD = {
    "a task is locked and failed by hand": "`Task.lock`",
    "a view may be a lambda": "`Tasklet(t, lambda r: r[-1])`",
    "a task in a named tuple is refused": "named tuples",
    "hashes are those of earlier versions of jug": "Digests are others than jug's",
    "a generator makes tasks of one type": "`isinstance(t, Task)` is true of both",
}
"""By promise, the words of docs/from-jug.md that say why."""


@pytest.fixture(params=["jug", "taskgraph"])
def engine(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    name = request.param
    hooks = importlib.import_module(f"{name}.hooks")
    for part in ("exit_checks", "execution"):
        importlib.import_module(f"{name}.hooks.{part}")
    made = promises.Engine(name, tmp_path)
    if name == "jug":
        from jug.backends.dict_store import dict_store

        made.store = jug.task.Task.store = dict_store()
    else:
        made.store = set_jugdir("memory://")
    yield made
    hooks.reset_all_hooks()
    set_recording(None)
    jug.task.alltasks.clear()
    jug.task.Task.store = None


@pytest.mark.parametrize("promise", PROMISES)
def test_a_promise_of_jug_holds_here_or_is_named(engine, promise):
    if engine.name == "jug" or promise not in NOT_HELD:
        PROMISES[promise](engine)
        return
    with pytest.raises(BaseException):  # noqa: B017, PT011 - whatever comes instead
        PROMISES[promise](engine)


def test_nearly_all_are_held_and_the_page_for_users_names_the_others():
    page = Path(__file__).parents[3] / "docs" / "from-jug.md"
    assert len(PROMISES) >= 70
    assert len(NOT_HELD) <= 5
    text = page.read_text()
    assert f"{len(PROMISES)} promises" in text
    assert f"{len(PROMISES) - len(NOT_HELD)} hold here" in text
    assert [words for words in NOT_HELD.values() if words not in text] == []
