"""Who waits at a terminal for compiled code is told why, once, and nobody else is."""

import io
import os
import sys
import threading
import time

import pytest

from segkit.compiled.kernels import Kernel
from segkit.compiled.waiting import Waiting

LINE = "segkit: compiling ... once for this machine\n"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal():
    return Terminal()


def test_what_takes_long_is_told_once(terminal):
    waiting = Waiting(0.01, terminal)
    for _ in range(2):
        with waiting.told_if_long():
            time.sleep(0.2)
    assert terminal.getvalue() == LINE


def test_the_time_of_many_kernels_adds_up(terminal):
    waiting = Waiting(0.3, terminal)
    for _ in range(10):
        with waiting.told_if_long():
            time.sleep(0.1)
    assert terminal.getvalue() == LINE


def test_what_is_quick_is_not_told_and_leaves_no_thread(terminal):
    before = threading.active_count()
    with Waiting(1000, terminal).told_if_long():
        pass
    assert terminal.getvalue() == ""
    assert threading.active_count() == before


def test_no_line_where_nobody_looks(monkeypatch):
    for stream in (io.StringIO(), None):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", stream)
            with Waiting(0).told_if_long():
                time.sleep(0.05)
        assert stream is None or stream.getvalue() == ""


def test_kernels_that_are_compiled_are_told(terminal, monkeypatch, tmp_path):
    pytest.importorskip("numba")
    monkeypatch.setattr("segkit.compiled.kernels.WAITING", Waiting(0, terminal))
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))

    def twice(number):
        return 2 * number

    assert Kernel(twice)(4) == 8
    assert terminal.getvalue() == LINE


def test_of_forks_whose_output_is_kept_one_tells_on_the_terminal(monkeypatch):
    ours, theirs = os.openpty()
    with open(theirs, "w", closefd=False) as terminal, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        waiting = Waiting(0)
        waiting.share()
        patch.setattr(sys, "stderr", io.StringIO())  # as a worker does
        forks = []
        for _ in range(3):
            if (fork := os.fork()) == 0:
                with waiting.told_if_long():
                    time.sleep(0.3)
                os._exit(0)
            forks.append(fork)
        for fork in forks:
            os.waitpid(fork, 0)
        waiting.stream.close()
        os.close(waiting._turn)
    os.set_blocking(ours, False)
    assert os.read(ours, 1000).decode().replace("\r", "") == LINE
    os.close(theirs)
    os.close(ours)
