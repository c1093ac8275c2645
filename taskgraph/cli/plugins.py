"""Commands of others: of installed packages, and of the user's own folder.

None is imported before it is called, or the help lists it.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any

import click

from taskgraph.cli.words.configuration import user_commands

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

ENTRY_POINTS = "taskgraph.commands"
"""The group of entry points by which a package has commands."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """A command of somebody else.

    Attributes
    ----------
    name : str
        As it is typed.
    where : str
        The file or the entry point, for people.
    read : callable
        Imports what is there and returns it.
    """

    name: str
    where: str
    read: Callable[[], Any]

    def command(self) -> click.Command:
        """Import it.

        Raises
        ------
        click.UsageError
            It raises, or it is no command.
        """
        try:
            found = self.read()
        except (KeyboardInterrupt, click.ClickException):
            raise
        except BaseException as error:
            raise self._broken(f"{type(error).__name__}: {error}") from error
        if not isinstance(found, click.Command):
            raise self._broken(
                f"it is {found!r:.60}, no command of click (decorate a function by "
                "@click.command())"
            )
        return found

    def _broken(self, why: str) -> click.UsageError:
        return click.UsageError(
            f"the plug-in {self.name} ({self.where}) cannot be used: {why}"
        )


def plugins(built_in: Collection[str], *, told: bool = True) -> dict[str, Plugin]:
    """Return the commands of others by name; those of the user's folder come first.

    Parameters
    ----------
    built_in : collection of str
        Names that are not theirs.
    told : bool, optional
        Whether the user is told which are passed over, since something of that name is
        there.
    """
    found: dict[str, Plugin] = {}
    for each in (*_in_folder(user_commands(), told=told), *_installed()):
        whose = "a command of tg" if each.name in built_in else ""
        if each.name in found and found[each.name].where != each.where:
            whose = f"the one of {found[each.name].where}"
        if whose and told:
            from taskgraph.cli.sentences import note

            note(passed_over(each.name, each.where, whose))
        if not whose:
            found.setdefault(each.name, each)
    return found


def passed_over(name: str, where: str, whose: str) -> str:
    """Return what to say of a plug-in whose name is taken."""
    return f"the plug-in {name} ({where}) is passed over: {whose} has that name"


def _in_folder(folder: str, *, told: bool) -> Iterator[Plugin]:
    """Yield what is in a folder, a command in each file; nothing of strangers."""
    for name in sorted(_listed(folder)):
        stem = name.removesuffix(".py")
        if stem != name and not name.startswith(("_", ".")):
            path, called = f"{folder}/{name}", stem.replace("_", "-")
            why = _of_strangers(folder, path)
            if not why:
                yield Plugin(called, path, partial(_command_of, path, stem))
            elif told:
                from taskgraph.cli.sentences import note

                note(f"the plug-in {called} ({path}) is passed over: {why}")


def _listed(folder: str) -> list[str]:
    """Return the names in a folder; none if it is not there or cannot be read."""
    with suppress(OSError):
        return os.listdir(folder)  # noqa: PTH208 - pathlib costs start-up time
    return []


def _of_strangers(*paths: str) -> str:
    """Return why somebody else may have written what is there; empty if nobody may."""
    for path in paths:
        try:
            found = os.stat(path)  # noqa: PTH116 - pathlib costs start-up time
        except OSError as error:
            return f"{path}: {error.strerror}"
        if found.st_mode & 0o002:
            return f"every user may write to {path}; `chmod o-w {path}` ends that"
        if found.st_uid not in (0, os.getuid()):
            return f"{path} is somebody else's"
    return ""


def _command_of(path: str, stem: str) -> Any:
    """Return what a file calls ``command``."""
    from importlib.util import module_from_spec, spec_from_file_location

    name = f"_taskgraph_command_{stem}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.command


def _installed() -> Iterator[Plugin]:
    """Yield what installed packages say by their entry points."""
    if not _any_installed():
        return
    from importlib.metadata import entry_points

    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda p: p.name):
        yield Plugin(point.name, point.value, point.load)


def _any_installed() -> bool:
    """Return whether an installed package may have commands.

    Python's own search takes as long to load as the rest of `tg --help`. So it begins
    only if a file names the group, or if packages may be where there are no files: in
    archives, and where somebody's importer finds them.
    """
    finders = (one for one in sys.meta_path if hasattr(one, "find_distributions"))
    if any(one is not PathFinder for one in finders):
        return True
    wanted = ENTRY_POINTS.encode()
    for folder in dict.fromkeys(place or "." for place in sys.path):
        if os.path.isfile(folder):  # noqa: PTH113 - pathlib costs start-up time
            return True
        for name in _listed(folder):
            about = name.lower().endswith(("dist-info", "egg-info"))
            if about and wanted in _content(f"{folder}/{name}/entry_points.txt"):
                return True
    return False


def _content(path: str) -> bytes:
    """Return what is in a file; nothing if it is not there or cannot be read."""
    with suppress(OSError), open(path, "rb") as file:  # noqa: PTH123 - as above
        return file.read()
    return b""
