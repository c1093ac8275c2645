"""What the shell completes, asked as the shell asks."""

import pytest


def completions(tg, words):
    line = f"tg {words}"
    env = {
        "_TG_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(line.count(" ")),
    }
    lines = tg(env=env).stdout.splitlines()
    return [text.partition(",")[2] for text in lines]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("stat", ["status"]),
        ("invalidate sums.py --name squ", ["square"]),
        ("invalidate sums.py --name sums.t", ["sums.total"]),
        ("value sums.py tot", ["total"]),
        ("status su", ["sums.py"]),
    ],
)
def test_commands_functions_and_files_are_completed(tg, words, expected):
    tg.ran("sums.py")

    assert completions(tg, words) == expected


def test_keys_are_completed(tg):
    tg.ran("sums.py")
    key = tg.json("show", "sums.py", "total")["key"]

    assert key[:12] in completions(tg, f"show sums.py {key[:4]}")
