"""Settings in files, in the environment and on the command line."""

import pytest

from taskgraph.cli import COMMANDS, tg as group
from taskgraph.cli.words.configuration import configuration, settings
from taskgraph.errors import UsageError

LOUD = (
    *("yes", "force", "dry_run", "release", "repairing", "listing", "key"),
    *("now", "off", "show_template", "log", "needed", "pin", "unpin", "sizes"),
    *("files", "changed", "watch"),
)
"""What is decided anew each time; and words that are no settings."""
WORDS = (
    "jugfile",
    "store",
    "arguments",
    "words",
    "output",
    "empty_trash",
    "source",
    "target",
    "bundle",
    "folder",
)


def jobs_are(tg, *args, env=None):
    """Return how many workers `tg execute` is told to start, by its refusal."""
    done = tg("execute", "sums.py", *args, code=2, env=env)
    assert "the number of workers" in done.stderr
    return done


def test_the_command_line_beats_the_environment_beats_the_file(tg):
    tg.jugfile("sums.py")
    tg.write("tg.toml", "[execute]\njobs = 0\n")

    jobs_are(tg)
    tg("execute", "sums.py", env={"TG_EXECUTE_JOBS": "1"})
    jobs_are(tg, "-j", "0", env={"TG_EXECUTE_JOBS": "1"})
    jobs_are(tg, env={"TG_EXECUTE_JOBS": "-1"})


def test_the_store_is_found_by_file_environment_and_option(tg):
    tg.jugfile("sums.py")
    tg.write("pyproject.toml", '[tool.tg]\nstore = "from-file"\n')

    tg("execute", "sums.py")
    tg("execute", "sums.py", env={"TG_STORE": "from-environment"})
    tg(
        *("execute", "sums.py", "--store", "from-option"),
        env={"TG_STORE": "from-environment"},
    )

    found = {path.parent.name for path in tg.folder.glob("*/format.json")}
    assert found == {"from-file", "from-environment", "from-option"}


def test_the_jugfile_is_a_setting_for_all_commands(tg):
    tg.ran("sums.py")
    tg.write("tg.toml", 'jugfile = "sums.py"\n')

    assert tg.json("status")["tasks"] == 9
    assert tg("value", "total").stdout == "14\n"
    assert tg("value", "total", env={"TG_JUGFILE": "absent.py"}, code=2).stdout == ""


def test_files_are_looked_for_up_to_the_root(tmp_path):
    inner = tmp_path / "project" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "tg.toml").write_text("jobs = 7\n")
    (tmp_path / "project" / "pyproject.toml").write_text(
        "[tool.tg]\njobs = 2\nlease = 9\n[tool.tg.execute]\nmax-wait = 3\n"
    )
    (inner / "tg.toml").write_text("jobs = 4\n[wait]\ntimeout = 5\n")

    found = configuration(str(inner))

    assert found["execute"] == {"jobs": 4, "lease": 9, "max_wait": 3}
    assert found["wait"] == {"timeout": 5}
    assert found["status"] == {}


def test_a_store_in_a_file_is_meant_from_that_file(tmp_path, monkeypatch):
    (tmp_path / "inner").mkdir()
    (tmp_path / "tg.toml").write_text('store = "data"\n[fsck]\nstore = "memory://"\n')
    monkeypatch.chdir(tmp_path / "inner")

    found = configuration()

    assert found["status"]["store"] == "../data"
    assert found["fsck"]["store"] == "memory://"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("job = 2", "no setting 'job'; did you mean 'jobs'?"),
        ("[exceute]\njobs = 2", "no command 'exceute'; did you mean 'execute'?"),
        ("[status]\njobs = 2", "[status] has no setting 'jobs'"),
        ("[execute]\nmaxwait = 2", "did you mean 'max_wait'?"),
        ("jobs = ", "tg.toml: Invalid value"),
    ],
)
def test_an_unknown_setting_is_refused_naming_the_nearest(tmp_path, text, sentence):
    (tmp_path / "tg.toml").write_text(text)

    with pytest.raises(UsageError) as error:
        configuration(str(tmp_path))

    assert sentence in str(error.value)


def test_a_setting_of_the_wrong_type_is_a_usage_error(tg):
    tg.jugfile("sums.py")
    tg.write("tg.toml", '[execute]\njobs = "many"\n')

    assert "'many' is not a valid integer" in tg("execute", "sums.py", code=2).stderr


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_option_is_a_setting(command):
    names = {"as_json": "json", "everything": "all", "opened": "open"}
    found = group.get_command(None, command).params

    options = {names.get(p.name, p.name) for p in found} - {*LOUD, *WORDS}

    assert options == set(settings()[command])


def test_the_heading_of_pyproject_in_a_tg_toml_is_told(tg):
    tg.write("tg.toml", "[tool.tg]\njson = true\n")

    assert "a tg.toml is without it" in tg("status", code=2).stderr


def test_a_misspelt_variable_is_told(tg):
    tg.jugfile("sums.py")
    names = {"TG_STOR": "x", "TG_MINE": "y", "TG_EXECUTE_JOBS": "1", "TG_CPUS": "1"}

    said = tg("execute", "-q", "sums.py", env=names).stderr

    assert (
        said == "tg: the variable TG_STOR means nothing here; did you mean TG_STORE?\n"
    )
