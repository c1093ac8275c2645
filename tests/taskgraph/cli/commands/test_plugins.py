"""Commands of others: found by file and entry point, called, listed, broken."""

import importlib.metadata
import os
import sys
import zipfile

import click
import pytest

from taskgraph.cli import COMMANDS
from taskgraph.cli.plugins import plugins
from taskgraph.cli.words.configuration import configuration

GREET = """
import click
from taskgraph.extending import note, say, store_option

@click.command()
@click.argument("name")
@click.option("--times", default=1)
@store_option
def command(name, times, store):
    '''Greet somebody.'''
    for _ in range(times):
        say(f"hello {name} {store}")
    return 7
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    found = tmp_path / "config" / "taskgraph" / "commands"
    found.mkdir(parents=True)
    return found


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return what installs a package with such entry points."""

    def install(**points):
        about = tmp_path / "site" / "others-1.0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text("Name: others\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in points.items()]
        text = "\n".join(["[taskgraph.commands]", *lines])
        (about / "entry_points.txt").write_text(text)
        monkeypatch.syspath_prepend(tmp_path / "site")

    return install


@pytest.fixture
def tg_there(fresh_tg, folder, tmp_path):
    """Run `tg` where the user's folder and the installed package are seen."""
    fresh_tg.env |= {
        "XDG_CONFIG_HOME": os.environ["XDG_CONFIG_HOME"],
        "PYTHONPATH": str(tmp_path / "site"),
    }
    return fresh_tg


def test_a_file_in_the_users_folder_is_a_command(tg_there, folder):
    (folder / "say_hello.py").write_text(GREET)
    tg_there.write("tg.toml", 'store = "s"\n[say-hello]\ntimes = 2\n')

    assert tg_there("say-hello", "Ada", code=7).stdout == "hello Ada s\n" * 2
    told = tg_there("say-hello", code=2).stderr
    assert "missing argument 'NAME'" in told
    assert "`tg say-hello --help`" in told


def test_help_lists_plug_ins_by_themselves_and_tells_of_broken_ones(
    tg_there, folder, package
):
    (folder / "greet.py").write_text(GREET)
    (folder / "status.py").write_text(GREET)
    (folder / "wrong.py").write_text("command = 3\n")
    (folder / "loud.py").write_text("raise SystemExit('loud')\n")
    (folder / "_shared.py").write_text("raise KeyError\n")
    package(absent="no_such_module:command", greet="elsewhere:command")

    done = tg_there("--help")

    shown = done.stdout.partition("Plug-ins:\n")[2].splitlines()
    assert shown == ["  greet       Greet somebody."]
    told = done.stderr.splitlines()
    assert [line.partition(")")[0].partition("(")[0] for line in told] == [
        "tg: the plug-in status ",
        "tg: the plug-in greet ",
        "tg: the plug-in loud ",
        "tg: the plug-in wrong ",
        "tg: the plug-in absent ",
    ]
    assert "is passed over: a command of tg has that name" in told[0]
    assert f"passed over: the one of {folder}/greet.py has that name" in told[1]
    assert "cannot be used: SystemExit: loud" in told[2]
    assert "cannot be used: it is 3, no command of click" in told[3]
    assert "cannot be used: ModuleNotFoundError: No module named" in told[4]


def test_a_broken_plug_in_breaks_itself_alone(tg_there, folder):
    (folder / "wrong.py").write_text("import no_such_module\n")
    (folder / "wave.py").write_text(GREET)
    (folder / "count.py").write_text("raise KeyError\n")
    tg_there.jugfile("sums.py")

    assert "ModuleNotFoundError" in tg_there("wrong", code=2).stderr
    done = tg_there("count", "sums.py")
    assert "square" in done.stdout
    assert "the plug-in count" in done.stderr
    env = {"_TG_COMPLETE": "bash_complete", "COMP_WORDS": "tg wa", "COMP_CWORD": "1"}
    completed = tg_there(env=env)
    assert completed.stdout == "plain,wait\nplain,wave\n"
    assert completed.stderr == ""


def test_entry_points_are_commands(folder, package, tmp_path):
    package(dance="others_commands:dance", status="others_commands:dance")
    (tmp_path / "site" / "others_commands.py").write_text(
        "import click\n@click.command()\ndef dance():\n    '''Dance.'''\n"
    )

    found = plugins(COMMANDS, told=False)

    assert "status" not in found
    assert "others_commands" not in sys.modules
    assert isinstance(found["dance"].command(), click.Command)
    del sys.modules["others_commands"]


DANCE = "[taskgraph.commands]\ndance = others_commands:dance\n"


@pytest.mark.parametrize("about", ["others.egg-info", "Others-1.dist-info", "EGG-INFO"])
def test_entry_points_are_found_wherever_packages_say_them(
    folder, tmp_path, monkeypatch, about
):
    site = tmp_path / ("others.egg" if about == "EGG-INFO" else "site")
    (site / about).mkdir(parents=True)
    (site / about / "entry_points.txt").write_text(DANCE)
    (site / about / "PKG-INFO").write_text("Name: others\nVersion: 1\n")
    monkeypatch.syspath_prepend(site)

    assert list(plugins(COMMANDS)) == ["dance"]


def test_entry_points_of_an_archive_are_commands(folder, tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "others.zip", "w") as archive:
        archive.writestr("others-1.0.dist-info/METADATA", "Name: others\n")
        archive.writestr("others-1.0.dist-info/entry_points.txt", DANCE)
    monkeypatch.syspath_prepend(tmp_path / "others.zip")

    assert list(plugins(COMMANDS)) == ["dance"]


def test_entry_points_that_only_an_importer_knows_are_commands(folder, monkeypatch):
    class Known(importlib.metadata.Distribution):
        def read_text(self, filename):
            texts = {"entry_points.txt": DANCE, "METADATA": "Name: others\n"}
            return texts.get(filename)

        def locate_file(self, path):
            return path

    class Finder(importlib.metadata.DistributionFinder):
        def find_distributions(self, context=None):
            return [Known()]

        def find_spec(self, *_):
            return None

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])

    assert list(plugins(COMMANDS)) == ["dance"]


def test_settings_of_a_plug_in_are_its_own_affair(tmp_path):
    (tmp_path / "tg.toml").write_text("jugfile = 'x.py'\n[dance]\nhow-long = 3\n")

    found = configuration(str(tmp_path), others=lambda: ["dance"])

    assert found["dance"]["how_long"] == 3
    assert found["dance"]["jugfile"] == found[""]["jugfile"]


def test_what_strangers_could_have_written_is_no_command(tg_there, folder):
    path = folder / "greet.py"
    path.write_text(GREET)
    path.chmod(0o666)
    told = tg_there("greet", "Ada", code=2).stderr
    assert f"the plug-in greet ({path}) is passed over: every user may write" in told
    path.chmod(0o644)
    folder.chmod(0o777)
    assert "`chmod o-w" in tg_there("greet", "Ada", code=2).stderr
    folder.chmod(0o755)
    tg_there("greet", "Ada", code=7)
