"""Where there is neither ``/proc`` nor a wait for signals, as on macOS."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from taskgraph import Task, UsageError, run

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


def test_one_worker_in_this_process_does_without(tmp_path):
    namespaces = ["unshare", "--mount", "--pid", "--fork", "--mount-proc"]
    try:
        subprocess.run([*namespaces, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs root, and namespaces of its own")
    command = [*namespaces, sys.executable, "-c", ELSEWHERE]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert (done.stdout.split(), done.stderr) == (["1", "3"], "")
