"""Choose options of the learning-free methods on images other than those scored.

    SEGKIT_DATA=folder python benchmarks/accuracy/held_out.py [--short] [--jobs 2]

`segment_nuclei` on `dsb2018`, both sets of `coelho2009`, and drawn volumes (mean
average precision at IoU 0.5): each set is scored with the defaults, with the options
that are best for all the other sets (each counts alike), and with those that are best
for itself alone, which is the most that it could win. `segment_cells` on `isbi2012_em`
(adapted Rand error): sections at even places choose for those at odd ones. Nothing is
random. `--short` takes few images, and changes one option at a time.
"""

from __future__ import annotations

import argparse
import itertools
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from drawn_volumes import SETTINGS, drawn
from imageio import v3 as iio
from scipy import ndimage

from segkit.evaluation.matching import average_precision
from segkit.evaluation.partitions import adapted_rand_error
from segkit.methods.membranes import segment_cells
from segkit.methods.nuclei import segment_nuclei
from segkit.overlaps.contingency_table import contingency

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Options = dict[str, float]

# The first of each is the default.
NUCLEI = {
    "depth": (0.1, 0.06, 0.14),
    "valleys": (0.5, 0.25, 0.0),
    "min_radius": (0.5, 0.65),
}
CELLS = {"width": (6.0, 5.0, 7.0), "strength": (0.85, 0.8, 0.9)}
# Each how manieth image, in the short form.
PICTURES = {"dsb2018": 6, "coelho2009/gnf": 6, "coelho2009/ic100": 25}
VOLUMES = ("crowded", "packed", "mixed sizes", "hard")


def grid(values: dict[str, tuple[float, ...]], short: bool) -> list[Options]:
    """Return what to try, the defaults first: all together, or one change each."""
    if not short:
        every = itertools.product(*values.values())
        return [dict(zip(values, one, strict=True)) for one in every]
    default = {name: one[0] for name, one in values.items()}
    changed = [default | {name: one} for name, v in values.items() for one in v[1:]]
    return [default, *changed]


def precision(options: Options, source: Path | str) -> float:
    """Return the average precision of a picture, or of a drawn volume by its name."""
    if isinstance(source, str):
        volume, reference = drawn(SETTINGS[source], 0)
        found = segment_nuclei(volume, axes="zyx", **options)
    else:
        reference = iio.imread(reference_of(source))
        found = segment_nuclei(iio.imread(source), **options)
    return average_precision(contingency(found, reference), [0.5])[0].average_precision


def cells_error(options: Options, path: Path) -> float:
    """Return the adapted Rand error of one section."""
    reference = ndimage.label(iio.imread(reference_of(path)))[0]
    found = segment_cells(iio.imread(path), **options)  # type: ignore[arg-type]  # a grid holds numbers
    return adapted_rand_error(contingency(found, reference)).error


def reference_of(path: Path) -> Path:
    return path.parent.parent / "references" / path.name


def images(name: str) -> list[Path]:
    return sorted((Path(os.environ["SEGKIT_DATA"]) / name / "images").iterdir())


def mean(
    score: Callable[..., float], sources: Sequence[Any], pool: ProcessPoolExecutor
) -> float:
    return float(np.mean(list(pool.map(score, sources))))


def told(options: Options, default: Options) -> str:
    """Return what is not by default."""
    changed = [f"{k} {v:g}" for k, v in options.items() if v != default[k]]
    return ", ".join(changed) or "the defaults"


def nuclei(short: bool, pool: ProcessPoolExecutor) -> None:
    candidates = grid(NUCLEI, short)
    sets: dict[str, Sequence[Path | str]] = {
        name: images(name)[:: step if short else 1] for name, step in PICTURES.items()
    }
    sets["drawn volumes"] = VOLUMES[: 1 if short else None]
    means = {}
    for name, sources in sets.items():
        means[name] = np.array(
            [mean(partial(precision, one), sources, pool) for one in candidates]
        )
        tried = zip(candidates, means[name], strict=True)
        for one, score in tried:
            print(f"  {name}: {told(one, candidates[0])}: {score:.4f}", flush=True)
    print("| set | images | defaults | chosen by the others | best alone |")
    for name, own in means.items():
        others = np.mean([m for other, m in means.items() if other != name], axis=0)
        chosen, best = int(np.argmax(others)), int(np.argmax(own))
        row = [name, str(len(sets[name])), f"{own[0]:.3f}"]
        row += [
            f"{own[place]:.3f} ({told(candidates[place], candidates[0])})"
            for place in (chosen, best)
        ]
        print(f"| {' | '.join(row)} |")
    best = int(np.argmax(np.mean(list(means.values()), axis=0)))
    print(f"best for all: {told(candidates[best], candidates[0])}")


def cells(short: bool, pool: ProcessPoolExecutor) -> None:
    candidates = grid(CELLS, short)
    paths = images("isbi2012_em")[:: 7 if short else 1]
    choosing, scored = paths[::2], paths[1::2]
    errors = [mean(partial(cells_error, one), choosing, pool) for one in candidates]
    best = candidates[int(np.argmin(errors))]
    own, default = (
        mean(partial(cells_error, one), scored, pool) for one in (best, candidates[0])
    )
    print(f"isbi2012_em: {len(choosing)} sections choose {told(best, candidates[0])};")
    print(f"  the other {len(scored)}: {own:.3f}, with the defaults {default:.3f}")


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--short", action="store_true")
    options.add_argument("--jobs", type=int, default=None)
    given = options.parse_args()
    if "SEGKIT_DATA" not in os.environ:
        raise SystemExit("set SEGKIT_DATA to the folder that holds dsb2018/ and others")
    with ProcessPoolExecutor(given.jobs) as pool:
        nuclei(given.short, pool)
        cells(given.short, pool)


if __name__ == "__main__":
    main()
