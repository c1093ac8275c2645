"""`tg` and those who mistype: nothing is made, and what can be typed next is told."""

import pytest

CHOOSES = """
import taskgraph
from taskgraph import TaskGenerator

taskgraph.set_jugdir("chosen")


@TaskGenerator
def fail():
    raise ValueError("nothing to see")


@TaskGenerator
def three():
    return 3


fail()
three()
"""


def stores(tg):
    return list(tg.folder.rglob("*.tgdata"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["typo.py"], "there is no jugfile typo.py"),
        (["broken"], "there is no jugfile broken; did you mean broken.py?"),
        ([], "there is no jugfile jugfile.py"),
        (["folder"], "folder is a directory, no jugfile"),
        (["broken.py"], "broken.py:2: SyntaxError: '(' was never closed, in: f = ("),
        (["null.py"], "null.py"),
    ],
)
def test_what_is_no_jugfile_leaves_no_store(tg, words, sentence):
    (tg.folder / "folder").mkdir()
    tg.write("broken.py", "a = 1\nf = (")
    tg.write("null.py", "a = '\0'")

    refused = tg("execute", *words, code=2)

    assert sentence in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert stores(tg) == []


@pytest.mark.parametrize(
    "options", [("--name", "nothing"), ("--name", "total", "--pattern", "noth")]
)
@pytest.mark.parametrize("command", ["execute", "retry", "errors", "invalidate"])
def test_a_name_that_no_function_has_is_refused(tg, command, options):
    tg.ran("sums.py")

    refused = tg(command, "sums.py", *options, code=2)

    assert "no function of that name: 'noth" in refused.stderr
    assert "there are sums.number, sums.square, sums.total" in refused.stderr


def test_a_name_may_be_that_of_a_function_behind_a_barrier(tg):
    tg.jugfile("barriers.py")

    done = tg("execute", "barriers.py", "--name", "total", "--max-wait", "0")

    assert "more may appear behind a barrier of barriers.py" in done.stderr


def test_a_name_of_which_no_task_failed_is_no_mistake(tg):
    tg.ran("failing.py", code=1)

    done = tg("retry", "failing.py", "--name", "merge")

    assert "no task has failed of that name" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "steps"),
    [
        (("execute", "failing.py"), 1, ("`tg errors failing.py`", "`tg retry")),
        (("execute", "-q", "failing.py"), 1, ("`tg errors failing.py`",)),
        (("retry", "failing.py"), 0, ("`tg execute failing.py`",)),
        (("value", "failing.py", "leave"), 1, ("`tg errors failing.py`",)),
        (("wait", "failing.py"), 1, ("`tg errors failing.py`",)),
        (("undo", "failing.py", "7"), 2, ("`tg undo failing.py --list`",)),
    ],
)
def test_commands_in_sentences_can_be_typed_as_they_are(tg, words, code, steps):
    tg.ran("failing.py", code=1)
    if words[0] == "undo":
        tg("retry", "failing.py")

    said = tg(*words, code=code).stderr

    assert all(step in said for step in steps)


def test_commands_in_sentences_name_a_store_that_was_given(tg):
    tg.jugfile("failing.py")
    where = ("failing.py", "--store", "my store")
    said = tg("execute", *where, code=1).stderr
    said += tg("invalidate", *where, "--name", "load", "-y").stderr
    said += tg("cleanup", *where, "-y", "--", "3").stderr

    assert "`tg errors failing.py --store 'my store'`" in said
    assert "`tg undo failing.py " in said
    assert said.count("--store 'my store'`") == said.count("`tg ")


def test_damage_names_the_command_that_repairs_it(tg):
    tg.ran("outputs.py")
    for blob in (tg.folder / "outputs.tgdata" / "blobs").glob("*/*"):
        blob.write_bytes(b"something else")

    refused = tg("value", "outputs.py", "image", code=4)

    assert "run `tg fsck outputs.py --repair`" in refused.stderr


@pytest.fixture
def chooser(tg):
    tg.write("chooser.py", CHOOSES)
    tg("execute", "chooser.py", code=1)
    return tg


def test_commands_follow_a_jugfile_to_the_store_that_it_chose(chooser):
    assert chooser.json("status", "chooser.py")["total"]["failed"] == 1
    assert chooser.json("errors", "chooser.py")[0]["message"] == "nothing to see"
    assert "1 of 2 tasks done" in chooser("check", "chooser.py", code=1).stderr
    chooser("wait", "chooser.py", "--timeout", "20", code=1)
    assert chooser("value", "chooser.py", "three").stdout == "3\n"


def test_the_store_that_a_jugfile_chose_is_found_from_another_folder(chooser):
    (chooser.folder / "sub").mkdir()
    chooser.folder /= "sub"

    assert chooser.json("status", "../chooser.py")["total"]["failed"] == 1


def test_a_jugfile_that_chooses_no_store_any_more_is_in_its_own(chooser):
    path = chooser.folder / "chooser.py"
    path.write_text(
        CHOOSES.replace("taskgraph.set_jugdir", "print").replace(
            "raise ValueError", "return str"
        )
    )

    chooser("execute", "chooser.py")

    assert chooser.json("status", "chooser.py")["total"]["done"] == 2


@pytest.mark.parametrize("command", ["errors", "retry"])
def test_what_never_ran_has_not_succeeded(tg, command):
    tg.ran("sums.py")
    tg.jugfile("sums.py", to="other.py")

    nowhere = tg(command, "other.py").stderr
    elsewhere = tg(command, "other.py", "--store", "sums.tgdata").stderr

    assert "has not run yet" in nowhere
    assert "has not run with the store" in elsewhere
    assert "no task has failed" not in nowhere + elsewhere


def test_functions_with_other_code_than_their_results_are_told(tg):
    path = tg.ran("sums.py")
    text = path.read_text()
    path.write_text(text.replace("x * x", "x ** 3").replace("sum(xs)", "-sum(xs)"))

    told = tg("execute", "sums.py").stderr

    assert "code of `square` changed since 4 results; code of `total`" in told
    assert "`tg accept sums.py NAME` keeps them for good" in told
    assert "`tg invalidate sums.py --changed` forgets them" in told
    tg("invalidate", "sums.py", "--changed", "-y")
    again = tg("execute", "sums.py").stderr
    assert "5 done" in again or "9 done" in again
    assert "changed" not in again
    assert tg("value", "sums.py", "total").stdout == "-36\n"


def test_one_result_of_other_code_is_enough_to_tell(tg):
    path = tg.ran("sums.py")
    path.write_text(path.read_text().replace("x * x", "x ** 3"))
    first = tg.json("show", "sums.py", "square")[0]["key"]
    tg("invalidate", "sums.py", "--key", first, "-y")
    tg("execute", "sums.py")

    assert "code of `square` changed since 3 results" in tg("execute", "sums.py").stderr


def test_a_comment_is_no_change(tg):
    path = tg.ran("sums.py")
    path.write_text("# new\n" + path.read_text().replace("x * x", "x * x  # new"))

    assert "changed" not in tg("execute", "sums.py").stderr


def test_tasks_among_which_to_choose_are_listed_with_key_and_arguments(tg):
    tg.ran("sums.py")

    done = tg("value", "sums.py", "number", code=2)

    (header, *lines) = done.stdout.splitlines()
    assert header.split() == ["key", "task", "arguments"]
    for key, _, argument in map(str.split, lines):
        assert tg("value", "sums.py", key).stdout == f"{argument}\n"


NAMES = f"""
from taskgraph import TaskGenerator


def one():
    return 1


one.__name__ = one.__qualname__ = "{"long" * 100}"
TaskGenerator(one)()


def two():
    raise ValueError("no")


two.__name__ = two.__qualname__ = "a\\nb\\x1b[31m"
TaskGenerator(two)()
"""


def test_names_that_are_long_or_have_lines_do_not_break_tables(tg):
    tg.write("names.py", NAMES)
    tg("execute", "names.py", code=1)

    shown = tg("status", "names.py").stdout

    header, rule, total = (shown.splitlines()[place] for place in (0, -2, -1))
    assert len(shown.splitlines()) == 5
    assert max(map(len, shown.splitlines())) < 160
    assert header.startswith("task ")
    assert set(rule) == {"-"}
    assert total.split()[0] == "all"
    assert "a\\nb\\x1b[31m" in shown
    assert "1 task of names.a\\nb\\x1b[31m failed" in tg("errors", "names.py").stdout
    names = [row["name"] for row in tg.json("status", "names.py")["functions"]]
    assert names == ["names.a\nb\x1b[31m", f"names.{'long' * 100}"]


def test_a_store_in_memory_is_refused_where_workers_are_other_processes(tg):
    tg.jugfile("sums.py")
    where = ("sums.py", "--store", "memory:")

    assert "a store in memory ends" in tg("execute", *where, code=2).stderr
    tg("execute", *where, "--debug")
    assert "a store in memory ends" in tg("status", *where, code=2).stderr
    assert {path.name for path in tg.folder.iterdir()} - {"pyc"} == {"sums.py"}


@pytest.mark.parametrize(
    "words", ["execute", "status", "wait", "count", "cleanup", "value number"]
)
def test_a_store_of_a_kind_that_there_is_not_is_refused(tg, words):
    tg.jugfile("sums.py")
    command, *more = words.split()

    said = tg(command, "sums.py", *more, "--store", "gopher://host", code=2).stderr

    assert "tg: 'gopher://host': no backend for 'gopher'; give a directory" in said
    assert not (tg.folder / "gopher:").exists()


def test_a_jugfile_may_have_a_colon_in_its_name(tg):
    tg.jugfile("sums.py", to="re:sums.py")
    tg.write("tg.toml", 'store = "./at:noon"\n')
    tg("execute", "-q", "re:sums.py")
    (tg.folder / "tg.toml").unlink()

    assert "has not run yet" in tg("status", "re:sums.py").stderr
    tg("execute", "-q", "re:sums.py")

    for place in ("at:noon", "re:sums.tgdata"):
        assert (tg.folder / place / "format.json").is_file()


@pytest.mark.parametrize("command", ["undo", "locks", "errors", "retry", "status"])
def test_what_never_ran_is_told_in_one_sentence(tg, command):
    tg.jugfile("sums.py")

    said = tg(command, "sums.py").stderr

    assert said == "tg: sums.py has not run yet; start it with `tg execute sums.py`\n"


@pytest.mark.parametrize(
    "line", ["import jug", "from jug import Task", "from jug.task import Task as T"]
)
def test_a_jugfile_that_imports_jug_is_told_how_it_moves_over(tg, line):
    package = tg.folder / "jug"
    package.mkdir()
    (package / "__init__.py").write_text("from jug.task import Task\n")
    (package / "task.py").write_text("class Task:\n    pass\n")
    tg.write("old.py", f"{line}\n")

    said = tg("execute", "old.py").stderr

    assert "old.py has no tasks; those of jug do not count: import them from" in said


@pytest.mark.parametrize("line", ["jug.barrier()", "jug.bvalue(double(2))"])
def test_a_barrier_of_jug_is_told_how_it_moves_over(tg, line):
    pytest.importorskip("jug")
    lines = ["import jug", "@jug.TaskGenerator", "def double(x):", "    return 2 * x"]
    tg.write("old.py", "\n".join([*lines, "double(1)", line, ""]))

    found = tg("execute", "old.py", code=2)

    assert found.stderr.startswith("tg: old.py:6: ")
    assert "jug's modules are here by the same names: write taskgraph" in found.stderr


@pytest.mark.parametrize(
    "words",
    [
        "execute sums.py --lease nan",
        "execute sums.py --max-wait nan",
        "wait sums.py --timeout nan",
        "cleanup sums.py --empty-trash nan",
    ],
)
def test_what_is_no_number_is_refused(tg, words):
    tg.jugfile("sums.py")

    assert (
        "or more" in (said := tg(*words.split(), code=2).stderr) or "more than" in said
    )


@pytest.mark.parametrize("module", ["jug", "jug.mapreduce", "jug.utils"])
def test_a_jugfile_that_imports_jug_is_told_what_to_write(tg, module):
    tg.write("work.py", f"import sys\nsys.modules['jug'] = None\nimport {module}\n")

    said = tg("execute", "work.py", code=2).stderr

    assert "write taskgraph for jug" in said
    assert "docs/from-jug.md" in said


@pytest.mark.parametrize("command", ["status", "errors", "retry"])
def test_a_function_taken_for_an_argument_of_the_script_is_told(tg, command):
    tg.ran("sums.py")

    told = tg(command, "sums.py", "total").stderr

    assert "total is a function of sums.py, and was taken as an argument" in told
    assert "--name total" in told
    assert "is a function" not in tg(command, "sums.py", "3").stderr
