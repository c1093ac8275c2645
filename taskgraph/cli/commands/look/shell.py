"""`tg shell`: Python with the names of a jugfile, and its results at hand."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click

from taskgraph.cli.arguments import jugfile_argument
from taskgraph.cli.printing import say

if TYPE_CHECKING:
    from pathlib import Path


@click.command("shell")
@jugfile_argument
@click.argument("arguments", nargs=-1)
@click.option("--plain", is_flag=True, help="Python's own prompt, also with IPython.")
def command(
    jugfile: Path, store: str | None, arguments: tuple[str, ...], plain: bool
) -> int:
    """Start Python with the names of JUGFILE, and functions to look at its results.

    \b
    value(x)           the result of a task, a function (by its name) or a key
    tasks(state, name) tasks: done, failed, blocked or open; of a function
    status()           how many there are of each
    errors(name)       why tasks failed
    invalidate(x)      forget results, and all that was made of them
    undo()             take that back
    reload()           read the jugfile again

    It is IPython if that is installed and this is a terminal. The jugfile is read, as
    by `tg show`: no task runs, and what it calls at once (CachedFunction) has to have
    its result. A task that you write down here is run by its run(). A name that the
    jugfile uses for something else stays the jugfile's: tg.value then is ours.
    ARGUMENTS after -- are the script's own.
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    from taskgraph.cli.console import Console
    from taskgraph.cli.stores import open_store_of

    backend = open_store_of(jugfile, store, create=True)
    console = Console(jugfile, backend, arguments)
    say(console.banner())
    if not plain and sys.stdin.isatty() and find_spec("IPython") is not None:
        return _ipython(console.space)
    return _python(console.space)


def _python(space: dict[str, Any]) -> int:
    import code
    from contextlib import suppress

    with suppress(ImportError):  # history and completion, where Python has them
        import readline
        import rlcompleter

        readline.set_completer(rlcompleter.Completer(space).complete)
        readline.parse_and_bind("tab: complete")
    code.interact(banner="", local=space, exitmsg="")
    return 0


def _ipython(space: dict[str, Any]) -> int:
    from importlib import import_module

    import_module("IPython").start_ipython(
        argv=["--no-banner", "--no-confirm-exit"], user_ns=space
    )
    return 0
