"""All that jug has left is taken over, and nothing is run again."""

import shutil

import pytest

pytest.importorskip("jug", reason="the extra `test` has it")
from taskgraph import open_store

from ..forking_tg import call_tg
from .conftest import jug, jug_ran


def all_adopted(folder, jugdir):
    """Import a store of jug's, run the jugfile, return how many results were taken."""
    code, said = call_tg(folder, "import-jug", "work.py", "--jugdir", str(jugdir))
    assert code == 0, said
    assert "no result there" not in said
    assert "not taken" not in said
    code, said = call_tg(folder, "execute", "work.py")
    assert code == 0, said
    results = open_store(folder / "work.tgdata", create=False)
    results.backend.refresh()
    records = list(map(results.record, results.backend.keys()))
    assert [r.summary for r in records if r.context.get("jug") != str(jugdir)] == []
    return len(records)


def numbers_of(folder):
    return len([path for path in folder.glob("??/*") if path.is_file()])


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    return jug_ran(tmp_path_factory.mktemp("left"), 40)


@pytest.fixture
def work(left, tmp_path):
    shutil.copytree(left.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / "taskgraph"


def test_all_of_a_store_is_adopted_and_nothing_is_run(work):
    jugdir = work.parent / "jug" / "work.jugdata"
    # f(1), f(x=1) and f(0, y=2) are tasks of their own there
    assert all_adopted(work, jugdir) > numbers_of(jugdir) - 5
    assert call_tg(work, "check", "work.py")[0] == 0


def test_results_in_a_pack_are_adopted_too(work):
    jug(work.parent / "jug", "pack", "work.py")
    jugdir = work.parent / "jug" / "work.jugdata"
    assert numbers_of(jugdir) < 5
    assert all_adopted(work, jugdir) > 90


def test_a_compound_is_adopted_when_jug_has_cleaned_its_inside_up(work):
    jugdir = work.parent / "jug" / "work.jugdata"
    before = numbers_of(jugdir)
    jug(work.parent / "jug", "cleanup", "work.py")
    assert numbers_of(jugdir) < before - 10
    all_adopted(work, jugdir)


@pytest.mark.chaos
def test_a_thousand_results_are_adopted_and_none_is_run(tmp_path):
    folder = jug_ran(tmp_path, 930)
    assert all_adopted(folder, tmp_path / "jug" / "work.jugdata") >= 1000
