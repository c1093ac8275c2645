"""`tg verify`: compute some results again, and compare them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import click

from taskgraph.cli.arguments import json_option, jugfile_and_words
from taskgraph.cli.changed_code import load_changes
from taskgraph.cli.printing import counted, print_json, print_table
from taskgraph.cli.sentences import note
from taskgraph.cli.stores import find_store
from taskgraph.cli.words.jugfiles import two_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from backends.interface import Backend
    from taskgraph.verification.comparing import Tolerance
    from taskgraph.verification.deciding import Decision

_NOT_NEGATIVE = click.FloatRange(min=0)


@click.command("verify")
@jugfile_and_words("[JUGFILE] [NAME]", required=False)
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="How many results of each function, and each code, are computed again.",
)
@click.option(
    "--rtol",
    type=_NOT_NEGATIVE,
    default=0.0,
    help="How far numbers may differ, in parts of the old one; by default not a bit.",
)
@click.option(
    "--atol", type=_NOT_NEGATIVE, default=0.0, help="How far they may differ besides."
)
@click.option("-n", "--dry-run", is_flag=True, help="Accept nothing.")
@json_option
def command(
    words: tuple[str, ...],
    jugfile: str,
    store: str | None,
    sample: int,
    rtol: float,
    atol: float,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Compute some results of JUGFILE again, in new processes, and compare them.

    Of the functions whose code has changed since, or of NAME, or of all if none has.
    If all of a function by one old code come out the same, its results by that code
    are accepted, with a certificate of what was compared; `tg undo` takes that back.
    What differs is run twice: so a function that is not deterministic is told. It is
    remembered, too: no luckier sample accepts it while the code stays as it is.

    \b
    Exit code: 0 all that was compared is the same, 1 something is not, or nothing
    could be compared.
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    path, name = two_words(words, jugfile)
    backend = find_store(path, store)
    if backend is None:
        if as_json:
            print_json(_told(None))
        return 1
    from taskgraph.verification.comparing import Tolerance

    tolerance = Tolerance(rtol, atol)
    decision = _decided(backend, path, name, sample, tolerance, dry_run=dry_run)
    if as_json:
        print_json(_told(decision))
    else:
        _print(decision)
    _note(decision, dry_run=dry_run)
    return 0 if decision.holds else 1


def _decided(
    backend: Backend,
    path: Path,
    name: str | None,
    sample: int,
    tolerance: Tolerance,
    *,
    dry_run: bool,
) -> Decision:
    from taskgraph.verification.deciding import decide
    from taskgraph.verification.passes import FreshProcesses

    loaded, found, given = load_changes(backend, path, name)
    url = loaded.results.backend.url
    run = FreshProcesses(str(path.resolve()), given, url)
    return decide(
        loaded,
        found,
        run,
        name=name,
        sample=sample,
        tolerance=tolerance,
        draw=random.SystemRandom(),
        keep=not dry_run,
    )


def _print(decision: Decision) -> None:
    rows = [
        (one.name, one.results, len(one.same), _apart(one), one.word)
        for one in decision.verdicts
    ]
    print_table(("task", "results", "same", "not", "verdict"), rows)


def _apart(verdict: Any) -> int:
    return len(verdict.differing) + len(verdict.unstable) + len(verdict.failed)


def _note(decision: Decision, *, dry_run: bool) -> None:
    for verdict in decision.verdicts:
        for reason in verdict.reasons():
            note(reason)
    if not decision.verdicts:
        note("there are no results to compare")
    if decision.number:
        results = counted(decision.accepted, "result")
        same = sum(len(one.same) for one in decision.verdicts if one.holds)
        note(
            f"{results} accepted, of which {same} compared; `tg undo "
            f"{decision.number}` takes that back"
        )
    elif decision.acceptable and dry_run:
        results = counted(decision.acceptable, "result")
        note(f"nothing was changed; without --dry-run {results} would be accepted")
    if decision.refused:
        refused = counted(decision.refused, "result")
        note(f"{refused} by other code not accepted; `tg invalidate --changed` forgets")


def _told(decision: Decision | None) -> dict[str, Any]:
    """Return what came of it, for other programs."""
    verdicts: Sequence[Any] = decision.verdicts if decision is not None else ()
    return {
        "functions": [verdict.plain() for verdict in verdicts],
        "accepted": decision.accepted if decision is not None else 0,
        "refused": decision.refused if decision is not None else 0,
        "number": decision.number if decision is not None else "",
    }
