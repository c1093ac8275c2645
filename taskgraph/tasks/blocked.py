"""Why a task has no result: another one that failed, which it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from taskgraph.errors import MissingResultError
    from taskgraph.tasks.recording import Recording

_LOOKED_AT = 1000
"""Tasks that are looked through; a script may ask a million tasks in vain."""


class Needing(Protocol):
    """A task, as far as it matters what it waits for."""

    @property
    def key(self) -> bytes:
        """What its record is stored under."""

    @property
    def name(self) -> str:
        """That of its function."""

    @property
    def needs(self) -> tuple[Needing, ...]:
        """The tasks whose results it needs."""

    @property
    def recording(self) -> Recording[Any]:
        """What knows the store."""


def say_what_blocks(task: Needing, error: MissingResultError) -> None:
    """Let an error say which failed task is in the way, if one is soon found."""
    found = failed_need(task)
    if found is not None:
        why = (
            f"{task.name} ({task.key.hex()[:12]}) has no result: it waits for "
            f"{found.name} ({found.key.hex()[:12]}), which failed; see `tg errors`, or "
            "the `errors` of taskgraph.status()"
        )
        error.args = (why,)


def failed_need(task: Needing) -> Needing | None:
    """Return a task that failed and that `task` needs, maybe through others.

    None if there is none among the first thousand that are not done.
    """
    backend = task.recording.require_results().backend
    failures = backend.failures()
    if not failures or task.key in failures:
        return None
    known = backend.keys()
    stack: list[Needing] = [task]
    seen = {task.key}
    while stack and len(seen) <= _LOOKED_AT:
        for need in stack.pop().needs:
            if need.key in failures:
                return need
            if need.key not in seen and need.key not in known:
                seen.add(need.key)
                stack.append(need)
    return None
