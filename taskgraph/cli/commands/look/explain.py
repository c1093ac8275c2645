"""`tg explain`: why tasks are as they are, and whether they will run."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import click

from backends.garbage import few_collections
from taskgraph.calls.differences import What, same_content
from taskgraph.calls.text import call_text, value_text
from taskgraph.cli.arguments import also_option, json_option, jugfile_and_words
from taskgraph.cli.graphs import load_snapshot, snapshot_now
from taskgraph.cli.printing import (
    counted,
    moment_text,
    one_line,
    print_json,
    say,
    seconds_text,
)
from taskgraph.cli.sentences import note, runnable
from taskgraph.cli.stores import open_store_of, together
from taskgraph.cli.words.jugfiles import two_words_and_more
from taskgraph.cli.words.keys import find_keys, locked_keys, short_key
from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from backends.interface import Backend
    from taskgraph.calls.differences import Difference
    from taskgraph.foresight.explanation import Change, Explainer, Explanation
    from taskgraph.results.results import Results
    from taskgraph.upkeep.snapshot import Snapshot

_NAMED = 3
_RAISED = ("exception", "unstorable")


@click.command("explain")
@jugfile_and_words("[JUGFILE] FUNCTION|KEY [-- ARGUMENTS]")
@also_option
@json_option
@few_collections()  # of a hundred thousand calls none is garbage
def command(
    words: tuple[str, ...],
    jugfile: str,
    store: str | None,
    also: tuple[str, ...],
    as_json: bool,
) -> int:
    """Say why tasks of JUGFILE are done or not, and whether they will run.

    Of a task without a result the nearest earlier call of the same function is looked
    for, and what differs in its arguments: `args.cfg.tmpdir: '/a' -> '/b'`. Of several
    tasks one is explained for each state and reason. No result is loaded; the jugfile
    is, if it or one of its inputs changed. `tg explain` and `tg why` are one command.
    """
    path, what, given = two_words_and_more(words, jugfile)
    if what is None:
        raise UsageError("say which: a function's name or the first digits of a key")
    from taskgraph.foresight.explanation import Explainer
    from taskgraph.upkeep.gone_files import gone_at_a_glance
    from taskgraph.upkeep.status import states_of

    backend = open_store_of(path, store)
    before = load_snapshot(backend, path, given)
    snapshot = snapshot_now(backend, path, given or None)
    results = together(backend, also, snapshot)
    gone, _ = gone_at_a_glance(results, snapshot.writers())
    known = results.keys() - gone
    held, _ = locked_keys(backend)
    states = states_of(snapshot, known, backend.failures(), held)
    keys = _chosen(what, results, snapshot, path)
    explain = Explainer(snapshot, before, results, states, gone)
    groups = _groups(keys, states, explain)
    shown = _Shown(snapshot, before, results)
    if as_json:
        print_json([shown.plain(explain(some[0]), some) for some in groups])
        return 0
    for number, some in enumerate(groups):
        if number:
            say()
        shown.print(explain(some[0]), len(some))
    _tell_code(snapshot, backend, path, keys)
    if not snapshot.complete:
        note("the jugfile stops at a barrier: more tasks may appear behind it")
    return 0


def _tell_code(
    snapshot: Snapshot, backend: Backend, jugfile: Path, keys: Sequence[bytes]
) -> None:
    """Say which of some tasks have results that were made by other code."""
    from taskgraph.upkeep.code.at_a_glance import changes_at_a_glance
    from taskgraph.upkeep.code.changed_code import told_of

    found = changes_at_a_glance(snapshot, backend, jugfile)
    names = set(map(snapshot.named().get, keys)) if found else set()
    if told := told_of([one for one in found if one.name in names], backend.url):
        note(told)


def _chosen(
    what: str, results: Results, snapshot: Snapshot, jugfile: Path
) -> list[bytes]:
    """Return the keys that a word stands for.

    Raises
    ------
    UsageError
        It stands for none.
    """
    try:
        return find_keys(what, [*snapshot, *results.keys()], snapshot.named())
    except UsageError as error:
        if snapshot.complete:
            raise
        raise UsageError(
            f"{error}; {jugfile} stops at a barrier, and more may appear behind it"
        ) from None


def _groups(
    keys: Sequence[bytes], states: dict[bytes, str], explain: Explainer
) -> list[list[bytes]]:
    """Return keys of one state and reason together."""
    found: dict[Any, list[bytes]] = defaultdict(list)
    kinds = zip(map(states.get, keys), map(explain.reasons.get, keys), strict=True)
    for key, kind in zip(keys, kinds, strict=True):
        found[kind].append(key)
    return list(found.values())


class _Shown:
    """Shows explanations."""

    def __init__(
        self, snapshot: Snapshot, before: Snapshot | None, results: Results
    ) -> None:
        self._snapshot, self._results = snapshot, results
        self._before = before or snapshot

    def _name_of(self, key: bytes) -> str | None:
        """Return the function of a key, now or when the graph was kept last."""
        name = self._snapshot.name_of(key) or self._before.name_of(key)
        past = self._before.past
        return name or {k: name for k, name, _ in past.rows()}.get(key)

    def _call(self, found: Explanation) -> str:
        call = self._snapshot.call_of(found.key)
        text = call_text(call, self._name_of)
        if call is None and found.record is not None:
            text = found.record.summary
        return f"{found.function}({text})"

    def _named(self, key: bytes) -> str:
        name = self._name_of(key) or "a task"
        return f"{name} ({short_key(key)})"

    def print(self, found: Explanation, many: int) -> None:
        """Print why a task is as it is, and how many more are so."""
        more = f", and {many - 1} more like it" if many > 1 else ""
        say(one_line(f"{short_key(found.key)} {self._call(found)}") + more)
        say(f"  {self.sentence(found)}")
        for change in found.changes:
            self._print_change(change)
        if found.moved_from:
            say(
                f"  there are results of {found.moved_from}: if the function moved, "
                f"@TaskGenerator(name={found.moved_from!r}) keeps them"
            )

    def sentence(self, found: Explanation) -> str:
        """Return what becomes of a task, in one sentence."""
        return runnable(_SENTENCES.get(found.state, _open)(self, found))

    def _print_change(self, change: Change) -> None:
        from taskgraph.foresight.explanation import advice

        earlier = self._results.record(change.earlier)
        when = f", run {moment_text(earlier.start)}" if earlier else ""
        name = change.function.rpartition(".")[2]
        say(f"  nearest {name} with a result: {short_key(change.earlier)}{when}")
        if change.versions:
            before, now = (version or "none" for version in change.versions)
            say(f"    version of the function: {before} -> {now}")
        for place in change.places[:_NAMED]:
            say(f"    {self.difference(place)}")
        if len(change.places) > _NAMED:
            say(f"    and {counted(len(change.places) - _NAMED, 'difference')} more")
        if not (change.places or change.versions):
            say(
                "    no difference in what is kept of the arguments: one that is shown "
                "in short has other content, or the function has other defaults"
            )
        elif (what := advice(change)) and len(change.places) <= _NAMED:
            say(f"    if that changes no result, {what} (it is then run once more)")

    def difference(self, place: Difference) -> str:
        """Return one place in which calls differ, as one line."""
        if place.what == What.FILE:
            text = value_text(place.after, self._name_of)
            return f"{place.path}: {text} has other content"
        before = value_text(place.before, self._name_of)
        if same_content(place.before, place.after):
            now = value_text(place.after, self._name_of)
            return f"{place.path}: {before} -> {now}, of the same content"
        return f"{place.path}: {before} -> {value_text(place.after, self._name_of)}"

    def plain(self, found: Explanation, keys: list[bytes]) -> dict[str, Any]:
        """Return the same for other programs."""
        from taskgraph.foresight.explanation import advice

        return {
            "key": found.key.hex(),
            "function": found.function,
            "call": self._call(found),
            "state": found.state,
            "reason": found.reason,
            "says": self.sentence(found),
            "tasks": [key.hex() for key in keys],
            "blocked_by": found.blocked_by and found.blocked_by.hex(),
            "waits_for": [key.hex() for key in found.waits_for],
            "changes": [
                {
                    "key": change.key.hex(),
                    "nearest": change.earlier.hex(),
                    "function": change.function,
                    "versions": change.versions,
                    "advice": advice(change),
                    "differences": [
                        {
                            "path": place.path,
                            "before": value_text(place.before, self._name_of),
                            "after": value_text(place.after, self._name_of),
                            "what": place.what,
                        }
                        for place in change.places
                    ],
                }
                for change in found.changes
            ],
            "moved_from": found.moved_from or None,
            "files": found.files,
        }


def _done(_: _Shown, found: Explanation) -> str:
    record = found.record
    if record is None:
        return "done: it would be taken from another store"
    host = record.context.get("host")
    return (
        f"done: run {moment_text(record.start)} on {host} in "
        f"{seconds_text(record.wall)}; it will not run again"
    )


def _failed(shown: _Shown, found: Explanation) -> str:
    from taskgraph.execution.retrying import passing

    failure = found.record.failure if found.record else None
    if failure is None:
        return "failed"
    what = f"failed: {failure.error}: {one_line(failure.message)}"
    signature = shown._snapshot.signature_of(found.function)  # noqa: SLF001 - of this file
    if found.record is not None and passing(found.record, signature.retries_on):
        return f"{what}; the next `tg execute` tries it once more"
    cause = failure.error.rpartition(".")[2] if failure.cause in _RAISED else ""
    return (
        f"{what}; only `tg execute --retry` runs it again, or a run with --retries-on "
        f"{cause or failure.cause}"
    )


def _blocked(shown: _Shown, found: Explanation) -> str:
    by = found.blocked_by
    named = shown._named(by) if by is not None else "a task"  # noqa: SLF001 - of this file
    return f"blocked: it needs {named}, which failed; see `tg errors`"


def _running(shown: _Shown, found: Explanation) -> str:
    worker = shown._results.backend.locked_by(found.key)  # noqa: SLF001 - of this file
    return f"running: {worker} has locked it"


def _open(shown: _Shown, found: Explanation) -> str:
    why = f" ({found.reason})" if found.reason else ""
    if found.files:
        more = f" and {len(found.files) - _NAMED} more" if found.files[_NAMED:] else ""
        named = ", ".join(found.files[:_NAMED])
        why = f" ({found.reason}: {named}{more}, which it wrote)"
    waits = found.waits_for
    asks = " or ".join(shown._snapshot.asking.get(found.function, ()))  # noqa: SLF001 - of this file
    if not waits and asks:
        return (
            f"{found.state}: it waits for a worker that has {asks}{why}; `tg status` "
            "says if there is one"
        )
    if not waits:
        return f"{found.state}: it can run now{why}"
    named = ", ".join(shown._named(key) for key in waits[:_NAMED])  # noqa: SLF001 - of this file
    more = f" and {len(waits) - _NAMED} more" if len(waits) > _NAMED else ""
    return f"{found.state}: it will run after {named}{more}{why}"


def _strange(_: _Shown, _found: Explanation) -> str:
    return "no task of the jugfile makes this call any more; `tg cleanup` removes it"


def _damaged(_: _Shown, _found: Explanation) -> str:
    return "damaged: its record cannot be read, and it runs again when it is needed"


_SENTENCES: dict[str, Callable[[_Shown, Explanation], str]] = {
    "done": _done,
    "failed": _failed,
    "blocked": _blocked,
    "running": _running,
    "not in the jugfile": _strange,
    "damaged": _damaged,
}
