"""`tg cancel`: end jobs that were submitted."""

from __future__ import annotations

import click

from taskgraph.cli.arguments import jugfile_and_words
from taskgraph.cli.batch.listing import elements_of, meant
from taskgraph.cli.printing import counted
from taskgraph.cli.sentences import note
from taskgraph.cli.words.jugfiles import two_words


@click.command("cancel")
@jugfile_and_words("[JUGFILE] [NUMBER[.JOB]]", required=False)
def command(words: tuple[str, ...], jugfile: str, store: str | None) -> int:
    """End all jobs that were submitted for JUGFILE, those of one submission, or one.

    Workers give back what they run; what is done stays. Submit again to go on.
    """
    from taskgraph.clusters.systems import SYSTEMS

    del store
    path, word = two_words(words, jugfile)
    submissions, number = meant(path, word)
    ended = 0
    for one in submissions:
        left = [e for e in elements_of(one) if number in (None, e.number)]
        if left:
            SYSTEMS[one.system].cancel(one.job, one.place, number)
            ended += len(left)
    if ended:
        note(f"{counted(ended, 'job')} told to end")
    else:
        note(
            "no such job goes on"
            if submissions
            else f"nothing was submitted for {path}"
        )
    return 0
