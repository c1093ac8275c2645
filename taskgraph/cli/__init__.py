"""The `tg` program and the list of its commands."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING, Any

_collects = gc.isenabled()
gc.disable()  # of what is imported nothing is garbage: a tenth of a start goes on that

import click  # noqa: E402 - after the line above

from taskgraph.cli.program import LazyProgram, run_program  # noqa: E402 - as click
from taskgraph.cli.words.configuration import (  # noqa: E402 - as click
    configuration,
    misspelt_variables,
    user_commands,
)

if _collects:
    gc.enable()

if TYPE_CHECKING:
    from taskgraph.cli.plugins import Plugin

GROUPS = {
    "run": (
        "Run tasks",
        {
            "execute": "Run the tasks of a jugfile.",
            "wait": "Return when everything is done.",
            "demo": "Write a small worked example, and say what to type.",
        },
    ),
    "look": (
        "See how far they are, and what came out",
        {
            "status": "Show how far the tasks are, by function.",
            "check": "Exit with 0 if everything is done, with 1 if not.",
            "count": "Count the tasks of the jugfile by function.",
            "errors": "Show why tasks failed, equal causes together.",
            "graph": "Draw the graph: functions, how far they are, what needs what.",
            "explain": "Say why tasks are done or not, and whether they will run.",
            "logs": "Show what tasks printed.",
            "locks": "Show who is running what, and release locks.",
            "show": "Show everything that is known about a result.",
            "table": "Show the calls of a function as a table, or save it.",
            "value": "Print or save a result.",
            "web": "Show tasks and results in a browser, as they run.",
            "why": "The same as explain.",
            "shell": "Look at results and forget some, in Python.",
        },
    ),
    "mend": (
        "Forget, restore, repair",
        {
            "accept": "Keep results that other code has made, for good.",
            "verify": "Compute some results again, and compare them.",
            "invalidate": "Forget results, and all that was made of them.",
            "undo": "Take an invalidation, an acceptance, a retry or a cleanup back.",
            "retry": "Let failed tasks run again.",
            "adopt": "Take files that are there for what tasks would write.",
            "cleanup": "Remove results that no task of the jugfile needs.",
            "fsck": "Check the store: checksums, orphans.",
        },
    ),
    "share": (
        "Take results elsewhere",
        {
            "report": "Write what ran, and what came of it, into one HTML file.",
            "copy": "Copy results from one store to another.",
            "import-jug": "Take over the results of a store of jug's.",
            "bundle": "Write the results of a jugfile into one file.",
            "unbundle": "Put the results in a bundle into a store.",
        },
    ),
    "clusters": (
        "Many machines",
        {
            "submit": "Start many workers by a batch system.",
            "jobs": "List the jobs that were submitted, and what they print.",
            "cancel": "End jobs that were submitted.",
            "stop": "Let all workers end, on all machines.",
            "doctor": "Find out what a store is good for, and what to change.",
            "chaos": "Kill and freeze workers on purpose, to see that nothing is lost.",
        },
    ),
}
"""By folder of `commands`: the title of the group, and what each command of it does."""
COMMANDS = [name for _, summaries in GROUPS.values() for name in summaries]


def _plugins() -> dict[str, Plugin]:
    from taskgraph.cli.plugins import plugins

    return plugins(COMMANDS, told="_TG_COMPLETE" not in os.environ)


@click.command(
    cls=LazyProgram,
    package="taskgraph.cli.commands",
    groups=GROUPS,
    others=_plugins,
    only_look=("status",),
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "TG",
    },
)
@click.version_option(
    None, "-V", "--version", package_name="taskgraph-segkit", prog_name="tg"
)
@click.pass_context
def tg(context: click.Context) -> None:
    """Run ordinary Python scripts as memoized task graphs, on any number of workers.

    \b
    tg execute script.py          run it; start it again anywhere to help
    tg status script.py           how far it is
    tg errors script.py           what went wrong

    Settings come from tg.toml or [tool.tg] in pyproject.toml (up to the project's
    root), then from TG_* variables (TG_STORE, TG_JUGFILE, TG_EXECUTE_JOBS ...), then
    from the command line.

    Commands of your own are files in ~/.config/taskgraph/commands, or entry points
    named taskgraph.commands of installed packages.

    \b
    Completion of commands, functions and keys (for zsh and fish likewise):
      eval "$(_TG_COMPLETE=bash_source tg)"

    \b
    Exit codes: 0 all done, 1 tasks failed or blocked or not done, 2 usage or jugfile
    error, 3 gave up waiting, 4 the store failed or the output cannot be written, 5 a
    limit of time or tasks came and work is left, 128+N stopped by signal N (141: the
    reader of the output has gone).
    """  # noqa: D301 - click ends paragraphs with \b
    name = context.invoked_subcommand or ""
    file = f"{user_commands()}/{name.replace('-', '_')}.py"
    if name in COMMANDS and os.path.exists(file):  # noqa: PTH110 - at each start
        from taskgraph.cli.plugins import passed_over
        from taskgraph.cli.sentences import note

        note(passed_over(name, file, "a command of tg"))


def main() -> None:
    """Run `tg`; errors of the user, the jugfile and the store end in one sentence."""
    run_program(tg, "tg", settings=_settings)


def _settings() -> dict[str, Any]:
    """Return the settings from files; tell variables that would be passed over."""
    for name, meant in misspelt_variables(os.environ).items():
        from taskgraph.cli.sentences import note

        note(f"the variable {name} means nothing here; did you mean {meant}?")
    return configuration(others=_plugins)
