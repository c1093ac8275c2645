"""Where there is neither ``/proc`` nor a wait for signals, as on macOS."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from taskgraph import Task, UsageError, run

from ...machine import NAMESPACES, needs_namespaces

ELSEWHERE = """
import signal, subprocess, sys
subprocess.run(["mount", "-t", "tmpfs", "none", "/proc"], check=True)
del signal.sigtimedwait
from taskgraph import Task, run, value
task = Task(sum, [1, 2])
print(run([task], store="store", workers=0).done, value(task))
"""


def test_workers_are_refused_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.delattr(signal, "sigtimedwait")
    with pytest.raises(UsageError, match="workers need Linux, and this is"):
        run([Task(sum, [1, 2])], store=tmp_path / "store", workers=2)


@needs_namespaces
def test_one_worker_in_this_process_does_without(tmp_path):
    command = [*NAMESPACES, sys.executable, "-c", ELSEWHERE]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert (done.stdout.split(), done.stderr) == (["1", "3"], "")
