"""Results computed again: the same, others, or never the same."""

from __future__ import annotations

import json
import os
import pickle
import random
import tempfile
import uuid

import numpy as np
import pytest

from taskgraph import TaskGenerator, invalidate, run, verify
from taskgraph.execution.processes import fork_safety
from taskgraph.tasks.graph import Graph
from taskgraph.verification import verifying
from taskgraph.verification.passes import Forks
from taskgraph.verification.unseeded import Watch

RNG = np.random.default_rng()


@TaskGenerator
def steady(x):
    return {"a": np.arange(9_000) * x}


@TaskGenerator
def unseeded(x):
    return x + np.random.default_rng().random()


@TaskGenerator
def shared(x):
    return x + random.random() + np.random.random()  # noqa: NPY002 - as people do


@TaskGenerator
def named(x):
    return f"{x} {uuid.uuid4()}"


@TaskGenerator
def compiles(x, path):
    """Write a file of a random name, as numba's cache does, and depend on `path`."""
    with tempfile.TemporaryDirectory(prefix=uuid.uuid4().hex):
        return x + os.path.exists(path)  # noqa: PTH110 - it is a text


@TaskGenerator
def asked(x, rng: np.random.Generator):
    return x + rng.random(3)


@TaskGenerator(files=True)
def writes(path):
    return path


@TaskGenerator
def reads(path):
    return path.read_text()


@TaskGenerator
def fatal(path):
    if os.path.exists(path):  # noqa: PTH110 - it is a text
        os._exit(3)
    return 1


@pytest.mark.parametrize("f", [steady, asked])
def test_what_comes_out_the_same_holds(f):
    tasks = [f(1), f(2)]
    run(tasks)
    decision = verify(tasks)
    assert decision.holds
    assert decision.verdicts[0].word == "same"
    assert len(decision.verdicts[0].same) == 2


@pytest.mark.parametrize(
    ("f", "why"),
    [
        (unseeded, "a generator of numpy without a seed"),
        (shared, "the global generator of random and the global generator of numpy"),
        (named, "uuid4"),
    ],
)
def test_what_is_never_the_same_is_told_with_the_reason(f, why):
    task = f(1)
    run(task)
    (verdict,) = verify(task, sample=1).verdicts
    assert verdict.word == "not deterministic"
    assert not verdict.holds
    assert any(why in reason for reason in verdict.reasons())


def test_random_names_of_files_do_not_explain_another_result(tmp_path):
    path = tmp_path / "now"
    task = compiles(1, str(path))
    run(task)
    assert verify(task, sample=1).verdicts[0].reasons() == []
    path.touch()
    (verdict,) = verify(task, sample=1).verdicts
    assert verdict.word == "differs"
    assert verdict.reasons() == ["`compiles`: result: 1 -> 2"]


def test_a_task_that_ends_its_process_fails_alone(tmp_path):
    path = tmp_path / "now"
    tasks = [fatal(str(path)), steady(1)]
    run(tasks)
    path.touch()
    words = {
        verdict.name.rpartition(".")[2]: verdict.word
        for verdict in verify(tasks).verdicts
    }
    assert words == {"fatal": "failed", "steady": "same"}


def test_a_fork_that_dies_before_its_task_is_not_taken_for_the_one_before(
    tmp_path, monkeypatch
):
    tasks = [steady(1), steady(2)]
    run(tasks)
    again = Forks(Graph(tasks))
    one, other = (task.key for task in tasks)
    assert again([one], tmp_path)[one].payload
    monkeypatch.setattr(fork_safety, "reseed", lambda: os._exit(9))
    found = again([other], tmp_path)
    assert [(key, made.failed) for key, made in found.items()] == [(other, True)]


def test_what_writes_files_is_left_alone(tmp_path):
    file = tmp_path / "a"
    file.touch()
    task = writes(file)
    run(task)
    (verdict,) = verify(task).verdicts
    assert (verdict.word, verdict.holds) == ("not compared", False)
    assert "writes files" in verdict.reasons()[0]


def test_what_reads_files_of_tasks_is_compared(tmp_path):
    file = tmp_path / "a"
    file.write_text("some")
    task = reads(writes(file))
    run([task])
    (verdict,) = verify([task], name="reads").verdicts
    assert verdict.word == "same"
    file.write_text("other")
    (verdict,) = verify([task], name="reads").verdicts
    assert verdict.word == "not compared"
    assert "gone or changed" in verdict.reasons()[0]


def test_what_is_forgotten_meanwhile_is_neither_compared_nor_accepted(monkeypatch):
    tasks = [steady(1), steady(2)]
    run(tasks)
    before = verifying._Comparing._pass

    def forget_first(comparing, name, keys):
        found = before(comparing, name, keys)
        invalidate(tasks[0])
        return found

    monkeypatch.setattr(verifying._Comparing, "_pass", forget_first)
    (verdict,) = verify(tasks).verdicts
    assert verdict.gone == 1
    assert verdict.same == [tasks[1].key]


def test_watching_leaves_everything_as_it_was():
    before = os.urandom, random.Random.seed, random.getstate()
    with Watch() as watch:
        np.random.default_rng(3).random()
        random.Random(4).random()
    assert watch.found == []
    assert before == (os.urandom, random.Random.seed, random.getstate())


def seeded_twister():
    return np.random.RandomState(3).random()


def seeded_shared():
    np.random.seed(3)  # noqa: NPY002 - as people do
    random.seed(a=3)
    return np.random.random() + random.random()  # noqa: NPY002


def seeded_too_late():
    before = np.random.random()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    return before


def twister_after_another():
    made = [np.random.RandomState(), np.random.RandomState(3)]
    return made[0].random()


def seeded_by_nobody():
    np.random.seed()  # noqa: NPY002
    return np.random.random()  # noqa: NPY002


@pytest.mark.parametrize(
    ("draw", "found"),
    [
        (seeded_twister, []),
        (seeded_shared, []),
        (seeded_too_late, ["the global generator of numpy.random"]),
        (
            twister_after_another,
            ["a generator of numpy without a seed, as default_rng()"],
        ),
        (seeded_by_nobody, ["the global generator of numpy.random"]),
    ],
)
def test_only_what_got_no_seed_is_noted(draw, found):
    with Watch() as watch:
        draw()
    assert watch.found == found
    random.seed()
    np.random.seed()  # noqa: NPY002


def test_a_twister_can_be_seeded_again_and_pickled_while_watched():
    with Watch():
        state = np.random.RandomState(3)
        state.seed(4)
        copy = pickle.loads(pickle.dumps(state))
    assert copy.random() == state.random()


WORK = """
from taskgraph import TaskGenerator
import numpy as np
RNG = np.random.default_rng()
FACTOR = 2

@TaskGenerator
def scaled(x):
    print("heard")
    return {"area": [x * FACTOR]}

@TaskGenerator
def drawn(x):
    return x + RNG.random()

tasks = [scaled(i) for i in range(5)], drawn(1)
"""


def test_from_the_command_line(tg):
    path = tg.write("work.py", WORK)
    tg("execute", "-q", "work.py")
    said = tg("verify", "work.py", "drawn", code=1).stderr
    assert "`drawn` is not deterministic" in said
    assert "may draw from a generator of numpy without a seed" in said

    path.write_text(WORK.replace("x * FACTOR", "FACTOR * x"))
    done = tg("verify", "work.py", "--sample", "2")
    assert "5 results accepted, of which 2 compared" in done.stderr
    assert "code of" not in tg("status", "work.py").stderr
    number = done.stderr.partition("`tg undo work.py ")[2].partition("`")[0]
    tg("undo", "work.py", number)

    path.write_text(WORK.replace("FACTOR = 2", "FACTOR = 2.5"))
    found = json.loads(tg("verify", "work.py", "--json", code=1).stdout)
    assert found["refused"] == 5
    assert found["functions"][0]["verdict"] == "differs"
    assert "`scaled` (its constant `FACTOR`)" in tg("status", "work.py").stderr
    assert tg("verify", "work.py", "--rtol", "1", code=1)  # an int is no float


FLAG = """
from pathlib import Path
from taskgraph import TaskGenerator

@TaskGenerator
def shifted(x):
    return x + float(Path("flag").read_text())

tasks = [shifted(i) for i in range({many})]
"""


def test_no_luckier_sample_accepts_what_was_refused_until_the_code_changes(tg):
    flag = tg.write("flag", "0")
    path = tg.write("work.py", FLAG.format(many=3))
    tg("execute", "-q", "work.py")
    path.write_text(FLAG.format(many=3).replace("x + float", "0 + x + float"))
    flag.write_text("1")
    tg("verify", "work.py", code=1)

    flag.write_text("0")  # now all come out the same
    told = tg("verify", "work.py", "--json", code=1)
    found = json.loads(told.stdout)
    assert found["functions"][0]["verdict"] == "differed before"
    assert (found["accepted"], found["refused"]) == (0, 3)
    assert "came out otherwise when it was compared before: result: " in told.stderr
    assert "differed before" in tg("verify", "work.py", "--rtol", "0", code=1).stdout

    assert "3 results accepted" in tg("verify", "work.py", "--atol", "1").stderr
    tg("undo", "work.py")
    path.write_text(FLAG.format(many=3).replace("x + float", "0 + 0 + x + float"))
    assert "3 results accepted" in tg("verify", "work.py").stderr


def test_a_larger_tolerance_is_tried_on_what_differed(tg):
    flag = tg.write("flag", "0")
    path = tg.write("work.py", FLAG.format(many=30))
    tg("execute", "-q", "work.py")
    path.write_text(FLAG.format(many=30).replace("x + float", "x + 8*(x==7) + float"))
    tg("verify", "work.py", "--sample", "30", code=1)
    assert flag.read_text() == "0"
    found = json.loads(
        tg("verify", "work.py", "--sample=1", "--atol=.1", "--json", code=1).stdout
    )
    assert found["functions"][0]["verdict"] == "differs"


def test_what_several_old_codes_have_made_is_compared_and_accepted_by_itself(tg):
    tg.write("flag", "0")
    path = tg.write(
        "work.py", FLAG.format(many=3).replace("x + float", "x + 5 + float")
    )
    tg("execute", "-q", "work.py")
    for more, edit in ((6, "x + float"), (6, "0 + x + float")):
        path.write_text(FLAG.format(many=more).replace("x + float", edit))
        if edit == "x + float":
            tg("execute", "-q", "work.py")
    told = tg("verify", "work.py", "--sample", "1", "--json", code=1)
    found = json.loads(told.stdout)
    assert sorted(f["verdict"] for f in found["functions"]) == ["differs", "same"]
    assert (found["accepted"], found["refused"]) == (3, 3)
    assert "changed since 3 results" in tg("status", "work.py").stderr


def test_nothing_to_compare_is_told_and_no_success(tg):
    tg.write("flag", "0")
    tg.write("work.py", FLAG.format(many=1))
    assert "has not run yet" in tg("verify", "work.py", code=1).stderr
    tg("execute", "-q", "work.py")
    tg("invalidate", "work.py", "--name", "shifted", "--yes")
    assert "no results to compare" in tg("verify", "work.py", code=1).stderr
