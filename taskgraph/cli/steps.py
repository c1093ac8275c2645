"""Commands in sentences, completed so that they can be typed as they are printed."""

from __future__ import annotations

import re
import shlex
from typing import Any

import click

_COMMAND = re.compile(r"`tg ([a-z]+)([^`]*)`")


def runnable(sentence: str) -> str:
    """Return a sentence whose commands name the jugfile and the store of this one.

    Outside of a command nothing is known, and the sentence stays as it is.
    """
    context = click.get_current_context(silent=True)
    jugfile = _jugfile(context) if context is not None else None
    if context is None or jugfile is None:
        return sentence
    source = context.get_parameter_source("store")
    given = source is click.core.ParameterSource.COMMANDLINE
    return completed(sentence, jugfile, context.params.get("store") if given else None)


def completed(sentence: str, jugfile: str, store: str | None = None) -> str:
    """Return a sentence whose commands name a jugfile and a store.

    Examples
    --------
    >>> completed("see `tg errors`, then `tg fsck --repair`", "my work.py")
    "see `tg errors 'my work.py'`, then `tg fsck 'my work.py' --repair`"
    >>> completed("see `tg errors work.py`", "work.py", "elsewhere")
    'see `tg errors work.py --store elsewhere`'
    """
    word = shlex.quote(jugfile)

    def complete(match: re.Match[str]) -> str:
        command, rest = match.groups()
        before = "" if f"{word} " in f"{rest} " else f" {word}"
        after = f" --store {shlex.quote(store)}" if store else ""
        return f"`tg {command}{before}{rest}{after}`"

    return _COMMAND.sub(complete, sentence)


def _jugfile(context: click.Context) -> str | None:
    """Return the jugfile that a command was given."""
    params: dict[str, Any] = context.params
    given = params.get("jugfile")
    if "words" not in params:
        return None if given is None else str(given)
    from taskgraph.cli.options import jugfile_of

    return str(jugfile_of(params["words"], str(given)))
