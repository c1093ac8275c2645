"""What the programs of this project have in common: commands, output, how they end.

What their exit codes mean is in `taskgraph.exit_codes`.
"""

from __future__ import annotations

import atexit
import errno
import gc
import io
import os
import sys
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from taskgraph.cli.plugins import Plugin

_SUMMARY = 60
_STANDARD = ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w"))
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class Program(click.Group):
    """A group of commands whose output is written when it returns."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words before a command's own; `help COMMAND` is `COMMAND --help`."""
        if args[:1] == ["help"]:
            args = [*args[1:2], "--help"]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; name the nearest one if there is none."""
        named = bool(args) and not args[0].startswith("-")
        if named and self.get_command(ctx, args[0]) is None:
            from taskgraph.cli.words.other_programs import command_meant

            meant = command_meant(args[0], self.list_commands(ctx))
            raise click.UsageError(f"there is no command {args[0]!r}; {meant}", ctx)
        return super().resolve_command(ctx, args)

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        """Read the command line; `-h` and `--version` print."""
        with _output_kept():
            return super().make_context(*args, **more)

    def invoke(self, ctx: click.Context) -> Any:
        """Call a command; all that it prints is written when this returns."""
        from backends.warning import warnings_told
        from taskgraph.cli.sentences import note

        with _output_kept(), warnings_told(note):
            code = super().invoke(ctx)
            sys.stdout.flush()
            return code


class LazyProgram(Program):
    """A program whose commands are imported when they are called, not to list them.

    Parameters
    ----------
    package : str
        Where the commands are: each is called ``command`` in a module of its name, in
        the folder of its group.
    groups : mapping
        By folder: the title of the group, and what each of its commands does by name.
    others : callable
        Returns commands of other people by name, see `taskgraph.cli.plugins`. It is
        called for a word that is no command of ours, and to list all.
    only_look : collection of str, optional
        Commands that run no code of the user's, unpickle nothing, start no threads.

    Attributes
    ----------
    alone : bool
        Whether nothing but our own code has run so far.
    """

    def __init__(
        self,
        *args: Any,
        package: str,
        groups: Mapping[str, tuple[str, Mapping[str, str]]],
        others: Callable[[], Mapping[str, Plugin]] = dict,
        only_look: Collection[str] = (),
        **more: Any,
    ) -> None:
        super().__init__(*args, **more)
        self.alone, self._only_look = True, only_look
        self._groups = groups
        self._others = cache(others)
        self._modules = {
            name: f"{package}.{folder}.{name.replace('-', '_')}"
            for folder, (_, summaries) in groups.items()
            for name in summaries
        }

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        """Return the names of all commands."""
        return sorted({*self._modules, *self._others()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None if there is none of that name.

        Raises
        ------
        click.ClickException
            It is somebody else's, and broken.
        """
        if cmd_name not in self._only_look:
            self.alone = False
        if cmd_name in self._modules:
            from backends.garbage import few_collections

            with few_collections(lasting=True):
                command: click.Command = import_module(self._modules[cmd_name]).command
            return command
        found = self._others().get(cmd_name)
        if found is None:
            return None
        if isinstance(ctx.default_map, dict):  # as it is for each of ours
            ctx.default_map.setdefault(cmd_name, ctx.default_map.get("", {}))
        try:
            return found.command()
        except click.ClickException:
            if ctx.resilient_parsing:  # the shell completes: nothing may disturb that
                return None
            raise

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's
        formatter: click.HelpFormatter,
    ) -> None:
        """List the commands by group; only those of other people are imported."""
        others, broken = self._summaries()
        longest = max(map(len, (*self._modules, *others)))
        groups = [*self._groups.values(), *([("Plug-ins", others)] if others else [])]
        for title, summaries in groups:
            rows = [(name.ljust(longest), what) for name, what in summaries.items()]
            with formatter.section(title):
                formatter.write_dl(rows)
        for error in broken:
            from taskgraph.cli.sentences import note

            note(error.message)

    def _summaries(self) -> tuple[dict[str, str], list[click.ClickException]]:
        """Return what commands of other people do, by name, and what is broken."""
        summaries, broken = {}, []
        for name, found in self._others().items():
            self.alone = False
            try:
                summaries[name] = found.command().get_short_help_str(_SUMMARY)
            except click.ClickException as error:
                broken.append(error)
        return summaries, broken


def _hide_passwords(arguments: Sequence[str]) -> None:
    """Overwrite passwords in URLs of stores, before anything else takes its time."""
    if any("://" in argument for argument in arguments):
        from backends.urls import hide, passwords_in

        hide(each for argument in arguments for each in passwords_in(argument))


def run_program(
    program: click.Command,
    name: str,
    *,
    usage_errors: Callable[[], tuple[type[Exception], ...]] = tuple,
    settings: Callable[[], dict[str, Any] | None] = dict,
) -> None:
    """Be a program; errors of the user and of the store end in one sentence.

    Parameters
    ----------
    program
        The command.
    name
        How its user calls it.
    usage_errors
        Returns exceptions that are the user's besides those of `taskgraph`.
    settings
        Returns the defaults for options.
    """
    gc.freeze()  # nothing but imports is there
    _open_output()
    _hide_passwords(sys.argv)
    try:
        code: Any = program(
            prog_name=name, standalone_mode=False, default_map=settings()
        )
    except click.exceptions.Abort:
        from signal import SIGINT

        from taskgraph.exit_codes import by_signal

        _end("stopped", by_signal(SIGINT), name)
    except click.exceptions.NoArgsIsHelpError as error:
        _print_error(error.format_message())
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _end(_sentences(error, name), error.exit_code, name)
    except Exception as error:
        found = _exit_code(error, usage_errors())
        if found is None:
            raise
        _end(str(error), found, name)
    else:
        code = code if isinstance(code, int) else 0
        if isinstance(program, LazyProgram) and program.alone:
            leave(code)
        sys.exit(code)


def leave(code: int) -> NoReturn:
    """End this process, in which no code of the user's has run, with an exit code.

    Python would take all modules to pieces, which is a sixth of a short command's time.
    """
    atexit._run_exitfuncs()  # noqa: SLF001 - as multiprocessing does
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _open_output() -> None:
    """Make sure that everything can be printed, and that there is where to."""
    for number, name, mode in _STANDARD:
        if getattr(sys, name) is None:  # closed, as by ``>&-``
            # No other file must get its number: what is opened gets the lowest.
            if not _is_open(number):
                os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(number, mode))
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What tasks return may hold letters that no encoding has.
        sys.stdout.reconfigure(errors="backslashreplace")


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _exit_code(error: Exception, usage: tuple[type[Exception], ...]) -> int | None:
    """Return the exit code for an error, None for one that nobody foresaw."""
    from backends.errors import BackendError, OpenError
    from taskgraph.errors import GaveUpError, TaskgraphError
    from taskgraph.exit_codes import ExitCode

    if isinstance(error, GaveUpError):
        return ExitCode.GAVE_UP
    if isinstance(error, (TaskgraphError, OpenError, *usage)):
        return ExitCode.USAGE
    return ExitCode.STORE_FAILED if isinstance(error, BackendError) else None


def _sentences(error: click.ClickException, name: str) -> str:
    """Return what click has to say in the form that everything else has."""
    from taskgraph.cli.words.other_programs import option_meant

    what = error.format_message()
    if isinstance(error, click.NoSuchOption) and option_meant(error.option_name):
        option = error.option_name
        what = f"no such option {option!r}; {option_meant(option)}"
    context = getattr(error, "ctx", None)
    command = name if context is None else context.command_path
    return f"{what[:1].lower()}{what[1:]}\n{name}: `{command} --help` says more"


def _end(sentence: str, code: int, name: str) -> None:
    _print_error(f"{name}: {sentence}")
    sys.exit(code)


def _print_error(text: str) -> None:
    from taskgraph.cli.printing import say

    try:
        say(text, error=True)
    except OSError:  # nobody can be told; the code says it
        _forget_output()


@contextmanager
def _output_kept() -> Iterator[None]:
    """End in order if the output cannot be written; click would say 1 for its reason.

    If the reader has gone, as in ``tg status | head -1``, that is as other programs do:
    without a word, with the code of SIGPIPE.
    """
    try:
        yield
    except BrokenPipeError:
        from taskgraph.exit_codes import ExitCode

        _forget_output()
        sys.exit(ExitCode.NO_READER)
    except OSError as error:
        if error.errno not in _FULL or error.filename is not None:
            raise
        from taskgraph.cli.sentences import program_name
        from taskgraph.exit_codes import ExitCode

        _forget_output()
        why = f"cannot write the output: {error.strerror}"
        _end(why, ExitCode.STORE_FAILED, program_name())


def _forget_output() -> None:
    """Keep Python from trying again at its end what could not be written."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, number)
