"""The `tg` program and the list of its commands."""

from __future__ import annotations

import os
from typing import Any

import click

from taskgraph.cli.configuration import configuration, misspelt_variables
from taskgraph.cli.program import LazyProgram, run_program

COMMANDS = {
    "bundle": "Write the results of a jugfile into one file.",
    "chaos": "Kill and freeze workers on purpose, to see that nothing is lost.",
    "cancel": "End jobs that were submitted.",
    "check": "Exit with 0 if everything is done, with 1 if not.",
    "cleanup": "Remove results that no task of the jugfile needs.",
    "copy": "Copy results from one store to another.",
    "count": "Count the tasks of the jugfile by function.",
    "doctor": "Find out what a store is good for, and what to change.",
    "errors": "Show why tasks failed, equal causes together.",
    "execute": "Run the tasks of a jugfile.",
    "fsck": "Check the store: checksums, orphans.",
    "invalidate": "Forget results, and all that was made of them.",
    "jobs": "List the jobs that were submitted, and what they print.",
    "locks": "Show who is running what, and release locks.",
    "retry": "Let failed tasks run again.",
    "show": "Show everything that is known about a result.",
    "status": "Show how far the tasks are, by function.",
    "unbundle": "Put the results in a bundle into a store.",
    "stop": "Let all workers end, on all machines.",
    "submit": "Start many workers by a batch system.",
    "undo": "Take an invalidation, a retry or a cleanup back.",
    "value": "Print or save a result.",
    "wait": "Return when everything is done.",
}
"""What each does, for the help: it is in the file of its name in `commands`."""
_FOLDERS = dict.fromkeys(("cancel", "doctor", "jobs", "stop", "submit"), "batch")
"""Which commands are in a folder of their own."""


@click.command(
    cls=LazyProgram,
    package="taskgraph.cli.commands",
    summaries=COMMANDS,
    folders=_FOLDERS,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "TG",
    },
)
@click.version_option(
    None, "-V", "--version", package_name="taskgraph-segkit", prog_name="tg"
)
def tg() -> None:
    """Run ordinary Python scripts as memoized task graphs, on any number of workers.

    \b
    tg execute script.py          run it; start it again anywhere to help
    tg status script.py           how far it is
    tg errors script.py           what went wrong

    Settings come from tg.toml or [tool.tg] in pyproject.toml (up to the project's
    root), then from TG_* variables (TG_STORE, TG_JUGFILE, TG_EXECUTE_JOBS ...), then
    from the command line.

    \b
    Completion of commands, functions and keys (for zsh and fish likewise):
      eval "$(_TG_COMPLETE=bash_source tg)"

    \b
    Exit codes: 0 all done, 1 tasks failed or blocked or not done, 2 usage or jugfile
    error, 3 gave up waiting, 4 the store failed or the output cannot be written, 5 a
    limit of time or tasks came and work is left, 128+N stopped by signal N (141: the
    reader of the output has gone).
    """  # noqa: D301 - click ends paragraphs with \b


def main() -> None:
    """Run `tg`; errors of the user, the jugfile and the store end in one sentence."""
    run_program(tg, "tg", settings=_settings)


def _settings() -> dict[str, Any]:
    """Return the settings from files; tell variables that would be passed over."""
    for name, meant in misspelt_variables(os.environ).items():
        from taskgraph.cli.sentences import note

        note(f"the variable {name} means nothing here; did you mean {meant}?")
    return configuration()
