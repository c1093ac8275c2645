"""Tests of `segkit.tiling.helpers`: threads that wait for more to do."""

import os
import subprocess
import sys
import threading
import time
import weakref
from functools import partial

import numpy as np
import pytest

from segkit.tiling import helpers
from segkit.tiling.threads import in_threads
from taskgraph.execution.processes import fork_safety


@pytest.fixture
def alone(monkeypatch):
    """No helper waits, and who has helped leaves soon."""
    monkeypatch.setattr(helpers, "_PATIENCE", 0.05)
    helpers._idle.clear()


def together(barrier, found, _):
    barrier.wait(60)  # so that nobody does the work of two
    found.add(threading.current_thread())


def helpers_of(threads):
    """Return who helps this thread to do the work of so many at once."""
    found: set[threading.Thread] = set()
    run = partial(together, threading.Barrier(threads), found)
    in_threads(run, range(threads), threads)
    return found - {threading.current_thread()}


def test_who_has_helped_helps_again():
    assert helpers_of(3) == helpers_of(3)


def test_helpers_leave_if_there_is_nothing_to_do(alone):
    helped = helpers_of(3)

    for helper in helped:
        helper.join(60)
        assert not helper.is_alive()
    assert helpers._idle == []
    assert not helpers_of(3) & helped


def test_a_helper_that_was_taken_when_it_would_have_left_stays(alone):
    helpers_of(2)
    inbox = helpers._idle.pop()  # as `helping` does
    time.sleep(4 * helpers._PATIENCE)

    done = threading.Lock()
    done.acquire()
    inbox.put((int, done))

    assert done.acquire(timeout=60)


def test_helpers_may_have_helpers():
    barrier, found = threading.Barrier(4), set()
    run = partial(together, barrier, found)

    in_threads(lambda _: in_threads(run, range(2), 2), range(2), 2)

    assert len(found) == 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_a_fork_has_helpers_of_its_own():
    helpers_of(2)

    child = os.fork()
    if child == 0:
        code = 70
        try:
            code = len(helpers_of(2))
        finally:
            os._exit(code)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


def test_a_process_with_helpers_may_be_forked_for_tasks():
    before = set(fork_safety._python_threads())

    helpers_of(3)

    assert set(fork_safety._python_threads()) <= before


def test_the_caller_works_alone_if_no_thread_can_be_started(alone, monkeypatch):
    def refuse(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)

    assert in_threads(abs, [-1, -2, -3], 3) == [1, 2, 3]


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_that_was_worked_on_is_kept(fails):
    image = np.zeros(9)
    gone, barrier = weakref.ref(image), threading.Barrier(2)

    def run(_, image=image):
        barrier.wait(60)
        if fails:
            raise ZeroDivisionError
        return image[0]

    try:
        in_threads(run, range(2), 2)
    except ZeroDivisionError:
        assert fails
    del image, run

    end = time.monotonic() + 60
    while gone() is not None and time.monotonic() < end:
        time.sleep(0.001)  # until the helper waits again
    assert gone() is None


LAST_WORDS = """
import os
from segkit.tiling.threads import in_threads

class Last:
    def __del__(self, run=in_threads, say=os.write):
        say(1, repr(run(abs, range(-3, 1), 2)).encode())

last = Last()
{before}
"""


@pytest.mark.parametrize("before", ["", "in_threads(abs, range(4), 2)"])
def test_what_python_does_as_it_ends_needs_no_helper(before):
    """It would wait for ever, as all other threads stand still then."""
    code = LAST_WORDS.format(before=before)
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, timeout=60, check=True
    )
    assert run.stdout == b"[3, 2, 1, 0]"


def test_after_an_interrupt_helpers_begin_nothing_more(monkeypatch):
    """Also if it comes before all of them have been called."""
    called, begun, going = [], [], threading.Event()

    def helping(work, call=helpers.helping):
        if called:
            going.wait(60)
            raise KeyboardInterrupt
        called.append(call(work))
        return called[0]

    def run(number):
        begun.append(number)
        going.set()
        time.sleep(0.05)

    monkeypatch.setattr(helpers, "helping", helping)
    with pytest.raises(KeyboardInterrupt):
        in_threads(run, range(20), 3)
    done = len(begun)
    time.sleep(0.2)
    assert len(begun) == done < 20
