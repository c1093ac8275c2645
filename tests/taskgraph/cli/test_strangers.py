"""A store from a stranger is data: to look at it harms nobody."""

import pytest

from backends.opening import open_backend


@pytest.mark.parametrize(
    "command",
    [("locks", "--release", "dead"), ("fsck", "--repair"), ("execute",), ("status",)],
    ids=lambda command: command[0],
)
def test_a_worker_s_name_removes_nothing_and_is_refused_in_a_sentence(tg, command):
    thesis = tg.write("thesis.txt", "precious")
    tg.ran("sums.py")
    evil = open_backend(tg.folder / "sums.tgdata", worker="../../thesis.txt")
    evil.claim([b"k" * 20])

    done = tg(command[0], "sums.py", *command[1:])

    assert "it names a worker as no worker is called" in done.stderr
    assert thesis.read_text() == "precious"
