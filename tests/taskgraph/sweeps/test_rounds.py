"""Designs that grow as results become known: in notebooks, and in jugfiles."""

import math

import pytest

from taskgraph import (
    TaskGenerator,
    UsageError,
    halving,
    init,
    random_points,
    run,
    status,
    sweep_until,
    table,
    value,
)


@TaskGenerator
def score(x, pictures=1):
    return {"dice": math.nan if x < 0 else -abs(x - 3) * pictures, "text": "a"}


def ready(tasks):
    return run(tasks) and value(tasks)


def tried(rounds):
    return [[point["x"] for point in each.points] for each in rounds]


def test_the_best_of_each_round_go_on_with_more():
    rounds = halving(
        score,
        {"x": [9, -1, 4, 2, 3, 7]},
        budget="pictures",
        budgets=[1, 2, 4],
        score="dice",
        keep=0.5,
        wait=ready,
    )
    assert tried(rounds) == [[9, -1, 4, 2, 3, 7], [3, 4, 2], [3, 4]]
    assert [each.fixed for each in rounds] == [{"pictures": n} for n in (1, 2, 4)]
    lowest = halving(
        score,
        {"x": [2, 9]},
        budget="pictures",
        budgets=[1, 2],
        score="dice",
        lowest=True,
        wait=ready,
    )
    assert tried(lowest)[1] == [9]


def test_a_design_ends_when_nothing_better_is_found():
    points = [{"x": x} for x in (9, 8, 7, 9, 9, -1, 3)]

    found = sweep_until(score, points, score="dice", batch=2, patience=1, wait=ready)
    whole = sweep_until(score, points, score="dice", batch=2, patience=9, wait=ready)

    assert [point["x"] for point in found.points] == [9, 8, 7, 9, 9, -1]
    assert whole.points == points
    assert len(whole.tasks) == 7


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"budgets": []}, "budgets are the values"),
        ({"keep": 1}, "keep is the part"),
        ({"keep": math.nan}, "keep is the part"),
        ({"score": "dise"}, "did you mean dice"),
        ({"score": "text"}, "a score is a number"),
        ({"budget": "picture"}, "did you mean pictures"),
    ],
)
def test_what_is_no_design_is_refused(options, said):
    given = {"budget": "pictures", "budgets": [1, 2], "score": "dice", **options}
    with pytest.raises(UsageError, match=said):
        halving(score, {"x": [1, 2]}, wait=ready, **given)


def test_points_without_any_score_end_a_design():
    with pytest.raises(UsageError, match="no point has a dice"):
        halving(
            score,
            {"x": [-1]},
            budget="pictures",
            budgets=[1, 2],
            score="dice",
            wait=ready,
        )


JUGFILE = """
from taskgraph import TaskGenerator, halving, random_points

@TaskGenerator
def score(x, pictures):
    return {"dice": -abs(x - 3) * pictures}

@TaskGenerator
def finish(best):
    return best

points = random_points({"x": (0.0, 9.0)}, 9)
rounds = halving(score, points, budget="pictures", budgets=[1, 2, 4], score="dice")
finish(rounds[-1].best("dice"))
"""


def test_a_jugfile_goes_on_round_by_round_and_is_not_done_before(tmp_path):
    jugfile = tmp_path / "rounds.py"
    jugfile.write_text(JUGFILE)
    assert status(jugfile).open == 9 + 1  # and what is not known yet

    assert run(jugfile, workers=0).done == 9 + 3 + 1 + 1

    best = min(random_points({"x": (0.0, 9.0)}, 9), key=lambda p: abs(p["x"] - 3))
    (found,) = (table("finish", jugfile)["x"],)
    assert found == [best["x"]]
    assert table("score", jugfile)["pictures"] == [1] * 9 + [2] * 3 + [4]


def test_the_best_of_a_sweep_waits_in_a_jugfile(tmp_path):
    jugfile = tmp_path / "best.py"
    jugfile.write_text(
        "from taskgraph import Task, sweep\n"
        "found = sweep(divmod, {'x': [7, 9, 8]}, y=4)\n"
        "Task(abs, found.best('divmod[1]')['x'])\n"
    )
    assert status(jugfile).open == 3 + 1
    assert run(jugfile, workers=0).done == 4
    assert init(jugfile, store=tmp_path / "best.tgdata")[1]["found"].best("x")["x"] == 9
