"""`tg show`: everything that is known about a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from taskgraph.cli.arguments import also_option, json_option, jugfile_and_words
from taskgraph.cli.graphs import find_snapshot, load_graph
from taskgraph.cli.printing import (
    moment_text,
    one_line,
    print_json,
    print_table,
    say,
    seconds_text,
    size_text,
)
from taskgraph.cli.sentences import store_alone
from taskgraph.cli.stores import open_store_of, together
from taskgraph.cli.words.jugfiles import two_words_and_more
from taskgraph.cli.words.keys import find_keys, locked_keys, short_key
from taskgraph.errors import TaskgraphError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from taskgraph.records import Record
    from taskgraph.results.results import Results
    from taskgraph.upkeep.snapshot import Snapshot

_SHOWN_PACKAGES = 12
_SHOWN_TASKS = 8


@click.command("show")
@jugfile_and_words("[JUGFILE] KEY|FUNCTION [-- ARGUMENTS]")
@also_option
@json_option
def command(
    words: tuple[str, ...],
    jugfile: str,
    store: str | None,
    also: tuple[str, ...],
    as_json: bool,
) -> int:
    """Show the record of a task of JUGFILE and where its result comes from.

    The task is named by the first digits of its key, or by its function; if there are
    several they are listed. The jugfile is loaded to compare its code with the one
    that made the result.
    """
    path, what, given = two_words_and_more(words, jugfile)
    if what is None:
        raise UsageError("say which: the first digits of a key or a function's name")
    from taskgraph.upkeep.status import states_of

    backend = open_store_of(path, store)
    snapshot = find_snapshot(backend, path, given)
    results = together(backend, also, snapshot)
    names = snapshot.named()
    locked = [lock.key for lock in backend.locks()]
    keys = find_keys(what, [*names, *results.keys(), *locked], names)
    held, _ = locked_keys(backend)
    states = states_of(snapshot, results.keys(), backend.failures(), held)
    if len(keys) > 1:
        _list(results, keys, snapshot, states, as_json=as_json)
        return 0
    about = _about(results, keys[0], snapshot, path)
    about["state"] = states.get(
        keys[0], "unknown" if store_alone() else "not in the jugfile"
    )
    if as_json:
        print_json(about)
    else:
        _print(about)
    return 0


def _list(
    results: Results,
    keys: list[bytes],
    snapshot: Snapshot,
    states: dict[bytes, str],
    *,
    as_json: bool,
) -> None:
    records = dict(results.records(iter(keys)))
    names = snapshot.named()
    texts = snapshot.texts([key for key in keys if key not in records])
    rows = []
    for key in keys:
        record = records.get(key)
        name = names.get(key) or (record.name if record else "")
        seconds = round(record.wall, 6) if record else 0.0
        summary = record.summary if record else texts.get(key, "")
        digits = key.hex() if as_json else short_key(key)
        rows.append((digits, states.get(key, ""), seconds, name, summary))
    header = ("key", "state", "seconds", "task", "arguments")
    if as_json:
        print_json([dict(zip(header, row, strict=True)) for row in rows])
    else:
        print_table(header, rows)


def _about(
    results: Results, key: bytes, snapshot: Snapshot, jugfile: Path
) -> dict[str, Any]:
    """Return all that is known of a task, for JSON."""
    record = results.record(key)
    names = snapshot.named()
    about: dict[str, Any] = {"key": key.hex()}
    about["function"] = record.name if record else names.get(key, "")
    if asked := snapshot.asking.get(names.get(key, "")):
        about["resources"] = " or ".join(asked)
    about["holder"] = results.backend.locked_by(key)
    about |= _needs(key, snapshot, names)
    if record is None:
        about["arguments"] = snapshot.texts([key]).get(key, "")
    else:
        from taskgraph.results.described import about_record

        about |= about_record(record)
        about |= _about_code(results, key, record, snapshot, jugfile)
    return about


def _needs(key: bytes, snapshot: Snapshot, names: dict[bytes, str]) -> dict[str, Any]:
    keys = snapshot.split()
    if key not in names:
        return {"needs": [], "needed_by": []}
    place = keys.index(key)
    start = sum(snapshot.counts[:place])
    needs = snapshot.needs[start : start + snapshot.counts[place]]
    needed_by = snapshot.dependants().get(key, [])
    return {
        "needs": [_named(keys[need], names) for need in needs],
        "needed_by": [_named(dependant, names) for dependant in needed_by],
    }


def _named(key: bytes, names: dict[bytes, str]) -> dict[str, str]:
    return {"key": key.hex(), "function": names.get(key, "")}


def _about_code(
    results: Results, key: bytes, record: Record, snapshot: Snapshot, jugfile: Path
) -> dict[str, Any]:
    """Compare the code that made a record with the jugfile's."""
    from taskgraph.fingerprints.parts import changed_parts, differs, recorded

    digest, _ = recorded(record.code)
    about: dict[str, Any] = {"code": digest, "code_differs": None}
    if store_alone():
        return about
    try:
        graph = load_graph(results.backend, jugfile, snapshot.arguments).graph
    except TaskgraphError as error:
        about["code_unknown"] = str(error)
        return about
    if key in graph and digest:
        now = graph.codes.of(graph[key])
        about["code_differs"] = differs(record.code, now)
        about["code_changes"] = changed_parts(record.code, now)
    return about


def _print(about: dict[str, Any]) -> None:
    lines = [
        ("key", about["key"]),
        (
            "task",
            f"{one_line(about['function'])}({one_line(about.get('arguments', ''))})",
        ),
        (
            "state",
            about["state"] + (f" by {about['holder']}" if about["holder"] else ""),
        ),
    ]
    if "resources" in about:
        lines.append(("asks for", about["resources"]))
    if "wall" in about:
        lines += _run_lines(about)
    for title in ("needs", "needed_by"):
        lines += _links(title.replace("_", " "), about[title])
    for title, text in lines:
        say(f"{title:<10} {text}".rstrip())
    if about.get("failure"):
        say(f"\n{about['failure']['traceback'] or about['failure']['message']}")
    if about.get("output"):
        say(f"\nwhat it printed:\n{about['output'].rstrip()}")


def _links(title: str, tasks: list[dict[str, str]]) -> list[tuple[str, str]]:
    links = [
        f"{task['key'][:12]} {one_line(task['function'])}"
        for task in tasks[:_SHOWN_TASKS]
    ]
    if len(tasks) > _SHOWN_TASKS:
        links.append(f"and {len(tasks) - _SHOWN_TASKS} more, see --json")
    return [(title if not place else "", link) for place, link in enumerate(links)]


def _run_lines(about: dict[str, Any]) -> list[tuple[str, str]]:
    lines = [
        ("start", moment_text(about["start"])),
        ("end", moment_text(about["end"])),
        ("time", f"{seconds_text(about['wall'])}, CPU {seconds_text(about['cpu'])}"),
        ("peak RSS", size_text(about["peak_rss"])),
        ("attempt", str(about["attempt"])),
        ("host", f"{about['host']}, user {about['user']}, pid {about['pid']}"),
    ]
    if about["jug"]:
        lines.append(("from", f"{about['jug']}, a store of jug's, by that process"))
    if about["job"]:
        lines.append(("job", about["job"]))
    if "size" in about:
        lines.append(("size", size_text(about["size"])))
    lines += [
        ("blob" if not place else "", f"{blob['name']} {size_text(blob['size'])}")
        for place, blob in enumerate(about.get("blobs", ()))
    ]
    return [*lines, *_source_lines(about)]


def _no_code(about: dict[str, Any]) -> str:
    return "not known: the worker ended" if about.get("failure") else "not Python"


def _source_lines(about: dict[str, Any]) -> list[tuple[str, str]]:
    differs = {True: "; the jugfile's differs now", False: "; the same now", None: ""}
    lines = [
        ("code", f"{about['code'] or _no_code(about)}{differs[about['code_differs']]}")
    ]
    git = about["git"] or {}
    if git:
        dirty = ", with changes that were not committed" if git["dirty"] else ""
        lines.append(("commit", f"{git['commit']}{dirty}"))
    packages = sorted((about["packages"] or {}).items())
    shown = [f"{name} {version}" for name, version in packages[:_SHOWN_PACKAGES]]
    more = len(packages) - len(shown)
    text = ", ".join([f"Python {about['python']}", *shown])
    lines.append(("versions", text + (f" and {more} more, see --json" if more else "")))
    return lines
