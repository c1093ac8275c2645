"""A task as a notebook shows it: the call, how far it is, what came out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backends.errors import BackendError
from taskgraph.description import describe
from taskgraph.displays.display import display
from taskgraph.displays.markup import Markup, element, joined, standing_alone
from taskgraph.errors import TaskgraphError
from taskgraph.results.codec import is_plain, stored_size

if TYPE_CHECKING:
    from taskgraph.records import Record
    from taskgraph.results.results import Results

_LARGEST = 1 << 28
_SHOWN = 8


def html_of(task: Any) -> str:
    """Return a task as HTML for a notebook; nothing is run, and no pickle is read.

    Parameters
    ----------
    task : Task or Tasklet
        A task comes with what it needs, if that is not known, and its result, if that
        is plain; a view of one is named.
    """
    if not hasattr(type(task), "name"):
        return standing_alone(element("p", element("code", repr(task))))
    call = describe(task.name, task.args, task.kwargs, 300)
    results = task.recording.context().results
    try:
        state, shown = _state(task, results)
    except (BackendError, TaskgraphError, OSError) as error:
        state, shown = f"unknown: {error}", Markup("")
    key = task.key.hex()[:12]
    head = element("p", element("code", call), f" ({key}): {state}")
    return standing_alone(joined(head, shown))


def _state(task: Any, results: Results | None) -> tuple[str, Markup]:
    if results is None:
        return "written down; no store is chosen", _needs(task, set())
    if results.has(task.key):
        return "done", _result(task, results)
    record = results.record(task.key)
    if record is not None and record.failure is not None:
        return "failed", _failure(record)
    left = {need.key for need in task.needs if not results.has(need.key)}
    state = f"waiting for {len(left)} of {len(task.needs)} tasks" if left else "ready"
    return state, _needs(task, left)


def _needs(task: Any, left: set[bytes]) -> Markup:
    waits = [need for need in task.needs if need.key in left]
    items = [element("li", element("code", repr(need))) for need in waits[:_SHOWN]]
    if len(waits) > _SHOWN:
        items.append(element("li", f"and {len(waits) - _SHOWN} more"))
    return element("ul", *items) if items else Markup("")


def _failure(record: Record) -> Markup:
    failure = record.failure
    assert failure is not None
    text = failure.traceback or f"{failure.error}: {failure.message}"
    return element("pre", text[-20_000:], class_="tgd-text", tabindex=0)


def _result(task: Any, results: Results) -> Markup:
    payload = results.payload(task.key)
    if not is_plain(payload, results.backend.blobs.open):
        return element("p", "Its result is read by pickle: task.value() does so.")
    if stored_size(payload) > _LARGEST:
        return element("p", f"Its result takes {stored_size(payload):,} bytes.")
    return display(results.load(task.key, task.name)).html()
