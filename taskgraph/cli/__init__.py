"""The `tg` command: one file per subcommand, imported when it is called."""

from __future__ import annotations

from importlib import import_module

import click

from taskgraph.cli.configuration import configuration
from taskgraph.cli.program import Program, run_program

COMMANDS = {
    "check": "Exit with 0 if everything is done, with 1 if not.",
    "cleanup": "Remove results that no task of the jugfile needs.",
    "count": "Count the tasks of the jugfile by function.",
    "errors": "Show why tasks failed, equal causes together.",
    "execute": "Run the tasks of a jugfile.",
    "fsck": "Check the store: checksums, orphans.",
    "invalidate": "Forget results, and all that was made of them.",
    "locks": "Show who is running what, and release locks.",
    "retry": "Let failed tasks run again.",
    "show": "Show everything that is known about a result.",
    "status": "Show how far the tasks are, by function.",
    "undo": "Take an invalidation, a retry or a cleanup back.",
    "value": "Print or save a result.",
    "wait": "Return when everything is done.",
}


class _Lazy(Program):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"taskgraph.cli.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; name the nearest one if there is none."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            from taskgraph.cli.other_programs import command_meant

            meant = command_meant(args[0], COMMANDS)
            raise click.UsageError(f"there is no command {args[0]!r}; {meant}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's
        formatter: click.HelpFormatter,
    ) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.command(
    cls=_Lazy,
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
    error, 3 gave up waiting, 4 the store failed or the output cannot be written,
    128+N stopped by signal N (141: the reader of the output has gone).
    """  # noqa: D301 - click ends paragraphs with \b


def main() -> None:
    """Run `tg`; errors of the user, the jugfile and the store end in one sentence."""
    run_program(tg, "tg", settings=configuration)
