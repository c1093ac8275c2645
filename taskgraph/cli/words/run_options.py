"""The options of a run on the command line, made of its settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from taskgraph.cli.words.jugfiles import StoreUrl
from taskgraph.execution.options import RunOptions, run_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskgraph.execution.options import Setting

F = TypeVar("F", bound="Callable[..., Any]")
_IN_HELP = (
    "jobs",
    "fail_fast",
    "retry",
    "no_retry",
    "retries_on",
    "debug",
    "pdb",
    "also",
    "resources",
    "max_time",
    "max_tasks",
    "requeue",
    "lease",
    "max_wait",
    "quiet",
)
"""In what order the help has them: the fields are by whom they are for."""
# The numbers that mpiexec and srun give to the processes that they start.
_RANKS = ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "SLURM_PROCID")


LIMIT = "limit"
"""What the type of options is called whose numbers are seconds, written with a unit."""


class _Read(click.ParamType[Any]):
    """What a setting makes of a text."""

    name = LIMIT

    def __init__(self, read: Callable[[Any], Any]) -> None:
        self._read = read

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the value; texts that have none are refused by the setting's words."""
        try:
            value = str(value) if isinstance(value, int) else value
            return self._read(value) if isinstance(value, (str, Mapping)) else value
        except ValueError as error:
            self.fail(str(error), param, ctx)


def run_options(function: F) -> F:
    """Add an option for each setting of a run; see `given_options`."""
    settings = run_settings().values()
    for setting in sorted(settings, key=lambda s: _IN_HELP.index(s.name), reverse=True):
        function = _option(setting)(function)
    return function


def given_options(
    given: Mapping[str, Any], select: Callable[[str], bool] | None = None
) -> RunOptions:
    """Return what was given on the command line; `select` chooses functions by name.

    Raises
    ------
    click.UsageError
        A number is too small.
    """
    if given["jobs"] < 1:
        raise click.UsageError("-j takes the number of workers, 1 or more")
    if not (given["lease"] > 0 and given["max_wait"] >= 0):  # nor nan
        raise click.UsageError("--lease and --max-wait take seconds, more than 0")
    if given["retry"] and given["no_retry"]:
        raise click.UsageError("--retry and --no-retry are two ways: give one")
    if given["retries_on"] is not None:
        from taskgraph.tasks.limits import checked_causes

        checked_causes(given["retries_on"], "--retries-on")
    debug = given["debug"] or given["pdb"]
    quiet = given["quiet"] or not is_first()
    return RunOptions.of({**given, "debug": debug, "quiet": quiet}, select)


def is_first() -> bool:
    """Return whether this process tells what is told once: the one of rank 0."""
    return rank(os.environ) == 0


def rank(environment: Mapping[str, str]) -> int:
    """Return the rank of this process among those of `mpiexec` or `srun`.

    It is 0 if none of them started it.

    Examples
    --------
    >>> rank({"PMI_RANK": "3", "PMI_SIZE": "4"}), rank({})
    (3, 0)
    """
    for name in _RANKS:
        number = environment.get(name, "")
        if number.isdecimal():
            return int(number)
    return 0


def _option(setting: Setting) -> Callable[[F], F]:
    flags = [f"-{setting.letter}"] if setting.letter else []
    flags.append(f"--{setting.name.replace('_', '-')}")
    if isinstance(setting.default, bool):
        return click.option(*flags, is_flag=True, help=setting.meaning)
    if setting.many:
        return click.option(
            *flags,
            multiple=True,
            type=StoreUrl(),
            envvar=f"TG_{setting.name.upper()}",
            metavar=setting.metavar,
            help=setting.meaning,
        )
    return click.option(
        *flags,
        default=setting.default,
        show_default=bool(setting.default) or None,
        type=None if setting.read is None else _Read(setting.read),
        metavar=setting.metavar,
        help=setting.meaning,
    )
