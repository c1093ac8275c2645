"""Run one task: resolve its arguments, call its function, encode what it returns."""

from __future__ import annotations

import os
import resource
import signal
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from backends.errors import BackendError, DamagedError
from backends.interface import Inputs
from taskgraph.description import summary
from taskgraph.errors import ArgumentChangedError, MissingResultError
from taskgraph.execution.begun_tasks import BegunTasks
from taskgraph.execution.ending import HOOKS, EndedByHookError
from taskgraph.execution.process_state import (
    ProcessState,
    StopNow,
    TimeoutReached,
    apart,
    asks_nothing,
    called,
    leave_child,
)
from taskgraph.execution.writing.needed import (
    DamagedResultError,
    NeededFiles,
    NotRunError,
)
from taskgraph.execution.writing.renaming import OvertakenError, Renaming
from taskgraph.files.attempt import Attempt
from taskgraph.files.places import noted
from taskgraph.files.written import written_by
from taskgraph.fingerprints.codes import Codes
from taskgraph.identity.defaults import LIVE, left_empty
from taskgraph.identity.parameters import WithNames, given
from taskgraph.identity.scalars import SCALARS
from taskgraph.loaded import loaded
from taskgraph.records import NO_INPUTS, Failure
from taskgraph.results.causes import is_among
from taskgraph.results.codec import with_files
from taskgraph.results.failures import failure_of
from taskgraph.tasks.outputs import outputs_of
from taskgraph.tasks.recording import mark_running, unmark_running
from taskgraph.tasks.refusals import advice
from taskgraph.tasks.values import value

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskgraph.execution.clock import Clock
    from taskgraph.identity.parameters import Call
    from taskgraph.results.batch import Batch
    from taskgraph.results.causes import Causes
    from taskgraph.results.results import Results
    from taskgraph.tasks.task import Task, TaskGenerator


class Runner:
    """Calls functions and keeps what is to be recorded of it in a `Batch`.

    Parameters
    ----------
    results : Results
        Where arguments are loaded from and arrays are stored at once.
    debug : bool
        Let exceptions of tasks through.
    clock : Clock
        What tells when a task began and how long it took.
    hooked : bool
        Whether to call what the jugfile has registered, as a worker does.
    alone : bool
        Whether the threads of this process do nothing but what a task has them do.

    Attributes
    ----------
    retries_on : tuple, optional
        Which failures are tried again, where a function does not say it.
    codes : Codes
        What functions do, as it is recorded: known before any of them runs.
    began, failed : float, bool
        When the last task did, by the monotonic clock; and whether it has.
    ended : bool
        Whether that says that the worker is to end.
    progress : bool
        Whether that was told of a task that was run to its end.
    """

    def __init__(
        self,
        results: Results,
        *,
        debug: bool = False,
        clock: Clock = time,
        hooked: bool = False,
        alone: bool = True,
    ) -> None:
        self._results, self._store = results, results.backend.url
        self._clock = clock
        self._debug = debug
        self._hooked = hooked
        self._main = threading.current_thread() is threading.main_thread()
        self._alone = alone and self._main  # else others may begin and end
        self.ended = self.progress = False
        self.retries_on: Causes | None = None
        self.use(Codes())
        self._process = os.getpid()
        self._as_of, self.began = 0, 0.0
        self._latest: TaskGenerator | None = None
        self._plain = self.failed = False
        self._needs: tuple[Task, ...] = ()
        self._needed: list[bytes] = []
        self._files = NeededFiles()
        self._used, self._code = sum(resource.getrusage(resource.RUSAGE_SELF)[:2]), ""
        self.begin_anew()
        self.before: Callable[[], None]
        self.after: Callable[[], None]
        self.unwatched()

    def begin_anew(self, *, watch: bool = False) -> None:
        """Let tasks find working directory and umask as they are now.

        With `watch`, `spoiled` knows of all that ran since.
        """
        self._process_state, self._latest = ProcessState(), None
        self._hooks = loaded(HOOKS) if self._hooked else None
        self._begun = BegunTasks()
        self._watched: list[Task] | None = [] if watch else None

    def unwatched(self) -> None:
        """Run what follows without `before` and `after`."""
        self.before = self.after = lambda: None

    @property
    def spoiled(self) -> bool:
        """Whether a task has changed what somebody else may have, too."""
        return any(task.changed() for task in self._watched or ())

    def run(
        self, task: Task, batch: Callable[[], Batch], output: Callable[[], str]
    ) -> float:
        """Run a task and add its record to a batch; return the seconds it took.

        Parameters
        ----------
        task : Task
            What it needs has results.
        batch : callable
            Returns the batch, when the task is over: it may be another one by then.
        output : callable
            Returns what the task printed.

        Raises
        ------
        DamagedResultError
            What it needs is damaged: run that again first.
        MissingResultError
            What it needs has no result any more: run that again first.
        EndedByHookError
            A hook of the jugfile does not let it begin.
        BackendError
            The store failed, not the task.
        """
        if self._hooks is not None and not self._hooks.before(task):
            self.ended = True
            raise EndedByHookError(task.name)
        clock, call = self._clock, task.call
        if (generator := task.generator) is not self._latest:
            self._meet(generator)
        simple = type(call) in SCALARS
        code = self._code if simple else self.codes.of(task).text
        plain = self._plain and not (task.mutable or task.needs or LIVE)
        started, began = clock.time(), clock.monotonic()
        payload, attempt = self._plainly(task) if plain else self._attempt(task), 1
        if type(payload) is not bytes:
            payload, attempt = self._attempts(task, payload)
        wall = clock.monotonic() - began
        usage = resource.getrusage(resource.RUSAGE_SELF)
        used = usage.ru_utime + usage.ru_stime
        cpu, self._used = used - self._used, used
        brief = call if type(call) is int else summary(*given(call))
        self.began, self.failed = began, type(payload) is not bytes
        if type(payload) is bytes:
            self._results.pending[task.key] = payload
            if self._hooks is not None:
                self.progress = True
                self.ended = not self._hooks.after(task)
        printed = output()
        batch().add(
            task.key,
            payload,
            (generator.name, code),
            (brief, started, wall, cpu, usage.ru_maxrss),
            output=printed,
            attempt=attempt,
            inputs=self._inputs(task) if task.needs else NO_INPUTS,
        )
        return wall

    def use(self, codes: Codes) -> None:
        """Let records say of functions what these do."""
        self.codes, self._latest = codes, None

    def _meet(self, generator: TaskGenerator) -> None:
        """Find out what holds for all tasks of a function: many come in a row."""
        self._latest, self._plain = generator, asks_nothing(generator)
        self._code = self.codes.of_function(generator).text

    def _inputs(self, task: Task) -> Inputs:
        """Return the results that a task was given; their keys once for many tasks."""
        if task.needs is not self._needs:
            self._needs = task.needs
            self._needed = [need.key for need in task.needs]
        return Inputs(self._as_of, self._needed)

    def _attempts(
        self, task: Task, payload: bytes | Failure
    ) -> tuple[bytes | Failure, int]:
        """Run a task until it succeeds or may not be tried again; return the count."""
        generator, attempt = task.generator, 1
        causes = generator.retries_on or self.retries_on
        while isinstance(payload, Failure) and attempt <= generator.retries:
            if causes and not is_among(payload, causes):
                break
            if task.mutable and task.changed():
                return _spoiled(payload), attempt
            payload = self._attempt(task)
            attempt += 1
        return payload, attempt

    def _attempt(self, task: Task) -> bytes | Failure:
        outputs = task.generator.declares and outputs_of(task)
        if not outputs:
            return self._attempted(task, self._as_returned)
        backend = self._results.backend
        try:
            with Attempt(outputs, task.key.hex(), backend.url) as attempt:
                renaming = Renaming(attempt, self._results, task.key)
                payload = self._attempted(task, renaming)
                if attempt.overtaken and isinstance(payload, Failure):
                    raise OvertakenError(task.name)
                return payload
        except OSError as error:  # the folders cannot be made
            return self._failure(error)

    def _as_returned(self, task: Task, result: object) -> bytes:
        """Return the payload of what a function returned."""
        generator = task.generator
        own = generator.files and not generator.declares
        files = written_by(result) if own else ()
        payload = self._results.encode(result, task.key)
        if not files:
            return payload
        folder = self._results.folder
        known = [file._replace(path=noted(file.path, folder)) for file in files]
        return with_files(payload, known)

    def _attempted(
        self, task: Task, ended: Callable[[Task, object], bytes]
    ) -> bytes | Failure:
        """Run a task once; `ended` makes the payload of what it returned."""
        empty = left_empty(task.generator.live, alone=self._main)
        try:
            call = self._arguments(task)
        except (BackendError, DamagedResultError, MissingResultError):
            raise
        except Exception as error:  # noqa: BLE001 - unpickling calls the task's code
            return self._failure(error)
        try:
            return self._called(task, call, ended)
        finally:
            for default in empty:  # not before: it may have returned one
                default.empty()

    def _called(
        self, task: Task, call: Call, ended: Callable[[Task, object], bytes]
    ) -> bytes | Failure:
        self.before()
        try:
            result = called(task, call, self._process, self._store, alone=self._alone)
        except TimeoutReached:
            limit = task.generator.timeout
            return Failure("timeout", "Timeout", f"stopped after {limit} s", "")
        except StopNow:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a task raises is its own
            return self._failure(error)
        finally:
            self._process_state.restore()
            self.after()
        return self._encoded(task, result, ended)

    def _plainly(self, task: Task) -> bytes | Failure:
        """Run a task once that asks for nothing: as `_attempt`, in one place."""
        call, function = task.call, task.generator.function
        self._begun.count += 1
        self.before()
        try:
            token = mark_running(task, self._store, alone=self._alone)
            try:
                if type(call) is tuple:
                    result = apart()(function, *call)
                elif type(call) is WithNames:
                    result = apart()(function, *call.args, **call.kwargs)
                else:
                    result = apart()(function, call)
            finally:
                if os.getpid() != self._process:
                    leave_child()
                unmark_running(token)
        except StopNow:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a task raises is its own
            return self._failure(error)
        finally:
            self._process_state.restore()
            self.after()
        payload = self._results.encode_short(result, task.key)
        if payload is not None:
            return payload
        return self._encoded(task, result, self._as_returned)

    def _encoded(
        self, task: Task, result: object, ended: Callable[[Task, object], bytes]
    ) -> bytes | Failure:
        try:
            return ended(task, result)
        except (BackendError, NotRunError, StopNow):
            raise
        except BaseException as error:  # noqa: BLE001 - pickling calls the task's code
            return self._failure(error, "unstorable")

    def _failure(self, error: BaseException, cause: str = "exception") -> Failure:
        """Return what to keep of an exception, unless it is to be let through."""
        if self._debug or _interrupted(error):
            raise error
        _abandon_if_interrupted()
        failure = failure_of(error, cause)
        if advice(error):
            message = f"{failure.message}. Pass the task as an argument instead"
            return replace(failure, message=message)
        return failure

    def _arguments(self, task: Task) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments with results in the place of tasks."""
        mutable = task.mutable
        if mutable and task.changed():
            raise ArgumentChangedError(self._begun.explain(task))
        self._begun.add(task)
        if mutable and self._watched is not None:
            self._watched.append(task)
        if not (mutable or task.needs):
            return given(task.call)
        self._as_of = self._results.backend.position
        try:
            self._files.require(task)
            args = tuple([value(arg) for arg in task.args])
            return args, {name: value(arg) for name, arg in task.kwargs.items()}
        except DamagedError as error:
            for need in task.needs:
                try:
                    need.value()
                except DamagedError:
                    raise DamagedResultError(need.key, error) from error
            if not task.needs:  # a hook of an argument opened something itself
                raise
            raise DamagedResultError(task.needs[0].key, error) from error


def _spoiled(failure: Failure) -> Failure:
    """Return a failure that says why there was no other try."""
    why = (
        "It was not tried again, because it changed its own argument; let the function "
        "copy what it changes"
    )
    message = f"{failure.message.rstrip('.')}. {why}"
    trace = f"{failure.traceback}{why}\n"
    return replace(failure, message=message, traceback=trace)


def _interrupted(error: BaseException) -> bool:
    """Return whether somebody pressed Ctrl-C, and it was not the task that raised."""
    ours = signal.getsignal(signal.SIGINT) == signal.default_int_handler
    return isinstance(error, KeyboardInterrupt) and ours


def _abandon_if_interrupted() -> None:
    """Record nothing of a task if Ctrl-C may have ended what it had started."""
    handler = signal.getsignal(signal.SIGINT)
    if getattr(handler, "came", False):
        handler.abandon()  # type: ignore[union-attr] # it is the one of a worker
