"""`tg errors` and `tg retry`: why tasks failed, and letting them run again."""


def test_equal_errors_are_shown_together(tg):
    tg.ran("failing.py", code=1)

    groups = tg.json("errors", "failing.py")

    assert [(group["function"], group["count"]) for group in groups] == [
        ("failing.load", 3),
        ("failing.leave", 1),
    ]
    assert {task["arguments"] for task in groups[0]["tasks"]} == {"1", "3", "5"}
    assert groups[0]["tasks"][0]["output"] == "loading 1\n"
    assert groups[1]["error"] == "SystemExit"
    text = tg("errors", "failing.py", "--name", "load").stdout
    assert "3 tasks of failing.load failed (exception): ValueError: bad file 1" in text
    assert text.count("Traceback") == 1
    assert 'raise ValueError(f"bad file {i}")' in text
    assert "    | loading 3" in text
    assert "taskgraph/execution" not in text


def test_errors_of_a_run_without_any(tg):
    tg.ran("sums.py")

    assert tg.json("errors", "sums.py") == []
    assert "no task has failed" in tg("errors", "sums.py").stderr


def test_failed_tasks_are_left_alone_if_told_so(tg):
    tg.ran("failing.py", code=1)
    start = tg.json("errors", "failing.py")[0]["tasks"][0]["start"]

    tg("execute", "failing.py", "--no-retry", code=1)

    assert tg.json("errors", "failing.py")[0]["tasks"][0]["start"] == start
    tg("retry", "failing.py", "--name", "load")
    assert tg.json("status", "failing.py")["total"]["failed"] == 1
    tg("execute", "failing.py", code=1)
    assert tg.json("errors", "failing.py")[0]["tasks"][0]["start"] > start


def test_a_failure_is_forgotten_when_its_function_was_mended(tg):
    path = tg.ran("failing.py", code=1)
    path.write_text(path.read_text().replace("if i % 2", "if False"))

    done = tg("execute", "failing.py", code=1)

    assert "4 tasks that failed before are tried again" in done.stderr
    assert tg.json("status", "failing.py")["total"]["failed"] == 1


def test_retry_of_nothing_says_so(tg):
    tg.ran("sums.py")

    assert "no task has failed" in tg("retry", "sums.py").stderr


OF_ARGUMENTS = """
import sys
from taskgraph import TaskGenerator

@TaskGenerator
def f(word):
    raise ValueError(word)

f(sys.argv[1])
"""


def test_failures_are_those_of_a_run_with_some_arguments(tg):
    tg.write("words.py", OF_ARGUMENTS)
    tg("execute", "-q", "words.py", "--", "one", code=1)
    tg("execute", "-q", "words.py", "--", "two", code=1)

    def told(*words):
        return [group["message"] for group in tg.json("errors", "words.py", *words)]

    assert told("--", "one") == ["one"]
    assert told("--", "two") == told() == ["two"]
    assert told("--", "three") == []
    assert "has not run with three" in tg("errors", "words.py", "--", "three").stderr
    assert "1 task will run again" in tg("retry", "words.py", "--", "one").stderr
    assert told("--", "one") == []
    assert told("--", "two") == ["two"]


def test_results_are_forgotten_of_a_run_with_some_arguments(tg):
    tg.write("words.py", OF_ARGUMENTS.replace("raise ValueError(word)", "return word"))
    for word in ("one", "two"):
        tg("execute", "-q", "words.py", "--", word)

    tg("invalidate", "words.py", "--name", "f", "-y", "--", "one")

    assert tg.json("status", "words.py", "--", "one")["total"]["done"] == 0
    assert tg.json("status", "words.py", "--", "two")["total"]["done"] == 1
