"""Threads of a fresh process load results while numpy is still being imported."""

import subprocess
import sys

import numpy as np

from backends.opening import open_backend
from taskgraph.records import Batch
from taskgraph.results.results import Results

SCRIPT = """
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from backends.opening import open_backend
from taskgraph.results.results import Results

sys.setswitchinterval(1e-5)
results = Results(open_backend("store"))
results.backend.poll()
keys = sorted(results.backend.keys())
assert "numpy" not in sys.modules
with ThreadPoolExecutor(len(keys)) as pool:
    found = []
    for key in keys:  # as long as the first one imports numpy, others begin
        found.append(pool.submit(results.load, key))
        time.sleep(0.005)
    print(sum(int(each.result().sum()) for each in found))
"""


def test_no_thread_meets_a_library_that_another_one_imports(tmp_path):
    results = Results(open_backend(tmp_path / "store"))
    batch = Batch()
    for number in range(24):
        key = bytes([number]) * 20
        payload = results.encode(np.full(20_000, number), key)
        batch.add(key, payload, ("f", ""), ("", 0.0, 0.0, 0.0, 0))
    token = results.backend.claim(batch.keys).token
    body = batch.encode({}, results.backend.find)
    results.backend.publish(batch.keys, bytes(batch.rows), body, since=token)

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.strip() == str(20_000 * sum(range(24))), done.stderr
