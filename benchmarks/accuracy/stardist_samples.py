"""Score `segment_nuclei` on stardist's two sample images, beside the usual recipe.

    python3 -m pip download --no-deps stardist==0.9.2
    python benchmarks/accuracy/stardist_samples.py stardist-*.whl

Its wheel holds the images, crowded nuclei in a plane and in space, and references; it
is read, not installed.
"""

from __future__ import annotations

import argparse
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import numpy as np
import tifffile
from nuclei_in_volumes import usual

from segkit.evaluation.matching import average_precision
from segkit.methods.nuclei import segment_nuclei
from segkit.overlaps.contingency_table import contingency

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPACING = (2.0, 1.0, 1.0)
"""Of the volume, which says none: its nuclei are half as many planes as pixels long."""


def samples(wheel: Path) -> dict[str, NDArray[Any]]:
    """Return the images and their labels by the names of their files."""
    with ZipFile(wheel) as files:
        return {
            Path(name).stem: tifffile.imread(io.BytesIO(files.read(name)))
            for name in files.namelist()
            if name.endswith("d.tif")
        }


def main() -> None:
    warnings.simplefilter("ignore")  # of spacings that are not said
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("wheel", type=Path)
    found = samples(options.parse_args().wheel)
    print("| image | ours | usual | found / drawn |")
    print("|---|---|---|---|")
    for name, image, reference, said in [
        ("in a plane", found["img2d"], found["mask2d"], {}),
        ("in space", found["img3d"], found["mask3d"], {"axes": "zyx"}),
        ("in space, spacing", found["img3d"], found["mask3d"], {"spacing": SPACING}),
    ]:
        ours = segment_nuclei(image, **said)
        tables = [
            contingency(labels, reference)
            for labels in (ours, usual(image, said.get("spacing")))
        ]
        both = [average_precision(t, [0.5])[0].average_precision for t in tables]
        part = ours.max() / len(np.unique(reference[reference > 0]))
        print(f"| {name} | {both[0]:.2f} | {both[1]:.2f} | {part:.2f} |")


if __name__ == "__main__":
    main()
