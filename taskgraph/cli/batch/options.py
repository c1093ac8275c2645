"""Options of commands that submit jobs, and the options that jobs are given in turn."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from taskgraph.cli.words.run_options import LIMIT
from taskgraph.durations import seconds_of

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")
_GIVEN = (
    click.core.ParameterSource.COMMANDLINE,
    click.core.ParameterSource.ENVIRONMENT,
)
OWN_OPTIONS = frozenset(
    {
        *("count", "time", "system", "ssh", "top_up", "directive", "export", "image"),
        *("volume", "queue", "secret", "template", "show_template", "dry_run"),
        *("store", "also", "debug", "pdb", "requeue", "as_json"),
    }
)
"""Parameters of commands that submit which their jobs are not given."""
_SYSTEMS = {
    "slurm": "Submit to Slurm.",
    "sge": "Submit to Grid Engine.",
    "pbs": "Submit to PBS.",
    "lsf": "Submit to LSF.",
    "k8s": "Make an Indexed Job of Kubernetes; needs --image.",
    "aws": "Write for AWS Batch; with --dry-run, --image and --queue.",
    "gcp": "Write for Google Batch; with --dry-run and --image.",
    "azure": "Write for Azure Batch; with --dry-run, --image and --queue.",
    "local": "Start them on this machine, in the background.",
}


class _Time(click.ParamType[float]):
    """A time such as 4h."""

    name = "time"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Return its seconds."""
        try:
            return value if isinstance(value, float) else seconds_of(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _System(click.Option):
    """A flag for a batch system; all of them set one parameter, and one is given."""

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:  # noqa: ARG002 - as click calls it
        """Let the parser note each that is given, not the last one."""
        parser.add_option(
            obj=self,
            opts=self.opts,
            dest=self.name,
            action="append_const",
            nargs=1,
            const=self.flag_value,
        )

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        """Return the system that is given; refuse two."""
        if isinstance(value, list):
            first, *others = dict.fromkeys(value)
            if others:
                raise click.UsageError(
                    f"--{first} and --{others[0]} are two ways: give one"
                )
            value = first
        return super().process_value(ctx, value)


def submit_options(function: F) -> F:
    """Add what a submission needs: how many jobs, for how long, and where."""
    for option in reversed([*_where(), *_what()]):
        function = option(function)
    return function


def _where() -> list[Callable[[Any], Any]]:
    flags = [
        click.option(
            f"--{name}",
            "system",
            flag_value=name,
            default=None,
            help=meaning,
            cls=_System,
        )
        for name, meaning in _SYSTEMS.items()
    ]
    ssh = click.option(
        "--ssh",
        metavar="HOST,HOST",
        help="Start them on these machines, in turn; all see the jugfile's folder.",
    )
    count = click.option(
        "-n", "--count", default=1, show_default=True, metavar="N", help="Jobs."
    )
    limit = click.option(
        "--time", type=_Time(), metavar="TIME", help="Of each job: 4h, 90m."
    )
    return [count, limit, *flags, ssh]


def _what() -> list[Callable[[Any], Any]]:
    return [
        click.option(
            "--top-up",
            is_flag=True,
            help="Only as many as are useful now: ready tasks less workers and jobs "
            "that are there; N at most.",
        ),
        click.option(
            "--directive",
            multiple=True,
            metavar="OPTION",
            help='What else the batch system is told, as "--partition=long"; may be '
            "repeated.",
        ),
        click.option(
            "--export",
            multiple=True,
            metavar="NAME[=VALUE]",
            help="A variable that jobs have, besides TG_*; may be repeated.",
        ),
        *_of_containers(),
        click.option(
            "--template",
            type=click.Path(path_type=Path, exists=True, dir_okay=False),
            help="A job script of yours, with places as in the one that "
            "--show-template prints.",
        ),
        click.option("--show-template", is_flag=True, help="Print that, and end."),
        click.option("--dry-run", is_flag=True, help="Print the job script, and end."),
    ]


def _of_containers() -> list[Callable[[Any], Any]]:
    return [
        click.option("--image", default="", help="The image of --k8s and clouds."),
        click.option(
            "--volume",
            multiple=True,
            metavar="WHAT:PATH",
            help="What is mounted where: a claim (--k8s), a file system's id (--aws), "
            "a bucket (--gcp); may be repeated.",
        ),
        click.option(
            "--queue", default="", metavar="NAME", help="Queue (--aws), pool (--azure)."
        ),
        click.option(
            "--secret",
            multiple=True,
            metavar="NAME=WHERE",
            help="A variable whose value the cloud keeps: an ARN (--aws), "
            "projects/../secrets/../versions/.. (--gcp); may be repeated.",
        ),
    ]


def words_given(context: click.Context, own: frozenset[str]) -> list[str]:
    """Return the options of a command as they were given, but for some of its own.

    Parameters
    ----------
    context : click.Context
        Of the command.
    own : frozenset of str
        The parameters that are for this command alone.
    """
    words = []
    for option in context.command.params:
        name = option.name or ""
        default = context.get_parameter_source(name) is ParameterSource.DEFAULT
        if not isinstance(option, click.Option) or name in own or default:
            continue
        flag = next(word for word in option.opts if word.startswith("--"))
        value = context.params[name]
        if option.is_flag:
            words += [flag] if value else []
        elif option.multiple:
            words += [word for one in value for word in (flag, str(one))]
        else:
            words += [flag, _written(value, option)]
    return words


def _written(value: Any, option: click.Option) -> str:
    """Return the word that gives an option its value."""
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    seconds = isinstance(value, float) and option.type.name == LIMIT
    return f"{value}s" if seconds else str(value)


def given_store(context: click.Context) -> str | None:
    """Return the store that was given on the command line or in the environment."""
    source = context.get_parameter_source("store")
    if source is ParameterSource.COMMANDLINE:
        return str(context.params["store"])
    return os.environ.get("TG_STORE")
