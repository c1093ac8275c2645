"""Options of a run are made of its settings."""

import pytest

from segkit.cli import run_command
from taskgraph.cli.commands.run.execute import command
from taskgraph.cli.words.run_options import given_options
from taskgraph.execution.options import RunOptions, run_settings


@pytest.fixture
def defaults():
    return {name: setting.default for name, setting in run_settings().items()}


@pytest.mark.parametrize("program", [command, run_command], ids=["tg", "segkit"])
def test_each_setting_is_an_option_with_its_default_and_meaning(program):
    given = program.make_context("run", ["work.py"]).params
    meant = {option.name: getattr(option, "help", None) for option in program.params}

    for name, setting in run_settings().items():
        assert (given[name], meant[name]) == (setting.default, setting.meaning)


def test_without_options_a_run_is_told_nothing_new(defaults):
    assert given_options(defaults) == RunOptions()


def test_the_debugger_lets_errors_through(defaults):
    options = given_options({**defaults, "pdb": True})

    assert options.pdb
    assert options.per_worker.debug


@pytest.mark.parametrize("variable", ["OMPI_COMM_WORLD_RANK", "SLURM_PROCID"])
@pytest.mark.parametrize(("rank", "quiet"), [("0", False), ("1", True)])
def test_only_rank_0_shows_progress(monkeypatch, defaults, variable, rank, quiet):
    monkeypatch.setenv(variable, rank)

    assert given_options(defaults).quiet is quiet
