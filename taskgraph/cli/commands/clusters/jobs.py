"""`tg jobs`: the jobs that were submitted, and what they print."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from taskgraph.cli.arguments import json_option, jugfile_and_words
from taskgraph.cli.batch.listing import elements_of, meant
from taskgraph.cli.printing import moment_text, print_json, print_table, say
from taskgraph.cli.sentences import note
from taskgraph.cli.words.jugfiles import two_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgraph.clusters.submissions import Submission


@click.command("jobs")
@jugfile_and_words("[JUGFILE] [NUMBER[.JOB]]", required=False)
@click.option("--log", is_flag=True, help="Show what the jobs printed.")
@json_option
def command(
    words: tuple[str, ...], jugfile: str, store: str | None, *, log: bool, as_json: bool
) -> int:
    """List what was submitted for JUGFILE, or the jobs of one submission.

    A job has ended when the batch system does not list it any more: what was done is
    in the store, see `tg status`.
    """
    del store
    path, word = two_words(words, jugfile)
    submissions, number = meant(path, word)
    if not submissions and not as_json:
        note(f"nothing was submitted for {path}; `tg submit` does")
        return 0
    if log:
        _show_logs(submissions, number)
        return 0
    if word is None:
        rows = [_row(one) for one in submissions]
    else:
        rows = _jobs(submissions[0], number)
    if as_json:
        print_json(rows)
    else:
        print_table(tuple(rows[0]), [_shown(row) for row in rows])
    return 0


def _row(submission: Submission) -> dict[str, Any]:
    states = Counter(element.state for element in elements_of(submission))
    others = states.total() - states["running"] - states["waiting"]
    return {
        "number": submission.number,
        "system": submission.system,
        "job": submission.job,
        "jobs": submission.count,
        "waiting": states["waiting"],
        "running": states["running"],
        "other": others,
        "ended": max(0, submission.count - states.total()),
        "since": submission.at,
    }


def _jobs(submission: Submission, number: int | None) -> list[dict[str, Any]]:
    known = {element.number: element for element in elements_of(submission)}
    numbers = range(1, submission.count + 1) if number is None else (number,)
    return [
        {
            "job": f"{submission.number}.{n}",
            "state": known[n].state if n in known else "ended",
            "host": known[n].host if n in known else "",
            "last": _last_line(submission, n),
        }
        for n in numbers
    ]


def _shown(row: dict[str, Any]) -> Sequence[Any]:
    if "since" in row:
        row = {**row, "since": moment_text(row["since"])}
    return tuple(row.values())


def _last_line(submission: Submission, number: int) -> str:
    lines = _log(submission, number).rstrip().splitlines()
    return lines[-1].strip() if lines else ""


def _log(submission: Submission, number: int) -> str:
    try:
        return submission.log(number).read_text(errors="replace")
    except FileNotFoundError:
        return ""


def _show_logs(submissions: Sequence[Submission], number: int | None) -> None:
    for submission in submissions:
        numbers = range(1, submission.count + 1) if number is None else (number,)
        for n in numbers:
            text = _log(submission, n)
            if text or number is not None:
                say(f"== {submission.number}.{n} {submission.log(n)}")
                say(text.rstrip())
