"""Arguments and options that several commands take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click
from click.core import ParameterSource

from taskgraph.cli.completion import complete_files, complete_names, complete_words
from taskgraph.cli.sentences import runnable, take_store_alone
from taskgraph.cli.stores import is_store, only_jugfile
from taskgraph.cli.words.jugfiles import DEFAULT_JUGFILE, StoreUrl, jugfile_of

F = TypeVar("F", bound=Callable[..., Any])
_OF_JUG = ("--jugdir",)
_RUN = ("execute", "submit", "chaos")
"""Commands that run a script, which has to be named."""
_OF_STORES = ("status", "value", "show", "table")
"""Commands that say something of a store that no script has run with: a notebook's."""


def jugfile_argument(function: F, *, of_jug: Sequence[str] = _OF_JUG) -> F:
    """Add the jugfile's path and the store's URL; see `store_option`."""
    return click.argument(
        "jugfile",
        type=click.Path(path_type=Path),
        default=DEFAULT_JUGFILE,
        envvar="TG_JUGFILE",
        shell_complete=complete_files,
    )(store_option(function, of_jug=of_jug))


def jugfile_and_words(metavar: str, *, required: bool = True) -> Callable[[F], F]:
    """Add one or two words, the last of which says what is meant.

    See `taskgraph.cli.words.jugfiles.two_words`.
    """

    def decorate(function: F) -> F:
        function = click.option(
            "--jugfile", default=DEFAULT_JUGFILE, envvar="TG_JUGFILE", hidden=True
        )(store_option(function))
        return click.argument(
            "words",
            nargs=-1,
            required=required,
            metavar=metavar,
            shell_complete=complete_words,
        )(function)

    return decorate


def store_option(function: F, *, of_jug: Sequence[str] = _OF_JUG) -> F:
    """Add the store's URL; errors name commands that can be typed as they are.

    `of_jug` is what jug calls the option.
    """
    return click.option(
        "--store",
        *of_jug,
        metavar="URL",
        envvar="TG_STORE",
        help="Where the results are: a directory or URL "
        "[default: the first file's name with .tgdata].",
    )(_with_runnable_errors(function))


def _with_runnable_errors(function: F) -> F:
    """Complete the commands in errors while it is known what they are about."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            _take_jugfile_of_store(kwargs)
            return function(*args, **kwargs)
        except Exception as error:
            if error.args and isinstance(error.args[0], str):
                error.args = (runnable(error.args[0]), *error.args[1:])
            raise

    return cast(F, run)


def _take_jugfile_of_store(given: dict[str, Any]) -> None:
    """Of a store alone, take the jugfile that ran with it; of several, none is it."""
    context = click.get_current_context()
    store, jugfile = given.get("store"), given.get("jugfile")
    by_default = context.get_parameter_source("jugfile") is ParameterSource.DEFAULT
    if not store or not by_default or context.info_name in _RUN:
        return
    if jugfile_of(given.get("words", ()), str(jugfile)) != Path(str(jugfile)):
        return
    if Path(str(jugfile)).is_file():
        return
    found = only_jugfile(store)
    if found is None and context.info_name in _OF_STORES and is_store(store):
        take_store_alone()
    if found is not None:
        given["jugfile"] = found if isinstance(jugfile, Path) else str(found)
        context.params["jugfile"] = given["jugfile"]


def also_option(function: F) -> F:
    """Add --also, for commands that look at results."""
    return click.option(
        "--also",
        multiple=True,
        type=StoreUrl(),
        metavar="URL",
        envvar="TG_ALSO",
        help="Count what `tg execute` would take from this store, too. May be "
        "repeated.",
    )(function)


def json_option(function: F) -> F:
    """Add --json."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print JSON for other programs."
    )(function)


def select_options(function: F) -> F:
    """Add --name and --pattern."""
    function = click.option(
        "--pattern",
        multiple=True,
        metavar="REGEX",
        help="Only functions whose name matches somewhere (/REGEX/ is the same); may "
        "be repeated.",
    )(function)
    return click.option(
        "--name",
        "--target",
        multiple=True,
        metavar="NAME",
        help="Only this function: name, module.name or glob; may be repeated.",
        shell_complete=complete_names,
    )(function)
