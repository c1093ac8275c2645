"""What is submitted, what is known of it later, and job scripts made of templates."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING

from taskgraph.clusters.programs import ClusterError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_PLACE = re.compile(r"@([a-z]+)@")


@dataclass(frozen=True, slots=True)
class Order:
    """An array of jobs that somebody wants.

    Attributes
    ----------
    name : str
        What the batch system calls it: letters, digits and dashes.
    count : int
        How many jobs.
    command : tuple of str
        What each of them runs, with its arguments.
    folder : Path
        Where it runs.
    seconds : float, optional
        The time limit of each.
    cpus : int
        How many cores each is given, where batch systems agree on how to ask for them.
    directives : tuple of str
        Options that the batch system is given besides.
    hosts : tuple of str
        On which machines, if there is no batch system.
    image : str
        What containers are made of.
    volumes : mapping
        Which claims containers mount, by the path where they are mounted.
    environ : mapping
        Variables of the jobs.
    queue : str
        Where jobs of a cloud wait.
    secrets : mapping
        Where a cloud keeps the values of other variables.
    """

    name: str
    count: int
    command: tuple[str, ...]
    folder: Path
    seconds: float | None = None
    cpus: int = 1
    directives: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    image: str = ""
    volumes: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    queue: str = ""
    secrets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Element:
    """One job of an array that the batch system knows of.

    Attributes
    ----------
    number : int
        From 1.
    state : str
        ``waiting``, ``running``, ``ended``, or a word of the batch system.
    host : str
        Where it runs, empty if nowhere.
    """

    number: int
    state: str
    host: str = ""


def template_of(name: str) -> str:
    """Return the template of a job script that comes with this package."""
    return files("taskgraph.clusters").joinpath("templates", name).read_text("utf-8")


def filled(template: str, values: Mapping[str, str], what: str) -> str:
    """Return a template with values for its places, each written as ``@word@``.

    Raises
    ------
    ClusterError
        It has a place for which there is no value.

    Examples
    --------
    >>> filled("#SBATCH --array=1-@count@", {"count": "7"}, "mine.sh")
    '#SBATCH --array=1-7'
    >>> filled("@host@", {"count": "7"}, "mine.sh")
    Traceback (most recent call last):
    taskgraph.clusters.programs.ClusterError: mine.sh: nothing is put for @host@; ...
    """
    unknown = [word for word in _PLACE.findall(template) if word not in values]
    if unknown:
        known = " ".join(f"@{word}@" for word in sorted(values))
        raise ClusterError(
            f"{what}: nothing is put for @{unknown[0]}@; there is {known}"
        )
    return _PLACE.sub(lambda match: values[match[1]], template)


def shell_values(order: Order, place: Path, directives: list[str]) -> dict[str, str]:
    """Return what is put into a job script for a shell.

    Parameters
    ----------
    order : Order
        What is wanted.
    place : Path
        The folder of this submission: of script, environment and logs.
    directives : list of str
        Lines for the batch system.
    """
    return {
        "name": order.name,
        "count": str(order.count),
        "directives": "\n".join(directives) or "#",
        "environment": shlex.quote(str(place / "environment")),
        "folder": shlex.quote(str(order.folder)),
        "command": shlex.join(order.command),
        "log": shlex.quote(str(place / "log")),
        "place": shlex.quote(str(place)),
        "script": shlex.quote(str(place / "script")),
    }
