"""Run FLoRIN's own ndnt, beside ours: in an environment of its own, by a subprocess.

FLoRIN 0.0.2.post1 needs numpy < 1.24, and names that later libraries dropped; two of
its imports (cloud-volume, mpi4py) are not used here and are replaced by stubs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGES = (
    "numpy==1.23.5",
    "scipy==1.10.1",
    "scikit-image==0.20",
    "networkx==2.8",
    "dill",
    "h5py",
    "pathos",
    "tifffile",
    "pip",
)

SHIM = """
import collections, collections.abc, logging, sys, types, warnings
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

class Stub(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Stub(name)
    def __call__(self, *args, **kwargs):
        return None

for name in ("cloudvolume", "mpi4py", "mpi4py.futures", "mpi4py.MPI"):
    sys.modules[name] = Stub(name)
collections.Sequence = collections.abc.Sequence
import florin.ndnt
"""

CLIENT = (
    SHIM
    + """
import time, resource
import numpy as np
image = np.load(sys.argv[1])
shape, threshold, runs = eval(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
seconds = []
for _ in range(runs):
    start = time.process_time()
    mask = florin.ndnt.ndnt(image, shape=shape, threshold=threshold)
    seconds.append(time.process_time() - start)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
np.save(sys.argv[2], mask.astype(bool))
print(min(seconds), peak * 1024 / image.size)
"""
)


def python_with_florin() -> Path:
    """Return the python of an environment with FLoRIN, made on first use."""
    cache = os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")
    folder = Path(cache) / "segkit-benchmarks" / "florin"
    python = folder / "bin" / "python"
    if (folder / "ready").exists():
        return python
    uv = shutil.which("uv")
    if uv is None:
        sys.exit("uv is needed to make an environment with Python 3.11 for FLoRIN")
    shutil.rmtree(folder, ignore_errors=True)
    call = [uv, "venv", "--quiet", "--python", "3.11", str(folder)]
    subprocess.run(call, check=True)
    install = [uv, "pip", "install", "--quiet", "--python", str(python)]
    subprocess.run([*install, *PACKAGES], check=True)
    subprocess.run([*install, "--no-deps", "florin==0.0.2.post1"], check=True)
    (folder / "ready").touch()
    return python


def florin_ndnt(image, shape, threshold, runs=2):
    """Return FLoRIN's mask, its CPU time in seconds, and its peak in bytes a voxel."""
    import numpy as np

    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "image.npy", Path(folder) / "mask.npy"
        np.save(source, image)
        command = [python_with_florin(), "-c", CLIENT, source, target]
        command += [repr(tuple(shape)), str(threshold), str(runs)]
        out = subprocess.check_output([str(c) for c in command], text=True)
        seconds, per_voxel = map(float, out.split())
        return np.load(target), seconds, per_voxel
