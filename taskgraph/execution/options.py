"""How to run: what each worker is told, and the run as a whole.

This is the one place of their settings. What `setting` made of a field is all that the
options of a command, their help and the keys of ``tg.toml`` are made of.
"""

from __future__ import annotations

from dataclasses import field, fields, replace
from typing import TYPE_CHECKING, Any

from backends.interface.frozen import frozen
from backends.liveness import DEFAULT_LEASE, worker_identity
from taskgraph.durations import seconds_of
from taskgraph.names import known_as
from taskgraph.resources import NOTHING, Resources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_SETTING, _HAS = "setting", "resources"


@frozen
class Setting:
    """A field that users set.

    Attributes
    ----------
    name : str
        In ``tg.toml``; on the command line with dashes.
    default : bool, int, float or None
        If it is not set.
    meaning : str
        One sentence for the help.
    metavar : str, optional
        What stands for the value in the help.
    letter : str, optional
        Short for the name on the command line.
    read : callable, optional
        Makes the value of a text, or raises a ValueError that says what to write.
    many : bool, optional
        Whether it may be given several times; its values are texts then.
    """

    name: str
    default: Any
    meaning: str
    metavar: str | None
    letter: str | None
    read: Callable[[str], Any] | None = None
    many: bool = False


def setting(
    default: Any,
    meaning: str,
    *,
    name: str = "",
    metavar: str | None = None,
    letter: str | None = None,
    read: Callable[[str], Any] | None = None,
    many: bool = False,
) -> Any:
    """Return a field that users set; its name is the setting's unless one is given."""
    kept = Setting(name, default, meaning, metavar, letter, read, many)
    return field(default=default, metadata={_SETTING: kept})


def _count(text: str) -> int:
    if not (text.isdecimal() and int(text)):
        raise ValueError(f"{text!r} is no number of tasks; write 1 or more")
    return int(text)


@known_as("taskgraph")
@frozen
class WorkerOptions:
    """What each worker is told.

    Attributes
    ----------
    select : callable, optional
        Says of a function's name whether its tasks may be run here.
    fail_fast : bool
        Start no new task after a failure.
    debug : bool
        Let exceptions of tasks through.
    max_wait : float
        Seconds to wait for others while no other worker is alive.
    max_time : float, optional
        Seconds after which it ends, whether all is done or not.
    max_tasks : int, optional
        After how many tasks it ends.
    retries_on : str, optional
        Which failures are tried again, of functions that do not say it themselves.
    also : sequence of str
        Other stores, whose results are taken instead of computed; looked into only.
    resources : Resources
        What all workers of the run have together, for tasks that ask for it.
    """

    select: Callable[[str], bool] | None = None
    fail_fast: bool = setting(False, "Start no new task after a failure.")
    debug: bool = setting(
        False, "Run in this process; the first error ends it with its traceback."
    )
    max_wait: float = setting(
        1800.0,
        "Give up when no other worker is alive and nothing can be run for so long.",
        metavar="SECONDS",
    )
    max_time: float | None = setting(
        None,
        "End in so much time, such as 4h or 90m: begin no task that would probably "
        "take longer than is left. A batch system's own limit is known.",
        metavar="TIME",
        read=seconds_of,
    )
    max_tasks: int | None = setting(
        None, "Each worker ends after so many tasks.", metavar="N", read=_count
    )
    retries_on: str | None = setting(
        None,
        "Which failures are worth another try, by `retries=` and by this run, where "
        "functions do not say it: names of exceptions, timeout, killed, unstorable.",
        metavar="CAUSE,CAUSE",
    )
    also: Sequence[str] = setting(
        (),
        "Look into this store, too, and take results from there instead of computing "
        "them; nothing is written to it. May be repeated.",
        metavar="URL",
        many=True,
    )
    resources: Resources = setting(
        NOTHING,
        "What the workers of this command have, together, for tasks that ask for it: "
        "gpu=1,mem=32G.",
        metavar="NAME=AMOUNT,...",
        read=Resources.of,
    )

    def identity(
        self, pid: int, lease: float, supervisor: int | None = None
    ) -> dict[str, object]:
        """Return what a worker says of itself: see `worker_identity`; and what it has.

        Examples
        --------
        >>> options = WorkerOptions(resources=Resources.of("gpu=1"))
        >>> print(offered_by(options.identity(1, 120.0)))
        gpu=1
        """
        has = {_HAS: str(self.resources)} if self.resources else {}
        return worker_identity(pid, lease, supervisor) | has


def offered_by(identity: Mapping[str, object]) -> Resources:
    """Return which resources a worker says that its command has."""
    try:
        return Resources.of(identity.get(_HAS, ""))
    except ValueError:  # of another version
        return NOTHING


@frozen
class RunOptions:
    """What a run is told; the settings say themselves what they mean."""

    workers: int = setting(
        1, "Workers to start on this machine.", name="jobs", metavar="N", letter="j"
    )
    per_worker: WorkerOptions = field(default_factory=WorkerOptions)
    retry: bool = setting(False, "Run all tasks again that failed before.")
    no_retry: bool = setting(False, "Leave tasks alone that failed before.")
    requeue: bool = setting(
        False, "Let the batch system start this job again if its limits leave work."
    )
    pdb: bool = setting(False, "Open a debugger where a task fails.")
    lease: float = setting(
        DEFAULT_LEASE,
        "Silence after which a worker counts as dead.",
        metavar="SECONDS",
    )
    quiet: bool = setting(False, "No progress and no summary.", letter="q")

    def identity(self, pid: int, supervisor: int | None = None) -> dict[str, object]:
        """Return what a worker of this run says of itself."""
        return self.per_worker.identity(pid, self.lease, supervisor)

    @classmethod
    def of(
        cls, given: Mapping[str, Any], select: Callable[[str], bool] | None = None
    ) -> RunOptions:
        """Return the options with what was given of the settings, by their names.

        Examples
        --------
        >>> options = RunOptions.of({"jobs": 2, "max_wait": 3.0, "tile": 64})
        >>> options.workers, options.per_worker.max_wait, options.lease
        (2, 3.0, 120.0)
        """
        per_worker = WorkerOptions(select, **_given_fields(WorkerOptions, given))
        return cls(per_worker=per_worker, **_given_fields(cls, given))


def run_settings() -> dict[str, Setting]:
    """Return all settings of a run by name."""
    both = (*_settings(RunOptions), *_settings(WorkerOptions))
    return {found.name: found for _, found in both}


def _settings(options: type) -> Iterator[tuple[str, Setting]]:
    """Yield the fields that are settings."""
    for each in fields(options):
        kept = each.metadata.get(_SETTING)
        if kept is not None:
            yield each.name, replace(kept, name=kept.name or each.name)


def _given_fields(options: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return values for the fields whose settings were given."""
    found = _settings(options)
    return {name: given[each.name] for name, each in found if each.name in given}
