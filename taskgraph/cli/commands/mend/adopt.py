"""`tg adopt`: take over outputs that were made elsewhere."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from taskgraph.cli.arguments import json_option, jugfile_argument, select_options
from taskgraph.cli.function_names import require_names
from taskgraph.cli.graphs import require_script
from taskgraph.cli.printing import counted, print_json, print_table
from taskgraph.cli.sentences import note
from taskgraph.cli.stores import store_url
from taskgraph.tasks.outputs import outputs_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from taskgraph.tasks.jugfile import Loaded
    from taskgraph.tasks.task import Task
    from taskgraph.upkeep.outputs.adoption import Adoption

_NAMED = 3


@click.command("adopt")
@jugfile_argument
@click.argument("arguments", nargs=-1)
@select_options
@click.option("-n", "--dry-run", is_flag=True, help="Only show what would be taken.")
@json_option
def command(
    jugfile: Path,
    store: str | None,
    arguments: tuple[str, ...],
    name: tuple[str, ...],
    pattern: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> int:
    """Take files that are there for what the tasks of JUGFILE would write.

    A task whose Outputs all exist is done by that, without being run, if all that it
    needs has results; whether its code would write the same is for you to know. `tg
    invalidate` takes it back.

    \b
    Exit code: 0 something was taken, or there is nothing to take, 1 nothing could be.
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    from taskgraph.context import open_store
    from taskgraph.tasks.graph import selector
    from taskgraph.tasks.jugfile import Jugfile
    from taskgraph.upkeep.kept_jugfile import keep_graph

    require_script(jugfile)
    source = Jugfile(jugfile, arguments)
    source.compiled()  # no store for what is no jugfile
    results = open_store(store_url(jugfile, store))
    select = selector(name, pattern) if name or pattern else lambda _: True
    loaded = source.load(results)
    functions = {generator.name for generator in loaded.graph.generators}
    complete = not loaded.missing
    require_names(functions, name, pattern, jugfile=jugfile, complete=complete)
    taken: list[Task] = []
    while True:
        found, new = _adopted(loaded, select, dry_run=dry_run)
        taken += new
        if dry_run or not (new and loaded.missing):
            break
        loaded = source.load(loaded.results)  # more may appear behind a barrier
    if taken and not dry_run:
        keep_graph(loaded, jugfile, arguments)
    return _tell(taken, found, dry_run=dry_run, as_json=as_json)


def _adopted(
    loaded: Loaded, select: Callable[[str], bool], *, dry_run: bool
) -> tuple[Adoption, list[Task]]:
    """Return what was found, and what of it was taken, or would be."""
    from taskgraph.upkeep.outputs.adoption import adopt, look_for_outputs

    found = look_for_outputs(loaded, select)
    if dry_run or not found.taken:
        return found, found.taken
    return found, adopt(loaded.results, found, loaded.results.folder)


def _tell(
    taken: Sequence[Task], found: Adoption, *, dry_run: bool, as_json: bool
) -> int:
    """Say what was taken and what not, and why; return the exit code."""
    if as_json:
        print_json(
            {
                "taken": [_plain(task) for task in taken],
                "known": found.known,
                "missing": [{**_plain(t), "path": path} for t, path in found.lacking],
                "waiting": [{**_plain(t), "for": o.name} for t, o in found.waiting],
                "refused": [{**_plain(t), "why": why} for t, why in found.refused],
            }
        )
    elif taken:
        counts = Counter(task.name for task in taken)
        print_table(
            ("task", "would be taken" if dry_run else "taken"), list(counts.items())
        )
    for told in _left(found):
        note(told)
    if not (taken or found.known):
        if found.lacking or found.waiting or found.refused:
            return 1
        note("no task declares an Output, so there is nothing to take")
        return 0
    done = "would be taken" if dry_run else "taken; `tg invalidate` takes it back"
    note(f"{counted(len(taken), 'result')} {done}")
    return 0


def _left(found: Adoption) -> Iterator[str]:
    """Yield why tasks were left out, each reason with some of them."""
    if found.lacking:
        paths = [path for _, path in found.lacking]
        tasks = counted(len(paths), "task")
        yield f"{tasks} left out: {_some(paths)} not there, so `tg execute` makes it"
    if found.waiting:
        names = list(dict.fromkeys(need.name for _, need in found.waiting))
        yield (
            f"{counted(len(found.waiting), 'task')} left out whose files are there: "
            f"{', '.join(names)} has no result, of which they are made; "
            "`tg execute --name` runs it, then adopt again"
        )
    for _, why in found.refused[:_NAMED]:
        yield f"not taken: {why}"


def _some(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    are = "is" if len(paths) == 1 else "are"
    return f"{', '.join(paths[:_NAMED])}{more} {are}"


def _plain(task: Task) -> dict[str, Any]:
    return {
        "key": task.key.hex(),
        "task": task.name,
        "paths": [output.path for output in outputs_of(task)],
    }
