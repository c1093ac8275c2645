"""The memory that a plan states is what its steps take."""

import subprocess
import sys

import pytest

from segkit.workflows.plan_report import bytes_of_step

MEASURED = """
import sys
from pathlib import Path

import numpy as np
import segkit

name = sys.argv[1]
y, x = np.mgrid[:768, :768]
noise = np.random.default_rng(0).normal(0, 200, y.shape)
discs = (y % 32 - 16) ** 2 + (x % 32 - 16) ** 2 < 90
image = (2_000 + 9_000 * discs + noise).astype(np.uint16)
if name == "fill_holes":
    image = image > 5_000
step = getattr(segkit, name)
step(image[:64, :64])


def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


Path("/proc/self/clear_refs").write_text("5")
before = peak()
step(image)
print((peak() - before) * 1024 / image.size)
"""


@pytest.mark.parametrize(
    "name", ["segment_nuclei", "frangi", "fill_holes", "edges", "equalize_adapthist"]
)
def test_a_step_takes_what_its_plan_says(name):
    command = [sys.executable, "-c", MEASURED, name]
    done = subprocess.run(command, check=True, capture_output=True, text=True)

    taken = float(done.stdout)

    assert taken < 1.3 * bytes_of_step(name)
    assert bytes_of_step(name) < 3 * taken
