"""Results of other code, from Python: forgotten, accepted, compared."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskgraph.interactive.invalidating import selected
from taskgraph.interactive.sources import looked_at
from taskgraph.names import known_as
from taskgraph.upkeep.code import accepting
from taskgraph.upkeep.code.changed_code import changes
from taskgraph.verification.comparing import Tolerance
from taskgraph.verification.deciding import Decision, decide
from taskgraph.verification.passes import Forks, FreshProcesses
from taskgraph.verification.verifying import SAMPLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from taskgraph.tasks.task import Task
    from taskgraph.verification.passes import Pass


@known_as("taskgraph")
def accept(
    what: str | os.PathLike[str] | Task | Iterable[Task],
    *,
    name: str | Iterable[str] = (),
    store: Any = None,
    arguments: Sequence[str] = (),
) -> int:
    """Let results count that other code has made; return how many.

    They are not told of any more until the code changes once more. Who accepted what
    is kept in the store; `tg undo` takes it back.

    Parameters
    ----------
    what : path, Task or iterable of Task
        A jugfile, which is read, or tasks. What they need is looked at, too.
    name : str or iterable of str, optional
        Only functions of such a name, as ``count`` or ``work.count``, or a glob.
    store, arguments
        As `run` takes them.

    Raises
    ------
    UsageError
        There is no function of such a name.

    Examples
    --------
    >>> from taskgraph import Task, accept, run
    >>> task = Task(divmod, 7, 2)
    >>> _ = run(task)
    >>> accept(task)  # `divmod` has not changed since
    0
    """
    loaded = looked_at(what, store, arguments)
    loaded.results.backend.poll()
    found = changes(loaded, selected(loaded, name))
    accepting.accept(loaded.results.backend, found)
    return sum(len(change.keys) for change in found)


@known_as("taskgraph")
def verify(
    what: str | os.PathLike[str] | Task | Iterable[Task],
    *,
    name: str = "",
    sample: int = SAMPLE,
    rtol: float = 0.0,
    atol: float = 0.0,
    accept: bool = True,
    store: Any = None,
    arguments: Sequence[str] = (),
) -> Decision:
    """Compute some results again, and accept the rest if they come out the same.

    Nothing is stored but the acceptance, with a certificate of what was compared. What
    differs is computed a second time: a function may never do the same. Tasks of a
    jugfile are run in new interpreters, others in forks of this process.

    Parameters
    ----------
    what : path, Task or iterable of Task
        A jugfile, which is read, or tasks. What they need is looked at, too.
    name : str, optional
        Only functions of such a name, as ``count`` or ``work.count``, or a glob. By
        default those whose code has changed since, or all if none has.
    sample : int, optional
        How many results of each function.
    rtol, atol : float, optional
        How far numbers may differ: by ``atol + rtol * |old|``. By default not a bit.
    accept : bool, optional
        Whether results by other code are accepted if the sample is the same.
    store, arguments
        As `run` takes them.

    Returns
    -------
    Decision
        `holds` if all is the same; `verdicts` by function, `accepted` and `refused`.

    Raises
    ------
    UsageError
        There is no function of such a name.

    Examples
    --------
    >>> from taskgraph import Task, run, verify
    >>> task = Task(divmod, 7, 2)
    >>> _ = run(task)
    >>> decision = verify(task)
    >>> decision.holds, decision.verdicts[0].word
    (True, 'same')
    """
    loaded = looked_at(what, store, arguments)
    loaded.results.backend.poll()
    found = changes(loaded, selected(loaded, name))
    run: Pass = Forks(loaded.graph)
    if isinstance(what, str | os.PathLike):
        path = str(Path(what).resolve())
        run = FreshProcesses(path, tuple(arguments), loaded.results.backend.url)
    return decide(
        loaded,
        found,
        run,
        name=name or None,
        sample=sample,
        tolerance=Tolerance(rtol, atol),
        draw=random.SystemRandom(),
        keep=accept,
    )
