"""What a task is asked about its result: if it is there, what it is, to make it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgraph.errors import MissingResultError, NoResultError
from taskgraph.tasks.recording import Recording, current, running_task
from taskgraph.tasks.refusals import NotItsResult


class WithResult(NotItsResult):
    """Base of tasks: what stands for a result, and knows where that is."""

    __slots__ = ()

    if TYPE_CHECKING:  # each task has them
        generator: Any
        key: bytes
        needs: tuple[Any, ...]
        recording: Recording[Any]

    @property
    def name(self) -> str:
        """The name of the function: module and function."""
        return str(self.generator.name)

    @name.setter
    def name(self, name: str) -> None:
        self.recording.rename(self, name)

    @property
    def result(self) -> Any:
        """The result; loads it."""
        return self.value()

    def can_load(self) -> bool:
        """Return whether its result is known."""
        return self.recording.has(self.key)

    def can_run(self) -> bool:
        """Return whether all that it needs is known."""
        return all(task.can_load() for task in self.needs)

    def value(self) -> Any:
        """Return the result.

        Raises
        ------
        NoResultError
            It has none yet, or it failed.
        TaskInsideTaskError
            A running task of its store asks for it that does not need it.
        """
        if running := running_task():
            running.require_needed(self)
        try:
            return self.recording.load(self.key, self.generator.name)
        except MissingResultError as error:
            from taskgraph.tasks.blocked import say_what_blocks

            say_what_blocks(self, error)
            raise

    load = __taskgraph_value__ = value

    def run(self) -> Any:
        """Call the function here and now, keep the result, and return it.

        In a notebook or a script it is called even if there is a result. If the new
        one differs, it takes the old one's place, and what was made of that is
        forgotten, as by `tg invalidate`. A jugfile that is being read, which happens
        often, gets the result that is there.

        Raises
        ------
        NoResultError
            What it needs has none, or its jugfile is only being read.
        """
        run_at_once = (recording := self.recording).context().run_at_once
        if (recording.whole and current.get() is recording) or run_at_once is None:
            return self.run_once()
        return run_at_once(recording.require_results(), self, again=True)

    def run_once(self) -> Any:
        """Return the result; call the function here and now if there is none.

        Raises
        ------
        NoResultError
            As `run`.
        """
        results = self.recording.require_results()
        run_at_once = self.recording.context().run_at_once
        if results.has(self.key):
            return results.load(self.key, self.name)
        if run_at_once is None:
            why = "has no result yet; run `tg execute`, or taskgraph.run() from Python"
            raise NoResultError(f"{self.name} {why}")
        return run_at_once(results, self)
