"""Records as plain data: all that is kept of a task, for people and for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgraph.results.codec import blob_refs, stored_size

if TYPE_CHECKING:
    from taskgraph.records import Record


def about_record(record: Record) -> dict[str, Any]:
    """Return what a record says but its value, for JSON; nothing of it is unpickled."""
    about: dict[str, Any] = {
        "arguments": record.summary,
        "start": record.start,
        "end": record.end,
        "wall": record.wall,
        "cpu": record.cpu,
        "peak_rss": record.rss,
        "attempt": record.attempt,
        **{name: record.context.get(name) for name in ("host", "user", "pid", "job")},
        **{name: record.context.get(name) for name in ("python", "packages", "git")},
        "jug": record.context.get("jug"),
        "output": record.output,
    }
    if record.failure is not None:
        failure = record.failure
        about["failure"] = {
            "cause": failure.cause,
            "error": failure.error,
            "message": failure.message,
            "traceback": failure.traceback,
        }
        return about
    about["size"] = stored_size(record.payload)
    about["blobs"] = [
        {"name": ref.name, "size": ref.offset + ref.size, "compressed": ref.compressed}
        for ref in blob_refs(record.payload)
    ]
    return about
