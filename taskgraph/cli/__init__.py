"""The `tg` command: one file per subcommand, imported when it is called.

Exit codes: 0 all done; 1 tasks failed or are blocked (for `check`: not done yet);
2 usage or jugfile error; 3 gave up waiting; 4 the store failed, or the output cannot
be written; 128 + N stopped by signal N, 141 if the reader of the output has gone.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from taskgraph.cli.configuration import configuration

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_READER = 141
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
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

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        """Read the command line; `-h` and `--version` print."""
        with _output_kept():
            return super().make_context(*args, **more)

    def invoke(self, ctx: click.Context) -> Any:
        """Call a command; all that it prints is written when this returns."""
        with _output_kept():
            code = super().invoke(ctx)
            sys.stdout.flush()
            return code

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; name the nearest one if there is none."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, 1, 0.0)
            raise click.UsageError(
                f"there is no command {args[0]!r}; did you mean {near[0]!r}?", ctx
            )
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
    _open_output()
    try:
        code: Any = tg(standalone_mode=False, default_map=configuration())
    except click.exceptions.Abort:
        _end("stopped", 130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Exception as error:
        found = _exit_code(error)
        if found is None:
            raise
        _end(str(error), found)
    else:
        sys.exit(code if isinstance(code, int) else 0)


def _open_output() -> None:
    """Make sure that everything can be printed, and that there is where to."""
    if sys.stdout is None:  # closed, as by ``>&-``; files must not get its number
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - for the whole life
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 - for the whole life
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What tasks return may hold letters that no encoding has.
        sys.stdout.reconfigure(errors="backslashreplace")


def _exit_code(error: Exception) -> int | None:
    """Return the exit code for an error, None for one that nobody foresaw."""
    from backends.errors import BackendError, OpenError
    from taskgraph.errors import GaveUpError, TaskgraphError

    if isinstance(error, GaveUpError):
        return 3
    if isinstance(error, TaskgraphError | OpenError):
        return 2
    return 4 if isinstance(error, BackendError) else None


def _end(sentence: str, code: int) -> None:
    click.echo(f"tg: {sentence}", err=True)
    sys.exit(code)


@contextmanager
def _output_kept() -> Iterator[None]:
    """End in order if the output cannot be written; click would say 1 for its reason.

    If the reader has gone, as in ``tg status | head -1``, that is as other programs do:
    without a word, with the code of SIGPIPE.
    """
    try:
        yield
    except BrokenPipeError:
        _forget_output()
        sys.exit(_NO_READER)
    except OSError as error:
        if error.errno not in _FULL or error.filename is not None:
            raise
        _forget_output()
        _end(f"cannot write the output: {error.strerror}", 4)


def _forget_output() -> None:
    """Keep Python from trying again at its end what could not be written."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, number)
