"""Submitting jobs: what `tg submit` and `segkit submit` have in common."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskgraph.cli.printing import counted, say
from taskgraph.cli.sentences import note, program_name
from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from backends.interface import Backend
    from taskgraph.cli.batch.readiness import Ready
    from taskgraph.clusters.clouds import Cloud
    from taskgraph.clusters.orders import Order
    from taskgraph.clusters.systems import System

_NOT_FOR_JOBS = ("TG_CPUS", "TG_STORE", "TG_JUGFILE", "TG_ELEMENT")
_LONGEST_NAME = 40
_NAME = "[A-Za-z_][A-Za-z0-9_]*"
_DIRECTIVE = re.compile(r"-[^\n]+")


def submit(
    jugfile: Path,
    command: Sequence[str],
    given: Mapping[str, Any],
    store: str | None,
    ready: Callable[[], Ready],
) -> int:
    """Submit jobs, or show the script; return the exit code.

    Parameters
    ----------
    jugfile : Path
        Beside which scripts and logs are kept.
    command : sequence of str
        What each job runs: the program's name and its arguments.
    given : mapping
        What was given of `submit_options` and `run_options`.
    store : str or None
        The URL of the store, if one was given; it goes to the jobs by a file that only
        the user can read.
    ready : callable
        Returns how many tasks are ready that the jobs may run.

    Raises
    ------
    ClusterError
        There is no batch system, or it refuses; nothing was submitted.
    UsageError
        What is asked for makes no sense.
    """
    from taskgraph.clusters.clouds import Cloud
    from taskgraph.clusters.orders import filled, template_of
    from taskgraph.clusters.submissions import folder_of, new_place

    system = _system(given)
    if given["show_template"]:
        say(template_of(system.template).rstrip())
        return 0
    _refuse(given, system.name)
    count = _how_many(jugfile, given, ready)
    if not count:
        note("nothing is submitted: no task is ready that nobody would run already")
        return 0
    text, source = _template(given["template"], system.template)

    def order(number: int) -> Order:
        return _order(jugfile, number, count, command, given, store, system)

    number = _next_number(jugfile)
    if isinstance(system, Cloud):
        say(system.manifest(filled(text, system.values(order(number)), source)))
        return 0
    if given["dry_run"]:
        _tell_choice(given, system.title)
        place = folder_of(jugfile) / str(number)
        say(filled(text, system.values(order(number), place), source).rstrip())
        return 0
    with new_place(jugfile) as (number, place):
        wanted = order(number)
        written = filled(text, system.values(wanted, place), source)
        job = _submitted(system, wanted, number, place, written, given)
    _tell(jugfile, number, count, system.title, job)
    return 0


def _template(own: Path | None, name: str) -> tuple[str, str]:
    """Return the template that the user gives, or that of a name; and what it is."""
    from taskgraph.clusters.orders import template_of

    return (own.read_text(), str(own)) if own else (template_of(name), name)


def _tell_choice(given: Mapping[str, Any], title: str) -> None:
    asked = given["ssh"] or given["system"]
    why = "as asked for" if asked else "it is the first that was found here"
    note(f"{title}: {why}; nothing is submitted, only the script is shown")


def _tell(jugfile: Path, number: int, count: int, title: str, job: str) -> None:
    """Tell what was submitted: no note, which would add the store with its password."""
    which = shlex.quote(str(jugfile))
    say(
        f"{program_name()}: submitted {counted(count, 'job')} as {number} "
        f"({title} {job}); `tg jobs {which}` lists them, "
        f"`tg cancel {which} {number}` ends them",
        error=True,
    )
    say(job)


def _submitted(
    system: System,
    order: Order,
    number: int,
    place: Path,
    written: str,
    given: Mapping[str, Any],
) -> str:
    from taskgraph.clusters.programs import ClusterError
    from taskgraph.clusters.submissions import (
        keep,
        now_submitted,
        write_environment,
        write_script,
    )

    write_environment(place, order.environ)
    path = write_script(place, written)
    try:
        job = system.submit(order, path)
    except ClusterError as error:
        if system.name in ("ssh", "local"):
            raise
        raise ClusterError(
            f"{error}; --local or --ssh HOST,HOST starts workers without {system.title}"
        ) from error
    what = order.count, given["jobs"], str(given["resources"])
    keep(now_submitted(number, place, system.name, job, *what))
    return job


def _system(given: Mapping[str, Any]) -> System | Cloud:
    """Return the batch system that is asked for, or is here."""
    from taskgraph.clusters.clouds import CLOUDS
    from taskgraph.clusters.systems import SYSTEMS, system_here

    if given["ssh"] and given["system"]:
        raise UsageError(f"--ssh and --{given['system']} are two ways: give one")
    if given["ssh"]:
        return SYSTEMS["ssh"]
    if given["system"] in CLOUDS:
        return CLOUDS[given["system"]]
    return SYSTEMS[given["system"]] if given["system"] else system_here()


def _refuse(given: Mapping[str, Any], name: str) -> None:
    """Refuse what makes no sense for jobs, or those of the system of this name."""
    from taskgraph.clusters.clouds import CLOUDS

    if given["count"] < 1:
        raise UsageError("-n takes the number of jobs, 1 or more")
    if given["jobs"] < 1:
        raise UsageError("-j takes the number of workers of each job, 1 or more")
    if given["debug"] or given["pdb"]:
        raise UsageError("nobody sits at a job's terminal: --debug is for `tg execute`")
    if name not in ("k8s", *CLOUDS) and (given["image"] or given["volume"]):
        raise UsageError("--image and --volume are for --k8s and clouds")
    if name not in CLOUDS and (given["queue"] or given["secret"]):
        raise UsageError("--queue and --secret are for clouds; see --directive")
    if name in CLOUDS and not given["dry_run"]:
        raise UsageError(
            f"--{name} writes a manifest for that cloud's own program to submit: give "
            "--dry-run"
        )
    _refuse_words(given)


def _refuse_words(given: Mapping[str, Any]) -> None:
    """Refuse values of options that are not written as they have to be."""
    for directive in given["directive"]:
        if not _DIRECTIVE.fullmatch(directive):
            raise UsageError(
                f"--directive {directive!r}: batch systems pass over what does not "
                "begin with a dash; write one of their options and no mark before it, "
                'as --directive "--partition=long"'
            )
    for volume in given["volume"]:
        if not re.fullmatch(r"[^:]+:/.*", volume):
            raise UsageError(f"--volume {volume!r}: write WHAT:/where/it/is/mounted")
    for secret in given["secret"]:
        if not re.fullmatch(rf"{_NAME}=.+", secret):
            raise UsageError("--secret takes NAME=WHERE, where a cloud keeps the value")


def _how_many(
    jugfile: Path, given: Mapping[str, Any], ready: Callable[[], Ready]
) -> int:
    """Return how many jobs to submit: those asked for, or as many as are useful."""
    if not given["top_up"]:
        return int(given["count"])
    from taskgraph.clusters.submissions import submissions_of, useful_jobs
    from taskgraph.clusters.systems import SYSTEMS
    from taskgraph.resources import Resources

    lacking, useful = ready()
    waiting = 0
    for one in submissions_of(jugfile):
        if not useful(Resources.of(one.resources)):
            continue
        elements = SYSTEMS[one.system].elements(one.job, one.place)
        waiting += sum(element.state == "waiting" for element in elements)
    return useful_jobs(lacking, waiting, given["jobs"], given["count"])


def _order(
    jugfile: Path,
    number: int,
    count: int,
    command: Sequence[str],
    given: Mapping[str, Any],
    store: str | None,
    system: System | Cloud,
) -> Order:
    from math import floor

    from taskgraph.clusters.clouds import Cloud
    from taskgraph.clusters.orders import Order

    program, verb, *rest = command
    cloud = isinstance(system, Cloud)
    variables = _open_variables if cloud else _variables
    limits = ["--requeue"] if system.requeues else []
    if given["time"] is not None and given.get("max_time") is None:
        limits += ["--max-time", f"{max(1, floor(given['time']))}s"]
    stem = (
        re.sub(r"[^A-Za-z0-9]+", "-", jugfile.stem)[:_LONGEST_NAME].strip("-").lower()
    )
    hosts = [host.strip() for host in (given["ssh"] or "").split(",")]
    return Order(
        name=f"tg-{stem or 'job'}-{number}",
        count=count,
        command=(program if cloud else _program(program), verb, *limits, *rest),
        folder=Path.cwd(),
        seconds=given["time"],
        cpus=given["jobs"],
        directives=given["directive"],
        hosts=tuple(filter(None, hosts)),
        image=given["image"],
        volumes=dict(reversed(one.split(":", 1)) for one in given["volume"]),
        environ=variables(given["export"], store, given["also"]),
        queue=given["queue"],
        secrets=dict(one.split("=", 1) for one in given["secret"]),
    )


def _program(name: str) -> str:
    """Return where this program is, for machines that have the same files."""
    beside = Path(sys.executable).with_name(name)
    if beside.exists():
        return str(beside)
    return shutil.which(name) or name


def _variables(
    named: Sequence[str], store: str | None, also: Sequence[str]
) -> dict[str, str]:
    """Return the variables of the jobs: ours, and those that the user names."""
    found = {
        name: text
        for name, text in os.environ.items()
        if name.startswith("TG_") and name not in _NOT_FOR_JOBS
    }
    for one in named:
        name, given, text = one.partition("=")
        if not re.fullmatch(_NAME, name):
            raise UsageError(f"--export {one!r}: write NAME or NAME=VALUE")
        if not given and name not in os.environ:
            raise UsageError(f"--export {name}: there is no such variable here")
        found[name] = text if given else os.environ[name]
    found |= {"TG_ALSO": ";".join(also)} if also else {}
    return {**found, "TG_STORE": store} if store else found


def _open_variables(
    named: Sequence[str], store: str | None, also: Sequence[str]
) -> dict[str, str]:
    """Return the variables of jobs whose manifest shows them; refuse what is secret."""
    from backends.urls import without_password

    for one in named:
        if "=" not in one:
            raise UsageError(
                f"--export {one}: its value would stand in the manifest; write "
                f"--secret {one}=WHERE, or {one}=VALUE if all may see it"
            )
    if any(without_password(url) != url for url in (store or "", *also)):
        raise UsageError(
            "the password of a store would stand in the manifest: leave it out of "
            "the URL, and write --secret REDISCLI_AUTH=WHERE"
        )
    return _variables(named, store, also)


def _next_number(jugfile: Path) -> int:
    from taskgraph.clusters.submissions import submissions_of

    return 1 + max((one.number for one in submissions_of(jugfile)), default=0)


def require_going_on(backend: Backend, given: Mapping[str, Any]) -> None:
    """Refuse a store whose workers somebody has stopped, and one in memory.

    The user is told of one that containers would not see.

    Parameters
    ----------
    backend : Backend
        The store.
    given : mapping
        What was given of `submit_options`.

    Raises
    ------
    UsageError
        It is one of these.
    """
    from taskgraph.execution.ending import read_note

    if not backend.shared:
        raise UsageError("jobs cannot see a store in memory; give a directory")
    found = read_note(backend)
    if found is not None:
        raise UsageError(
            f"{found.who} stopped the workers of this store: jobs would end at once; "
            "`tg stop --off` lets them work"
        )
    if not given["show_template"]:
        _tell_if_unseen(backend.url, given)


def _tell_if_unseen(url: str, given: Mapping[str, Any]) -> None:
    """Tell that results would be lost with each container, where they seem to be."""
    from backends.opening import directory_of
    from taskgraph.clusters.clouds import CLOUDS

    directory = directory_of(url)
    if given["system"] not in ("k8s", *CLOUDS) or given["template"] or not directory:
        return
    mounted = (Path(one.partition(":")[2]) for one in given["volume"])
    if not any(directory.absolute().is_relative_to(path) for path in mounted):
        mount = "the pool" if given["system"] == "azure" else "a --volume"
        note(
            f"the store is a directory of this machine: unless {mount} "
            "mounts it, each container computes everything for itself, and its results "
            "are lost; --store redis://HOST or s3://BUCKET/PREFIX is seen by all"
        )
