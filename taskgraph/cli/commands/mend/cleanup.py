"""`tg cleanup`: remove results that no task needs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taskgraph.cli.arguments import json_option, jugfile_argument
from taskgraph.cli.graphs import load_graph, load_snapshot, snapshot_now
from taskgraph.cli.printing import (
    counted,
    one_line,
    print_json,
    print_table,
    seconds_text,
    size_text,
)
from taskgraph.cli.sentences import note
from taskgraph.cli.stores import find_store
from taskgraph.cli.words.jugfiles import is_pipeline, require_jugfile
from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backends.interface import Backend
    from taskgraph.files.written import WrittenFile
    from taskgraph.results.results import Results
    from taskgraph.upkeep.invalidation import Loss
    from taskgraph.upkeep.snapshot import Snapshot

_DAY = 86400.0
_NAMED = 3


@click.command("cleanup")
@jugfile_argument
@click.argument("arguments", nargs=-1)
@click.option("-y", "--yes", is_flag=True, help="Do it; otherwise it is only shown.")
@click.option(
    "-n", "--dry-run", is_flag=True, help="Only show it, whatever else is given."
)
@click.option("--force", is_flag=True, help="Even if a barrier hides tasks.")
@click.option(
    "--alone", is_flag=True, help="Ignore other jugfiles that ran with this store."
)
@click.option(
    "--files", is_flag=True, help="Also remove the files that only these results name."
)
@click.option(
    "--empty-trash",
    type=float,
    metavar="DAYS",
    help="Remove for good what was cleaned up or forgotten so many days ago.",
)
@click.option(
    "--max-size", metavar="SIZE", help="Only until all results take 200G, say, or less."
)
@click.option("--older", metavar="TIME", help="Only what is older, such as 30d or 12h.")
@click.option(
    "--needed",
    is_flag=True,
    help="With one of these: also results that tasks need; they run again when wanted.",
)
@click.option(
    "--pin", multiple=True, metavar="NAME", help="Never remove this function's results."
)
@click.option("--unpin", multiple=True, metavar="NAME", help="End that.")
@json_option
def command(
    jugfile: Path,
    store: str | None,
    arguments: tuple[str, ...],
    yes: bool,
    dry_run: bool,
    force: bool,
    alone: bool,
    files: bool,
    empty_trash: float | None,
    as_json: bool,
    **limited: Any,
) -> int:
    """Remove results that no task of JUGFILE needs any more.

    Without --yes it is only shown what would go. `tg undo` brings it back until
    --empty-trash makes it final. Results that other jugfiles need, or this one with
    other arguments, are kept unless --alone is given.

    --files removes what these results name and no other one does, if it is as it was
    written and beside JUGFILE or below. That cannot be undone, but the files of what
    `tg undo` brings back are made again by the next run.

    --max-size and --older say how much goes: first that of which most bytes come for
    each second that it takes to compute them again. What is locked, what an unfinished
    task will read, and what is pinned stays.
    """
    yes = yes and not dry_run
    pins = limited.pop("pin"), limited.pop("unpin")
    limits = _limits(**limited)
    if empty_trash is not None and not empty_trash >= 0:  # nor nan
        raise click.UsageError("--empty-trash takes days, 0 or more")
    backend = find_store(jugfile, store)
    if backend is None:
        if as_json:
            print_json(_emptied() if empty_trash is not None else _cleaned())
        return 0
    if empty_trash is not None:
        return _empty(backend, empty_trash, yes=yes, as_json=as_json)
    if any(pins):
        return _pin(backend, *pins, as_json=as_json)
    require_jugfile(jugfile)
    current, others = _graphs(backend, jugfile, arguments)
    if not current.complete and not force:
        awaited = counted(len(current.awaited()), "task")
        raise UsageError(
            f"{jugfile} stops at a barrier until {awaited} done, so what its later "
            "tasks need is not known; run `tg execute` first, or give --force"
        )
    others = [] if alone else others
    chosen = _chosen(backend, current, others, limits)
    return _clean(chosen, current, others, files=files, yes=yes, as_json=as_json)


def _graphs(
    backend: Backend, jugfile: Path, arguments: Sequence[str]
) -> tuple[Snapshot, list[Snapshot]]:
    """Return the graph of the jugfile as it is now, and those of others."""
    from taskgraph.upkeep.growing import take
    from taskgraph.upkeep.snapshot import load_all

    before = load_snapshot(backend, jugfile, arguments)
    if is_pipeline(str(jugfile)):
        current = snapshot_now(backend, jugfile, arguments)
    else:
        given = tuple(arguments or (before.arguments if before is not None else ()))
        loaded = load_graph(backend, jugfile, given)
        current = take(
            loaded.graph,
            jugfile,
            arguments=given,
            missing=loaded.missing,
            inputs=loaded.inputs,
        )
    same = (current.jugfile, current.arguments)
    own = {same} if before is None else {same, (before.jugfile, before.arguments)}
    others = [s for s in load_all(backend) if (s.jugfile, s.arguments) not in own]
    return current, others


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The results that go, and how many nobody but other graphs needs."""

    results: Results
    keys: Sequence[bytes]
    spared: int
    limited: bool


def _chosen(
    backend: Backend,
    current: Snapshot,
    others: Sequence[Snapshot],
    limits: _Given | None,
) -> _Chosen:
    from taskgraph.results.results import Results
    from taskgraph.upkeep.collection import unneeded

    found = unneeded(backend.keys(), current, others)
    _note_spared(found.spared, others)
    results = Results(backend, current.folder)
    keys = _limited(results, found.keys, [current, *others], limits)
    return _Chosen(results, keys, found.spared, bool(limits))


def _clean(
    chosen: _Chosen,
    current: Snapshot,
    others: Sequence[Snapshot],
    *,
    files: bool,
    yes: bool,
    as_json: bool,
) -> int:
    from taskgraph.upkeep.invalidation import CLEANUP, forget, losses
    from taskgraph.upkeep.kept_jugfile import keep_snapshot
    from taskgraph.upkeep.outputs.left_files import left_files, remove

    results, keys = chosen.results, chosen.keys
    lost = losses(results, keys, sizes=True)
    left = left_files(results, keys)
    if as_json:
        paths = [file.path for file in left]
        print_json({**_cleaned(lost, chosen.spared), "files": paths})
    elif keys:
        print_table(("task", "results", "size", "CPU time"), _rows(lost))
    what = counted(len(keys), "result")
    if not keys:
        why = "" if chosen.limited else ": every result is needed"
        note(f"nothing to remove{why}")
        return 0
    _note_files(left, files=files)
    if not yes:
        more = " and these files, for good" if files and left else ""
        note(f"nothing was changed; --yes removes {what}{more}")
        return 0
    keep_snapshot(current, results.backend)  # what it has no more is not open, but gone
    position = forget(results, keys, [current, *others], reason=CLEANUP)
    note(
        f"{what} removed; `tg undo` brings them back, "
        f"`tg cleanup --empty-trash 0` makes it final (number {position})"
    )
    if files and left:
        note(f"{counted(remove(left), 'file')} removed for good")
    return 0


def _note_files(left: Sequence[WrittenFile], *, files: bool) -> None:
    """Say which files only results name that go."""
    if not left:
        return
    named = ", ".join(one_line(file.path) for file in left[:_NAMED])
    more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
    stay = (
        "go, too, and that cannot be undone" if files else "stay; --files removes them"
    )
    note(f"files that only these results name {stay}: {named}{more}")


def _limits(max_size: str | None, older: str | None, *, needed: bool) -> _Given | None:
    """Return what was given of limits; None if nothing was."""
    from taskgraph.durations import seconds_of
    from taskgraph.upkeep.shrinking import bytes_of

    if max_size is None and older is None:
        if needed:
            raise click.UsageError("--needed says how: with --max-size or --older")
        return None
    try:
        size = None if max_size is None else bytes_of(max_size)
        age = None if older is None else seconds_of(older)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    return _Given(size, age, needed)


@dataclass(frozen=True, slots=True)
class _Given:
    """Limits as they were given: bytes, and seconds."""

    size: int | None
    age: float | None
    needed: bool


def _limited(
    results: Results,
    surplus: Sequence[bytes],
    graphs: Sequence[Snapshot],
    given: _Given | None,
) -> Sequence[bytes]:
    """Return what goes of what nobody needs, and perhaps of what is needed."""
    from taskgraph.tasks.graph import selector
    from taskgraph.upkeep.pins import pinned
    from taskgraph.upkeep.shrinking import Limits, beyond, weights

    backend = results.backend
    names = pinned(backend)
    stays = selector(names) if names else lambda _: False
    if given is None:
        if not names:
            return surplus
        kept = {one.key for one in weights(results, surplus) if stays(one.name)}
        _note_pinned(names, len(kept))
        return [key for key in surplus if key not in kept]
    before = None if given.age is None else backend.space.now() - given.age
    limits = Limits(given.size, before, given.needed)
    keys, over = beyond(results, surplus, graphs, limits, stays)
    if over:
        more = "" if given.needed else "; --needed lets results go that tasks need, too"
        note(f"{size_text(over)} too many stay{more}")
    return keys


def _note_pinned(names: Sequence[str], kept: int) -> None:
    if kept:
        note(f"{counted(kept, 'result')} kept that are pinned ({', '.join(names)})")


def _pin(
    backend: Backend, names: Sequence[str], off: Sequence[str], *, as_json: bool
) -> int:
    """Pin functions, and unpin others; say which are pinned now."""
    from taskgraph.upkeep.pins import pin, pinned

    if absent := [name for name in off if name not in pinned(backend)]:
        raise UsageError(f"not pinned: {', '.join(absent)}")
    pin(backend, names, off=off)
    now = pinned(backend)
    if as_json:
        print_json({"pinned": now})
    note(f"pinned: {', '.join(now)}" if now else "nothing is pinned any more")
    return 0


def _note_spared(spared: int, others: Sequence[Snapshot]) -> None:
    if spared:
        jugfiles = sorted({Path(other.jugfile).name for other in others})
        kept = counted(spared, "result")
        note(f"{kept} kept for {', '.join(jugfiles)} (other jugfiles or arguments)")


def _rows(lost: Sequence[Loss]) -> list[tuple[Any, ...]]:
    return [
        (
            loss.name,
            loss.results + loss.failures,
            size_text(loss.size),
            seconds_text(loss.cpu),
        )
        for loss in lost
    ]


def _cleaned(lost: Sequence[Loss] = (), kept: int = 0) -> dict[str, Any]:
    return {"functions": [asdict(loss) for loss in lost], "kept": kept}


def _emptied(
    results: int = 0, blobs: int = 0, freed: int = 0, *, final: bool = False
) -> dict[str, Any]:
    return {"results": results, "blobs": blobs, "freed": freed, "final": final}


def _empty(backend: Backend, days: float, *, yes: bool, as_json: bool) -> int:
    from taskgraph.results.results import Results
    from taskgraph.upkeep.collection import empty, expired

    before = backend.space.now() - days * _DAY
    gone = expired(backend.discards(), before)
    count = sum(len(found.keys) for found in gone)
    if not yes:
        if as_json:
            print_json(_emptied(count))
        what = f"{counted(count, 'result')} and the trash of {days:g} days ago"
        note(f"nothing was changed; --yes removes {what} for good")
        return 0
    size = backend.space.size()
    blobs, _ = empty(Results(backend), gone)
    backend.space.empty_trash(days * _DAY)
    freed = max(0, size - backend.space.size())
    if as_json:
        print_json(_emptied(count, blobs, freed, final=True))
    note(
        f"{counted(count, 'result')} gone for good, "
        f"{counted(blobs, 'large value')}; {size_text(freed)} freed"
    )
    return 0
