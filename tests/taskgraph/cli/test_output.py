"""`tg` and its output: closed, full, or nobody reads it."""

import subprocess

import pytest


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
