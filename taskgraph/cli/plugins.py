"""Commands of others: of installed packages, and of the user's own folder.

None is imported before it is called, or the help lists it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taskgraph.cli.sentences import note
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
    for each in (*_in_folder(Path(user_commands())), *_installed()):
        whose = "a command of tg" if each.name in built_in else ""
        if each.name in found and found[each.name].where != each.where:
            whose = f"the one of {found[each.name].where}"
        if whose and told:
            note(passed_over(each.name, each.where, whose))
        if not whose:
            found.setdefault(each.name, each)
    return found


def passed_over(name: str, where: str, whose: str) -> str:
    """Return what to say of a plug-in whose name is taken."""
    return f"the plug-in {name} ({where}) is passed over: {whose} has that name"


def _in_folder(folder: Path) -> Iterator[Plugin]:
    """Yield what is in a folder, a command in each file."""
    for path in sorted(folder.glob("*.py")):
        if not path.name.startswith(("_", ".")):
            name = path.stem.replace("_", "-")
            yield Plugin(name, str(path), partial(_command_of, path))


def _command_of(path: Path) -> Any:
    """Return what a file calls ``command``."""
    name = f"_taskgraph_command_{path.stem}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.command


def _installed() -> Iterator[Plugin]:
    """Yield what installed packages say by their entry points."""
    from importlib.metadata import entry_points

    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda p: p.name):
        yield Plugin(point.name, point.value, point.load)
