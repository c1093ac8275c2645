"""`tg demo`: a small worked example, and what to type next."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

import click

from taskgraph.cli.printing import say
from taskgraph.errors import UsageError

_NAME = "primes.py"
_SCRIPT = '''\
"""How many primes are there below a number? Blocks of numbers, each a task."""

from taskgraph import TaskGenerator

LIMIT = 200_000
BLOCK = 20_000


@TaskGenerator
def count_primes(start, stop):
    print(f"looking at {start} to {stop}")  # `tg logs` has it
    return sum(is_prime(number) for number in range(max(start, 2), stop))


def is_prime(number):
    return all(number % divisor for divisor in range(2, int(number**0.5) + 1))


@TaskGenerator
def total(counts):
    return sum(counts)


# A call of such a function is written down, and run by `tg execute`.
counts = [count_primes(start, start + BLOCK) for start in range(0, LIMIT, BLOCK)]
total(counts)
'''
_NEXT = (
    ("tg execute {0} -j 2", "run its 11 tasks in two workers"),
    ("tg status {0}", "how far it is, by function"),
    ("tg value {0} total", "the result: 17984"),
    ("tg logs {0} count_primes", "what the tasks printed"),
    ("tg execute {0}", "nothing is left to do, so nothing is run"),
)
_THEN = """\
Then make LIMIT in {0} larger and run it again: only what is new is computed.
Change the code of is_prime, and `tg invalidate {0} --name count_primes` forgets
what it made, and the total; `tg undo {0}` takes that back. Results are in
{1}; `rm -r {2}` removes all of it."""


@click.command("demo")
@click.argument(
    "folder", default="tg-demo", type=click.Path(path_type=Path, file_okay=False)
)
def command(folder: Path) -> int:
    """Write a small worked example into FOLDER (tg-demo), and say what to type next.

    Nothing is run. A file that is there already is not written over.
    """
    script = folder / _NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with script.open("x", encoding="utf-8") as file:
            file.write(_SCRIPT)
    except FileExistsError:
        raise UsageError(
            f"{script} is there already; give another folder: `tg demo FOLDER`"
        ) from None
    except OSError as error:
        raise UsageError(f"cannot write {script}: {error.strerror}") from error
    shown, store = quote(str(script)), quote(str(script.with_suffix(".tgdata")))
    say(f"{script} counts primes. Look at it, then type:\n")
    commands = [line.format(shown) for line, _ in _NEXT]
    width = max(map(len, commands))
    for line, (_, what) in zip(commands, _NEXT, strict=True):
        say(f"  {line.ljust(width)}  # {what}")
    say("\n" + _THEN.format(shown, store, quote(str(folder))))
    return 0
