"""Tasks that take their time and say when they begin."""

import sys
import time
from pathlib import Path

from taskgraph import TaskGenerator

seconds = float(sys.argv[1])
count = int(sys.argv[2])


@TaskGenerator
def nap(i, seconds):
    Path(f"began-{i}").touch()
    time.sleep(seconds)
    return i


naps = [nap(i, seconds) for i in range(count)]
