"""The `tg` command: one file per subcommand, imported when it is called.

Exit codes: 0 all done; 1 tasks failed or are blocked (for `check`: not done yet);
2 usage or jugfile error; 3 gave up waiting; 4 the store failed; 128 + N stopped by
signal N.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from taskgraph.cli.configuration import configuration

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
    "undo": "Take an invalidation or a cleanup back.",
    "value": "Print or save a result.",
    "wait": "Return when everything is done.",
}


class _Lazy(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"taskgraph.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.command(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "TG"},
)
@click.version_option(package_name="taskgraph-segkit", prog_name="tg")
def tg() -> None:
    """Run ordinary Python scripts as memoized task graphs, on as many workers as there are.

    \b
    tg execute script.py          run it; start it again anywhere to help
    tg status script.py           how far it is
    tg errors script.py           what went wrong

    Settings come from tg.toml or [tool.tg] in pyproject.toml (up to the project's root),
    then from TG_* variables, then from the command line.
    """


def main() -> None:
    """Run `tg`; errors of the user, the jugfile and the store end in one sentence."""
    from backends.errors import BackendError
    from taskgraph.errors import GaveUpError, TaskgraphError

    try:
        settings = configuration()
        code: Any = tg(standalone_mode=False, default_map=settings)
    except click.exceptions.Abort:
        _end("stopped", 130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except GaveUpError as error:
        _end(str(error), 3)
    except TaskgraphError as error:
        _end(str(error), 2)
    except BackendError as error:
        _end(str(error), 4)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    sys.exit(code if isinstance(code, int) else 0)


def _end(sentence: str, code: int) -> None:
    click.echo(f"tg: {sentence}", err=True)
    sys.exit(code)
