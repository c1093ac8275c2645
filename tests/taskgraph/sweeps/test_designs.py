"""Points over ranges: where they lie, and that more of them keep those there were."""

import pytest

from taskgraph import UsageError, latin_points, random_points

SPACE = {"sigma": (0.5, 8.0), "size": (1, 6), "method": ["otsu", "mean"], "a": (1, 1e6)}


@pytest.mark.parametrize(
    "draw",
    [
        lambda **options: random_points(SPACE, 400, **options),
        lambda **options: latin_points(SPACE, 100, rounds=4, **options),
    ],
    ids=["random", "latin"],
)
def test_points_lie_in_the_space_and_reach_its_ends(draw):
    points = draw(log=["a"])

    assert all(0.5 <= p["sigma"] <= 8 and 1 <= p["a"] <= 1e6 for p in points)
    assert {type(p["sigma"]) for p in points} == {float}
    assert {p["size"] for p in points} == {1, 2, 3, 4, 5, 6}
    assert {p["method"] for p in points} == {"otsu", "mean"}
    assert 150 < sum(p["a"] < 1e3 for p in points) < 250
    assert points == draw(log="a") != draw(log="a", seed=1)


def test_more_points_or_parameters_keep_those_there_were():
    few = random_points({"sigma": (0.5, 8.0)}, 5)

    more = random_points({"size": (1, 6), "sigma": (0.5, 8.0)}, 9)
    rounds = latin_points(SPACE, 5, rounds=2)

    assert [p["sigma"] for p in more[:5]] == [p["sigma"] for p in few]
    assert rounds[:5] == latin_points(SPACE, 5)


def test_the_numbers_are_the_same_for_ever():
    assert random_points({"x": (0.0, 1.0)}, 2, seed=3) == RANDOM


RANDOM = [{"x": 0.26868056067840906}, {"x": 0.9191508614201702}]


def test_a_latin_design_has_a_point_in_each_part_of_each_range():
    points = latin_points({"x": (0.0, 10.0), "n": (0, 9)}, 10)

    assert sorted(int(p["x"]) for p in points) == list(range(10))
    assert sorted(p["n"] for p in points) == list(range(10))


def test_whole_numbers_by_logarithm_include_both_ends():
    found = {p["n"] for p in random_points({"n": (1, 3)}, 200, log="n")}
    assert found == {1, 2, 3}


@pytest.mark.parametrize(
    ("space", "log", "said"),
    [
        ({}, (), "a space is"),
        ({"x": (1,)}, (), "'x' is a range"),
        ({"x": []}, (), "'x' is a range"),
        ({"x": (2, 1)}, (), "from low to high"),
        ({"x": (0, float("inf"))}, (), "from low to high"),
        ({"x": (float("nan"), 1.0)}, (), "from low to high"),
        ({"x": (0, 1)}, "x", "no logarithm"),
        ({"x": (1, 2)}, "y", "not in the space"),
        ({"x": ("a", "b")}, (), "'x' is a range"),
        ({"x": (False, True)}, (), "'x' is a range"),
    ],
)
def test_what_is_no_space_is_refused(space, log, said):
    for draw in (random_points, latin_points):
        with pytest.raises(UsageError, match=said):
            draw(space, 3, log=log)


@pytest.mark.parametrize("count", [0, -1, 1.5, "3", True])
def test_what_is_no_number_of_points_is_refused(count):
    for draw in (random_points, latin_points):
        with pytest.raises(UsageError, match="count is a whole number"):
            draw(SPACE, count)
