"""Memory that is free between what is used is given back."""

import ctypes
import subprocess
import sys

import pytest

FREE_BETWEEN = """
from backends.garbage import give_back_memory
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
blocks = [b"x" * (100_000 + n) for n in range(600)]
kept = blocks[::20]
del blocks
before = resident()
give_back_memory()
print(before - resident())
"""


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"),
    reason="only glibc keeps it, and can be told to give it back",
)
def test_what_is_free_between_blocks_is_given_back():
    out = subprocess.check_output([sys.executable, "-c", FREE_BETWEEN])
    assert int(out) > 40_000_000
