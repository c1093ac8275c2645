"""The first `segkit run` of a small image, with nothing compiled, beside the second.

    python benchmarks/first_run.py [--wheel] [dtype ...]

Each dtype has caches and a store of its own, for the checkout as it is installed, or
with ``--wheel`` from a wheel in an environment made for it (by uv). Shown are seconds,
and seconds of all processors.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tifffile
from scipy import ndimage

PIPELINE = """
format = 1
step = [
    { run = "ndnt", with = { shape = [51, 51], threshold = 0.3 } },
    { run = "binary_opening" },
    { run = "label" },
    { run = "remove_small_objects", with = { min_size = 20 } },
    { run = "save", arguments = ["labels.tif"] },
    { run = "regionprops" },
    { run = "save", arguments = ["objects.csv"] },
]
"""
DTYPES = ("uint8", "uint16", "float32", "float64")


def picture(dtype: str) -> np.ndarray:
    """Return 520 x 696 pixels of blobs on noise."""
    rng = np.random.default_rng(0)
    smooth = ndimage.gaussian_filter(rng.random((520, 696)), 6)
    levels = (smooth - smooth.min()) / np.ptp(smooth) + 0.05 * rng.random(smooth.shape)
    return (levels * 200).astype(dtype)


def installed_from_wheel(folder: Path) -> Path:
    """Return the `segkit` of an environment in which a wheel is installed."""
    uv = shutil.which("uv") or str(Path(__file__).parent.parent / ".uv" / "bin" / "uv")
    here = Path(__file__).parent.parent
    environment = folder / "environment"
    build = [uv, "build", "--wheel", "--quiet", "--out-dir", str(folder), str(here)]
    subprocess.run(build, check=True)
    (wheel,) = folder.glob("*.whl")
    print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.2f} MB")
    subprocess.run([uv, "venv", "--quiet", str(environment)], check=True)
    python = environment / "bin" / "python"
    install = [uv, "pip", "install", "--quiet", "--compile-bytecode"]
    subprocess.run([*install, "--python", str(python), str(wheel)], check=True)
    return environment / "bin" / "segkit"


def run(segkit: Path, folder: Path, name: str, caches: Path) -> tuple[float, float]:
    """Return how long one run takes: seconds, and seconds of all processors."""
    out = folder / name
    call = [str(segkit), "run", "p.toml", "a.tif", "--out", str(out)]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = os.environ | {"NUMBA_CACHE_DIR": str(caches)}
    subprocess.run(
        [*call, "--store", f"{out}.tgdata"],
        check=True,
        cwd=folder,
        env=environment,
        capture_output=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return time.perf_counter() - began, spent


def main(arguments: list[str]) -> None:
    wheel = "--wheel" in arguments
    dtypes = [one for one in arguments if one != "--wheel"] or DTYPES
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        segkit = Path(sys.executable).with_name("segkit")
        if wheel:
            segkit = installed_from_wheel(folder)
        print(f"{'':10}{'first run':>16}{'second':>16}{'ratio of CPU':>15}")
        for dtype in dtypes:
            own = folder / dtype
            own.mkdir()
            tifffile.imwrite(own / "a.tif", picture(dtype))
            (own / "p.toml").write_text(PIPELINE)
            first = run(segkit, own, "first", own / "caches")
            second = run(segkit, own, "second", own / "caches")
            times = "".join(f"{w:8.2f} s, {c:4.2f}" for w, c in (first, second))
            print(f"{dtype:10}{times}{first[1] / second[1]:15.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])
