"""`tg` as a program: its help, its imports, and its output: closed, full, unread."""

import subprocess
import sys

import pytest

from taskgraph.cli import COMMANDS

HEAVY = (
    "numpy",
    "scipy",
    "redis",
    "rich",
    "asyncio",
    "taskgraph.results.codec",
    "pickle",
)

SLOW = ("decimal", "tempfile", "subprocess", "logging", "email", "tomllib")


@pytest.fixture
def tg(fresh_tg):
    return fresh_tg


def test_a_misspelt_command_names_the_nearest(tg):
    assert "did you mean 'status'" in tg("statsu", code=2).stderr


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_help_names_every_command_and_exit_code(tg, word):
    shown = tg(word).stdout

    assert all(f"  {name} " in shown for name in COMMANDS)
    assert "128+N" in shown


def imported_by(tg, code, *args):
    """Return the modules that `tg` has imported at its end."""
    script = (
        "import atexit, pathlib, sys, taskgraph.cli\n"
        f"sys.argv = ['tg', *{args!r}]\n"
        "modules, told = pathlib.Path('modules.txt'), lambda: ' '.join(sys.modules)\n"
        "atexit.register(lambda: modules.write_text(told()))\n"
        "try:\n    taskgraph.cli.main()\n"
        "except SystemExit as end:\n"
        f"    assert (end.code or 0) == {code}, end.code\n"
        "    raise\n"
    )
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, cwd=tg.folder, env=tg.env, check=False)
    assert ended.returncode == code
    return set((tg.folder / "modules.txt").read_text().split())


@pytest.mark.parametrize(
    "args", [("--help",), ("status", "nothing.py"), ("status", "sums.py")]
)
def test_help_and_status_import_nothing_heavy(tg, args):
    tg.ran("sums.py")
    tg.jugfile("nothing.py")

    found = imported_by(tg, 0, *args)

    assert found.isdisjoint({*HEAVY, "importlib.metadata"})
    if args != ("--help",):  # which looks for plug-ins
        assert found.isdisjoint({*SLOW, "taskgraph.cli.plugins"})


@pytest.mark.parametrize("name", ["_hashlib", "traceback"])
def test_workers_carry_with_them_nothing_that_few_need(name):
    """It costs time when it is loaded, and once more at the end of each worker."""
    script = "import sys, taskgraph.cli.running, taskgraph.execution.supervisor\n"
    script += f"import taskgraph.tasks.jugfile; print({name!r} in sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True
    )
    assert shown.stdout == b"False\n"


def test_nothing_is_imported_when_the_workers_have_ended(tg):
    """Somebody waits then; while they are at work their supervisor has time."""
    tg.jugfile("sums.py")
    script = (
        "import atexit, sys, taskgraph.cli\n"
        "from taskgraph.execution.supervisor import Supervisor\n"
        "run, known = Supervisor.run, set()\n"
        "def noted(self):\n"
        "    code = run(self)\n"
        "    known.update(sys.modules)\n"
        "    atexit.register(lambda: print(sorted({*sys.modules} - known)))\n"
        "    return code\n"
        "Supervisor.run = noted\n"
        "sys.argv = ['tg', 'execute', '-q', 'sums.py']\n"
        "taskgraph.cli.main()\n"
    )
    command = [sys.executable, "-c", script]
    ended = subprocess.run(
        command, cwd=tg.folder, env=tg.env, check=True, capture_output=True
    )
    assert ended.stdout == b"[]\n"


def test_a_graph_that_is_as_it_was_is_read_from_the_store_once(tg):
    tg.jugfile("sums.py")
    tg("execute", "sums.py")
    script = (
        "import atexit, sys, taskgraph.cli\n"
        "from taskgraph.upkeep import snapshot\n"
        "decode, sizes = snapshot.decode, []\n"
        "def noted(data):\n"
        "    sizes.append(len(data))\n"
        "    return decode(data)\n"
        "snapshot.decode = noted\n"
        "atexit.register(lambda: print(len(sizes)))\n"
        "sys.argv = ['tg', 'execute', '-q', 'sums.py']\n"
        "taskgraph.cli.main()\n"
    )
    command = [sys.executable, "-c", script]
    ended = subprocess.run(
        command, cwd=tg.folder, env=tg.env, check=True, capture_output=True
    )
    assert ended.stdout.split()[-1] == b"1"  # what workers know, they know by a fork


def test_help_needs_no_engine(tg):
    found = imported_by(tg, 0, "--help")

    assert not any(name.startswith("backends") for name in found)
    assert {n for n in found if n.startswith("taskgraph.")} == {
        "taskgraph.cli",
        "taskgraph.cli.words",
        "taskgraph.cli.words.configuration",
        "taskgraph.cli.program",
        "taskgraph.cli.plugins",
    }


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_shows_no_marks_of_its_makers(tg, command):
    shown = tg(*command.split(), "-h").stdout

    assert "\\b" not in shown
    assert "\b" not in shown
    assert "Exit code" in shown or command not in ("", "execute", "wait", "fsck")


@pytest.mark.parametrize(
    ("words", "meant"), [("help execute", "execute --help"), ("help", "--help")]
)
def test_help_is_also_a_command(tg, words, meant):
    assert tg(*words.split()).stdout == tg(*meant.split()).stdout


@pytest.mark.parametrize(
    ("words", "first", "command"),
    [
        ("nonsense", "there is no command 'nonsense'; choose one of accept", "tg"),
        (
            "sleep-until x.py",
            "there is no command 'sleep-until'; did you mean 'wa",
            "tg",
        ),
        ("x.py", "there is no command 'x.py'; did you mean `tg execute x.py`?", "tg"),
        (
            "execute --cores 4",
            "no such option '--cores'; did you mean '--jobs'",
            "tg execute",
        ),
        ("a.toml", "there is no command 'a.toml'; did you mean `segkit run a.t", "tg"),
        (
            "submit --mem 4G",
            "no such option '--mem'; a batch system is told its own options by --dir",
            "tg submit",
        ),
        (
            "unbundle x --jugdir y",
            "no such option '--jugdir'; stores are arguments of this command",
            "tg unbundle",
        ),
        ("pack x.py", "there is no command 'pack'; small results lie together", "tg"),
        ("test-jug", "there is no command 'test-jug'; `tg doctor` tries a", "tg"),
        (
            "status --cache x.py",
            "no such option '--cache'; `tg status` does not read the script",
            "tg status",
        ),
        (
            "execute --short x.py",
            "no such option '--short'; names are shown whole",
            "tg execute",
        ),
        (
            "cleanup --locks-only x.py",
            "no such option '--locks-only'; locks of dead workers free themselves",
            "tg cleanup",
        ),
        ("--nonsense", "no such option '--nonsense'", "tg"),
        ("status --nonsense", "no such option '--nonsense'", "tg status"),
        ("execute -j", "option '-j' requires an argument", "tg"),
        ("execute -j many", "invalid value for '-j' / '--jobs': 'many'", "tg execute"),
        ("execute --lease nan", "--lease and --max-wait take seconds", "tg execute"),
        ("value", "missing argument '[JUGFILE] FUNCTION|KEY|VARIABLE", "tg value"),
    ],
)
def test_a_misspelt_command_line_is_told_in_the_form_of_all_else(
    tg, words, first, command
):
    said = tg(*words.split(), code=2).stderr.splitlines()

    assert said[0].startswith(f"tg: {first}")
    assert said[1:] == [f"tg: `{command} --help` says more"]


def test_warnings_name_the_program(tg):
    tg.jugfile("sums.py")
    tg("execute", "-q", "sums.py")
    (tg.folder / "sums.tgdata" / "log" / "000000" / "001").unlink()

    said = tg("status", "sums.py").stderr

    assert said.startswith("tg: segment 1 of ")
    assert "gone, though later ones are there" in said
    assert "run `tg fsck sums.py --repair`" in said
    assert len(said.splitlines()) == 1


def piped(tg, line, *, redirect="", pipe="true"):
    """Return exit code and errors of a `tg` in a pipe of the shell."""
    command = f"{{ {{ {tg.script} {line}; }} {redirect}; echo $? >code; }} 2>said"
    whole = f"{command} | {pipe}"
    subprocess.run(["bash", "-c", whole], cwd=tg.folder, env=tg.env, check=True)
    return int((tg.folder / "code").read_text()), (tg.folder / "said").read_text()


@pytest.fixture
def words(tg):
    tg.ran("words.py")
    return tg


def test_a_reader_that_has_gone_ends_it_without_a_word(words):
    assert piped(words, "value words.py many") == (141, "")


@pytest.mark.parametrize(
    "line", ["status words.py", "value words.py strange", "value words.py many", "-h"]
)
def test_a_full_disk_behind_the_output_is_told_in_one_sentence(words, line):
    code, said = piped(words, line, redirect=">/dev/full")

    assert (code, said) == (
        4,
        "tg: cannot write the output: No space left on device\n",
    )


def test_letters_that_no_encoding_has_are_printed_escaped(words):
    assert words("value", "words.py", "strange").stdout == "a\\udc80b\n"


@pytest.mark.parametrize(
    ("line", "redirect", "code"),
    [
        ("status words.py", ">&-", 0),
        ("status nope.py", ">&- 2>&-", 2),
        ("invalidate words.py --name many", "<&-", 2),
        ("status nope.py", "2>/dev/full", 2),
        ("nonsense", "2>/dev/full", 2),
        ("", "2>/dev/full", 2),
        ("execute words.py", "2>/dev/full", 4),
    ],
)
def test_whoever_cannot_be_told_sees_the_exit_code(words, line, redirect, code):
    assert piped(words, line, redirect=redirect, pipe="cat >&2")[0] == code


def test_a_reader_of_errors_that_has_gone_changes_no_exit_code(words):
    assert piped(words, "status nope.py", redirect="2>&1", pipe="sleep 0")[0] == 2


@pytest.mark.parametrize("redirect", [">&-", ">&- 2>&-", "<&- >&- 2>&-", "<&-"])
def test_without_standard_streams_it_does_its_work(tg, redirect):
    tg.jugfile("sums.py")

    code, _ = piped(tg, "execute -q -j 2 sums.py", redirect=redirect)

    assert code == 0
    assert tg.json("status", "sums.py")["finished"]
    tg("fsck", "sums.py")


def test_without_any_output_nothing_is_said(words):
    assert piped(words, "status words.py", redirect=">&-") == (0, "")
