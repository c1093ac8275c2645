"""Threads that help for a while, and then wait a second for more to do.

To start one takes a quarter of a millisecond, several of them where others use the
processors, and what it allocates is fresh memory. The work of a small image takes no
longer. So who has helped waits for the next call; a process that makes none has no
thread of ours after a second, and a fork of it has none at all.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    Work: TypeAlias = tuple[Callable[[], None], threading.Lock]

_PATIENCE = 1
"""Seconds that a thread waits for more to do."""
_idle: list[queue.SimpleQueue[Work]] = []
"""What threads read that have nothing to do. To take one out is one step."""

if hasattr(os, "register_at_fork"):  # a fork has no threads of its parent
    os.register_at_fork(after_in_child=_idle.clear)


def helping(work: Callable[[], None]) -> threading.Lock | None:
    """Let another thread do some work; return a lock that opens when it is done.

    None is returned if the system lets us start no thread, or Python is ending, when
    other threads stand still. The work must not raise.

    Examples
    --------
    >>> found: list[int] = []
    >>> done = helping(lambda: found.append(threading.get_ident()))
    >>> done.acquire(), found != [threading.get_ident()]
    (True, True)
    """
    if sys.is_finalizing():
        return None
    done = threading.Lock()
    done.acquire()
    try:
        inbox = _idle.pop()
    except IndexError:
        inbox = queue.SimpleQueue()
        # It must not keep a process from ending.
        helper = threading.Thread(target=_help, args=(inbox,), daemon=True)
        try:
            helper.start()
        except RuntimeError:
            return None
    inbox.put((work, done))
    return done


def _help(inbox: queue.SimpleQueue[Work]) -> None:
    """Do what comes into an inbox, until nothing does."""
    while True:
        try:
            work, done = inbox.get(timeout=_PATIENCE)
        except queue.Empty:
            with suppress(ValueError):  # somebody has just taken it, and will write
                _idle.remove(inbox)
                return
            continue
        work()
        del work  # and the arrays it holds
        _idle.append(inbox)
        done.release()
