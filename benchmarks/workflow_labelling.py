"""Label a volume as stored tasks of two workers, and scikit-image beside it.

    python benchmarks/workflow_labelling.py [--size 512] [--runs 3] [--workers 2]

Both label the same mask of blobs, from an npy file. Ours starts with a new store and
ends when every tile's labels, the seams and the merged ids are stored (`peak_mb` is of
the largest worker); `skimage.measure.label` labels it whole, in memory. Ids are
compared voxel by voxel.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from reporting import Row, parser, show

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS = """
import json, resource, sys, time
from pathlib import Path
from segkit.pipeline import Pipeline, label, tile
from segkit.cli import run_pipeline
from segkit.workflows.pipeline_jugfile import PipelineJugfile
from segkit.workflows.telling import warm_up
from taskgraph.execution.options import RunOptions
path, folder, size, workers, check = sys.argv[1:6]
pipeline = Pipeline(tile(int(size)), label()).save(Path(folder) / "label.toml")
source = PipelineJugfile(pipeline, (path,), block=int(size) ** 3, axes="zyx")
from taskgraph import open_store
source.load(open_store("memory://"))
warm_up(source)
start = time.perf_counter()
options = RunOptions(workers=int(workers), quiet=True)
code, report = run_pipeline(source, folder + "/store", options)
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
assert code == 0, code
if check == "True":
    import numpy as np
    from skimage.measure import label as whole
    labels = source.outputs[0].labels.read()
    assert np.array_equal(labels, whole(np.load(path), connectivity=1))
print(json.dumps({"seconds": seconds, "peak_mb": peak, "tasks": report.done}))
"""
PEER = """
import json, resource, sys, time
import numpy as np
from skimage.measure import label
mask = np.load(sys.argv[1])
start = time.perf_counter()
labels = label(mask, connectivity=1)
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "peak_mb": peak, "objects": int(labels.max())}))
"""


def blobs(size: int) -> np.ndarray:
    """Return a mask of blobs that fill a fourth of it."""
    import scipy.ndimage

    rng = np.random.default_rng(0)
    part = rng.normal(size=(64, min(size, 256), min(size, 256))).astype(np.float32)
    smooth = scipy.ndimage.gaussian_filter(part, 3, mode="wrap")
    mask = smooth > np.quantile(smooth, 0.75)
    copies = [-(-size // n) for n in mask.shape]
    return np.tile(mask, copies)[:size, :size, :size]


def run(script: str, *arguments: str) -> dict[str, float]:
    environment = {**os.environ}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
    return json.loads(done.stdout.splitlines()[-1])


def rows(size: int, count: int, workers: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as place:
        path = str(Path(place, "mask.npy"))
        np.save(path, blobs(size))
        runs: dict[str, list[dict[str, float]]] = {}
        for number in range(count):
            runs.setdefault("peer", []).append(run(PEER, path))
            for cut in (2, 4):
                folder = Path(place, f"{cut}-{number}")
                folder.mkdir()
                check = str(number == 0)
                found = run(
                    OURS, path, str(folder), str(size // cut), str(workers), check
                )
                runs.setdefault(f"{cut**3} tiles", []).append(found)
    best = {n: min(found, key=lambda r: r["seconds"]) for n, found in runs.items()}
    peer = best.pop("peer")
    for name, found in best.items():
        case = f"stored tasks of {workers} workers label {size}^3, {name}"
        note = f"peaks {found['peak_mb']:.0f} and {peer['peak_mb']:.0f} MB; equal"
        whole = "scikit-image, in memory"
        yield Row(case, found["seconds"], "s", whole, peer["seconds"], note=note)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--size", type=int, default=512)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--workers", type=int, default=2)
    given = options.parse_args()
    show(rows(given.size, given.runs, given.workers), given)


if __name__ == "__main__":
    main()
