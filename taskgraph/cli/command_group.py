"""A group of commands, each in a file of its own that is imported when it is called."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from taskgraph.cli.program import Program

if TYPE_CHECKING:
    from collections.abc import Mapping


class CommandGroup(Program):
    """The commands of `tg`; to list them none is imported.

    Parameters
    ----------
    summaries : mapping
        What each command does, by its name, which is that of its file, too.
    """

    def __init__(self, *args: Any, summaries: Mapping[str, str], **more: Any) -> None:
        super().__init__(*args, **more)
        self._summaries = summaries

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        """Return the names of all commands."""
        return sorted(self._summaries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """Import a command; None if there is none of that name."""
        if cmd_name not in self._summaries:
            return None
        module = import_module(f"taskgraph.cli.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; name the nearest one if there is none."""
        if args and not args[0].startswith("-") and args[0] not in self._summaries:
            from taskgraph.cli.other_programs import command_meant

            meant = command_meant(args[0], self._summaries)
            raise click.UsageError(f"there is no command {args[0]!r}; {meant}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's
        formatter: click.HelpFormatter,
    ) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(self._summaries.items()))
