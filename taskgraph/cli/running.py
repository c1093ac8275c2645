"""Commands that start workers: their options, and how they run and end."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from taskgraph.cli.options import note
from taskgraph.errors import UsageError
from taskgraph.exit_codes import ExitCode, by_signal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from taskgraph.api import Report
    from taskgraph.execution.options import Options
    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import Loaded

F = TypeVar("F", bound="Callable[..., Any]")
# The numbers that mpiexec and srun give to the processes that they start.
_RANKS = ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "SLURM_PROCID")
_OPTIONS = (
    click.option(
        "-j",
        "--jobs",
        default=1,
        show_default=True,
        metavar="N",
        help="Workers to start on this machine.",
    ),
    click.option(
        "--fail-fast", is_flag=True, help="Start no new task after a failure."
    ),
    click.option("--retry", is_flag=True, help="Run tasks again that failed before."),
    click.option(
        "--debug",
        is_flag=True,
        help="Run in this process; the first error ends it with its traceback.",
    ),
    click.option("--pdb", is_flag=True, help="Open a debugger where a task fails."),
    click.option(
        "--lease",
        default=120.0,
        show_default=True,
        metavar="SECONDS",
        help="Silence after which a worker counts as dead.",
    ),
    click.option(
        "--max-wait",
        default=1800.0,
        show_default=True,
        metavar="SECONDS",
        help="Give up when no other worker is alive and nothing can be run for so "
        "long.",
    ),
    click.option("-q", "--quiet", is_flag=True, help="No progress and no summary."),
)


def run_options(function: F) -> F:
    """Add the options of `Way`."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@dataclass(frozen=True, slots=True)
class Way:
    """How to run.

    Attributes
    ----------
    jobs : int
        Processes.
    retry : bool
        Run tasks again that failed before.
    lease : float
        Seconds of silence after which a worker counts as dead.
    quiet : bool
        Show no progress.
    fail_fast : bool
        Start no new task after a failure.
    debug : bool
        Run in this process and let errors through.
    pdb : bool
        Likewise, and open a debugger at an error.
    max_wait : float
        Seconds to wait for others while no other worker is alive.
    first : bool
        Whether this is the first of the processes that `mpiexec` started, or the only
        one: the others do not tell what it tells.
    """

    jobs: int = 1
    retry: bool = False
    lease: float = 120.0
    quiet: bool = False
    fail_fast: bool = False
    debug: bool = False
    pdb: bool = False
    max_wait: float = 1800.0
    first: bool = True

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Way:
        """Return what was given on the command line and taken out of it.

        Raises
        ------
        click.UsageError
            A number is too small.
        """
        if given["jobs"] < 1:
            raise click.UsageError("-j takes the number of workers, 1 or more")
        if not (given["lease"] > 0 and given["max_wait"] >= 0):  # nor nan
            raise click.UsageError("--lease and --max-wait take seconds, more than 0")
        first = rank(os.environ) == 0
        names = set(cls.__dataclass_fields__) - {"first", "quiet"}
        quiet = given["quiet"] or not first
        return cls(**{n: given[n] for n in names}, quiet=quiet, first=first)

    def options(self, select: Callable[[str], bool] | None = None) -> Options:
        """Return what each worker is told; `select` chooses functions by name."""
        from taskgraph.execution.options import Options

        debug = self.debug or self.pdb
        return Options(select, self.fail_fast, debug, self.max_wait)


def rank(environment: Mapping[str, str]) -> int:
    """Return the how-manieth of the processes of `mpiexec` or `srun` this is.

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


class Kept(Protocol):
    """A jugfile, or what is like one, whose graph is kept in the store."""

    def load(self, results: Results) -> Loaded:
        """Write the tasks down."""

    def keep(self, loaded: Loaded) -> None:
        """Keep the graph in the store."""


def run(
    source: Kept, loaded: Loaded, path: Path, way: Way, options: Options
) -> tuple[int, Report]:
    """Run what was loaded from `path`, in workers or in this process.

    Returns
    -------
    int
        The exit code.
    Report
        How many tasks are done.

    Raises
    ------
    UsageError
        Workers cannot see the store.
    """
    if options.debug:
        return _run_here(source, loaded, path, way, options)
    if not loaded.results.backend.shared:
        raise UsageError(
            "a store in memory ends with this command, and its workers cannot see it; "
            "give a directory, or --debug to run in this process"
        )
    return _supervise(source, loaded, path, way, options)


def forget_failures(loaded: Loaded, *, everything: bool) -> None:
    """Let failed tasks run again whose function has other code now, or all of them."""
    from taskgraph.results.provenance import code_fingerprint

    results = loaded.results
    results.backend.poll()
    again = []
    for key in list(results.backend.failures()):
        if key not in loaded.graph:
            continue
        record = results.record(key)
        now = code_fingerprint(loaded.graph[key].f)
        if everything or (record is not None and record.code and record.code != now):
            again.append(key)
    if again:
        results.backend.discard(again, reason="retry")
        note(f"{len(again)} tasks that failed before are run again")


def _run_here(
    source: Kept, loaded: Loaded, path: Path, way: Way, options: Options
) -> tuple[int, Report]:
    from taskgraph.api import report_of
    from taskgraph.execution.in_process import run_here

    source.keep(loaded)
    try:
        run_here(source, loaded, options, path.resolve().parent, way.lease)
    except Exception:
        if not way.pdb:
            raise
        import pdb  # noqa: T100 - asked for
        import sys
        import traceback

        traceback.print_exc()
        pdb.post_mortem(sys.exc_info()[2])
        return ExitCode.NOT_DONE, report_of(loaded)
    report = report_of(source.load(loaded.results))
    return report.exit_code, report


def _supervise(
    source: Kept, loaded: Loaded, path: Path, way: Way, options: Options
) -> tuple[int, Report]:
    from taskgraph.api import report_of
    from taskgraph.cli.progress import progress
    from taskgraph.execution.options import Plan
    from taskgraph.execution.supervisor import Supervisor

    with progress(loaded, path, quiet=way.quiet) as display:
        plan = Plan(
            workers=way.jobs,
            options=options,
            lease=way.lease,
            folder=str(path.resolve().parent),
            echo=display.echo,
            tick=display.tick,
            say=display.say,
        )
        supervisor = Supervisor(source, loaded, plan)
        code = supervisor.run(after_start=lambda: source.keep(loaded))
        if loaded.missing and not code and not supervisor.signal:
            loaded = source.load(loaded.results)  # what appeared behind barriers
        report = report_of(loaded)
        display.end(loaded.results.backend)
    for line in display.summary(report) if way.first else ():
        note(line)
    return _concluded(code, supervisor.signal, report), report


def _concluded(code: int, signo: int, report: Report) -> int:
    """Return the exit code of a run."""
    if signo:
        return by_signal(signo)
    if code > ExitCode.NOT_DONE:
        if code == ExitCode.GAVE_UP:
            note("gave up waiting: nobody else is alive, and nothing can be run here")
        return code
    undone = report.failed or report.blocked or code
    return ExitCode.NOT_DONE if undone else ExitCode.DONE
