"""`tg why`: another name of `tg explain`."""

from taskgraph.cli.commands.look.explain import command

__all__ = ["command"]
