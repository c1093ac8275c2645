"""The first `segkit run` of a small image, with nothing compiled, beside the second.

    python benchmarks/first_run.py [--wheel] [dtype ...]

Each dtype has caches and a store of its own, for the checkout as it is installed, or
with ``--wheel`` from a wheel in an environment made for it (by uv).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tifffile
from measuring import Took, measured
from reporting import Row, parser, show
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Iterator

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
DTYPES = ("uint8", "uint16", "int32", "int64", "float32", "float64")


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
    subprocess.run([uv, "venv", "--quiet", str(environment)], check=True)
    python = environment / "bin" / "python"
    install = [uv, "pip", "install", "--quiet", "--compile-bytecode"]
    subprocess.run([*install, "--python", str(python), str(wheel)], check=True)
    return environment / "bin" / "segkit"


def run(segkit: Path, folder: Path, name: str, caches: Path) -> Took:
    """Return what one run takes, on a store of its own."""
    out = folder / name
    call = [segkit, "run", "p.toml", "a.tif", "--out", out, "--store", f"{out}.tgdata"]
    return measured(call, cwd=folder, NUMBA_CACHE_DIR=str(caches))


def rows(folder: Path, segkit: Path, dtypes: list[str]) -> Iterator[Row]:
    for dtype in dtypes:
        own = folder / dtype
        own.mkdir()
        tifffile.imwrite(own / "a.tif", picture(dtype))
        (own / "p.toml").write_text(PIPELINE)
        first, second = (run(segkit, own, n, own / "caches") for n in ("first", "then"))
        case = f"first segkit run, 520x696 {dtype}"
        yield Row(
            case,
            first.wall,
            "s",
            "the second",
            second.wall,
            goal=2.5,
            goal_ratio=0.5,
            yardstick=True,
            note=f"of CPU {first.cpu:.2f} and {second.cpu:.2f} s",
        )


def main() -> None:
    options = parser(__doc__)
    options.add_argument("dtypes", nargs="*", default=list(DTYPES))
    options.add_argument("--wheel", action="store_true")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        segkit = Path(sys.executable).with_name("segkit")
        if given.wheel:
            segkit = installed_from_wheel(folder)
        show(rows(folder, segkit, given.dtypes), given)


if __name__ == "__main__":
    main()
