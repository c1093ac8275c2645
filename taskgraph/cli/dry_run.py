"""What `tg execute --dry-run` says: which tasks would run, why, and how long."""

from __future__ import annotations

import os
import sys
from collections import Counter
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

from backends.garbage import few_collections
from taskgraph.cli.costs import time_text
from taskgraph.cli.function_names import require_names
from taskgraph.cli.graphs import load_snapshot
from taskgraph.cli.printing import counted, print_json, print_table, seconds_text
from taskgraph.cli.sentences import note
from taskgraph.cli.stores import store_url, together
from taskgraph.cli.words.keys import locked_keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from taskgraph.execution.options import RunOptions
    from taskgraph.execution.retrying import Verdict
    from taskgraph.foresight.plan import Plan
    from taskgraph.resources import Resources
    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import Jugfile, Loaded
    from taskgraph.upkeep.snapshot import Snapshot

_NEW = ("never run", "its input changed", "a file changed")
"""Reasons for which there may be an earlier call to compare with."""


@few_collections()  # of a hundred thousand calls none is garbage
def foretell(
    jugfile: Jugfile,
    store: str | None,
    given: Mapping[str, Any],
    options: RunOptions,
) -> int:
    """Say what `tg execute` would do; nothing is changed, and no task is run.

    The jugfile is read, as each worker would do.
    """
    from taskgraph.execution.retrying import judge
    from taskgraph.foresight.plan import plan_of
    from taskgraph.tasks.limits import checked_causes
    from taskgraph.upkeep.growing import take

    loaded = _loaded(jugfile, store)
    backend = loaded.results.backend
    backend.refresh()
    snapshot = take(
        loaded.graph,
        jugfile.path,
        arguments=jugfile.arguments,
        missing=loaded.missing,
        inputs=loaded.inputs,
    )
    _require_names(loaded, given, jugfile.path)
    causes = checked_causes(options.per_worker.retries_on, "--retries-on")
    verdict = judge(loaded, os.environ, everything=options.retry, causes=causes)
    plan = plan_of(
        snapshot,
        load_snapshot(backend, jugfile.path, jugfile.arguments),
        together(backend, options.per_worker.also, snapshot),
        again=[] if options.no_retry else verdict.again + verdict.damaged,
        held=locked_keys(backend)[0],
        select=options.per_worker.select,
        workers=options.workers,
    )
    if given["as_json"]:
        print_json(_plain(plan, snapshot, options.workers) | _changed(loaded))
    else:
        _print(plan, options.workers)
        _tell(plan, snapshot, verdict)
        _tell_kept(loaded, plan, snapshot, options.per_worker.resources)
    return 0


def _loaded(jugfile: Jugfile, store: str | None) -> Loaded:
    """Read the jugfile; what it prints is no plan."""
    with redirect_stdout(sys.stderr):
        return jugfile.load(_results(jugfile.path, store))


def _results(path: Path, store: str | None) -> Results:
    """Return the results of the store, or none if there is none yet."""
    from backends.errors import NoStoreError
    from taskgraph.context import open_store

    try:
        return open_store(store_url(path, store), create=False)
    except NoStoreError:
        return open_store("memory://")


def _require_names(loaded: Loaded, given: Mapping[str, Any], path: Path) -> None:
    names = {generator.name for generator in loaded.graph.generators}
    complete = not loaded.missing
    require_names(
        names, given["name"], given["pattern"], jugfile=path, complete=complete
    )


def _print(plan: Plan, workers: int) -> None:
    rows: list[Sequence[Any]] = []
    for (name, reason), count in sorted(plan.counts.items()):
        known = plan.times.get(name)
        each = seconds_text(known.mean) if known else "not known"
        rows.append((name, count, reason, each))
    total = ("all", len(plan.why), "", time_text(plan.time, workers))
    if rows:
        print_table(("would run", "tasks", "because", "each"), rows, total=total)


def _tell(plan: Plan, snapshot: Snapshot, verdict: Verdict) -> None:
    """Say what the table does not."""
    states = list(plan.states.values())
    counts = {state: states.count(state) for state in dict.fromkeys(states)}
    done = counts.get("done", 0)
    if not plan.why:
        note("nothing would run")
    note(f"nothing was run; {done} of {counted(len(snapshot), 'task')} done")
    new = [name for (name, why), _ in plan.counts.items() if why in _NEW]
    if new and done:
        word = new[0].rpartition(".")[2]
        note(f"`tg explain {word}` says in what its calls differ from earlier ones")
    if running := counts.get("running"):
        note(f"{counted(running, 'task')} running in other workers")
    if plan.left_out:
        note(f"{counted(plan.left_out, 'task')} of other functions left out")
    failed, blocked = counts.get("failed", 0), counts.get("blocked", 0)
    if failed:
        why = f" ({verdict.because})" if verdict.same_run and verdict.because else ""
        note(
            f"{counted(failed, 'task')} failed and would not be tried again{why}, "
            f"{blocked} blocked by that; `tg execute --retry` runs them"
        )
    if not snapshot.complete:
        after = counted(len(snapshot.awaited()), "task")
        note(f"behind a barrier more tasks may appear, after {after}")
    if unknown := plan.time.unknown:
        named = ", ".join(f"{name} ({count})" for name, count in unknown.items())
        note(f"nothing is known of the time of {named}: this store has no run of them")


def _changed(loaded: Loaded) -> dict[str, Any]:
    """Return, for other programs, which results were made by other code."""
    from taskgraph.upkeep.code.changed_code import changes

    return {"changed_code": [change.plain() for change in changes(loaded)]}


def _tell_kept(loaded: Loaded, plan: Plan, snapshot: Snapshot, has: Resources) -> None:
    """Say which results are kept that other code has made, and what would wait."""
    from taskgraph.upkeep.asking import waiting
    from taskgraph.upkeep.code.changed_code import told_changes

    if told := told_changes(loaded):
        note(told)

    counts: Counter[str] = Counter()
    for (name, _), count in plan.counts.items():
        counts[name] += count
    for who, asked, had in waiting(counts, snapshot.asking, [has]):
        if not had:
            note(
                f"{who}, which the workers of this command do not have: add "
                f"`--resources {asked}`, or start others that have it"
            )


def _plain(plan: Plan, snapshot: Snapshot, workers: int) -> dict[str, Any]:
    states = list(plan.states.values())
    functions = [
        {
            "name": name,
            "tasks": count,
            "reason": reason,
            "seconds_each": plan.times[name].mean if name in plan.times else None,
        }
        for (name, reason), count in sorted(plan.counts.items())
    ]
    return {
        "tasks": len(snapshot),
        "run": len(plan.why),
        "left_out": plan.left_out,
        **{
            state: states.count(state)
            for state in ("done", "running", "failed", "blocked")
        },
        "functions": functions,
        "workers": workers,
        "seconds": {
            "low": plan.time.low,
            "expected": plan.time.expected,
            "high": plan.time.high,
            "unknown": plan.time.unknown,
        },
        "complete": snapshot.complete,
    }
