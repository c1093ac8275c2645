"""Score `segment_nuclei` on drawn tissue beside Otsu and a watershed of distances.

    python benchmarks/accuracy/nuclei_in_tissue.py [--seeds 1] [--only section]

Average precision at IoU 0.5, and how many nuclei were found for each drawn, on each
setting of `drawn_tissue`, by the defaults and by the usual recipe with scikit-image.
"""

from __future__ import annotations

import argparse

import numpy as np
from drawn_tissue import TISSUES, drawn
from nuclei_in_volumes import usual

from segkit.evaluation.matching import average_precision
from segkit.methods.nuclei import segment_nuclei
from segkit.overlaps.contingency_table import contingency


def scores(name: str, seed: int) -> list[float]:
    """Return the average precision and found / drawn of ours, and of the usual."""
    picture, reference = drawn(TISSUES[name], seed)
    row = []
    for found in (segment_nuclei(picture), usual(picture, None)):
        table = contingency(found, reference)
        row.append(average_precision(table, [0.5])[0].average_precision)
        row.append(int(found.max()) / int(reference.max()))
    return row


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--seeds", type=int, default=1)
    options.add_argument("--only", choices=TISSUES)
    given = options.parse_args()
    print("| tissue | ours | found / drawn | usual | found / drawn |")
    print("|---|---|---|---|---|")
    rows = []
    for name in [given.only] if given.only else TISSUES:
        rows.append(np.mean([scores(name, n) for n in range(given.seeds)], axis=0))
        print(f"| {name} | {' | '.join(f'{x:.2f}' for x in rows[-1])} |", flush=True)
    print(f"| mean | {' | '.join(f'{x:.2f}' for x in np.mean(rows, axis=0))} |")


if __name__ == "__main__":
    main()
