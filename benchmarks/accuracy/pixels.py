"""Score the pixel classifier on retinas that it has not seen: DRIVE, by photograph.

    SEGKIT_DATA=folder python benchmarks/accuracy/pixels.py [--network] [--rounds 1]

Scribbles are what person 1 has drawn, at one in twenty pixels in view; `train_pixels`
learns from four fifths of the photographs, as it does by default, and `predict` says
where vessels are in the rest, of which all pixels in view are scored. ``--network``
takes the small network that `jugfiles/vessels.py` takes instead of boosted trees.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import segkit
from segkit.learning import train_pixels

SHARE, FOLDS, VESSEL = 0.05, 5, 2
NETWORK = make_pipeline(
    StandardScaler(),
    MLPClassifier(
        (32, 16),
        batch_size=512,
        learning_rate_init=0.002,
        early_stopping=True,
        n_iter_no_change=3,
        max_iter=60,
    ),
)


def photographs(folder: Path) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return of each photograph its green channel, the vessels and what is in view."""
    found = []
    for path in sorted((folder / "images").iterdir()):
        drawn, seen = (
            segkit.open_image(folder / name / path.name).read() > 0
            for name in ("first_observer", "field_of_view")
        )
        grey = np.asarray(segkit.open_image(path, channel=1).read())
        found.append((grey, drawn, seen))
    return found


def scribbled(drawn: np.ndarray, seen: np.ndarray, seed: int) -> np.ndarray:
    chosen = seen & (np.random.default_rng(seed).random(drawn.shape) < SHARE)
    return np.where(chosen, np.where(drawn, VESSEL, 1), 0)


def dice(found: np.ndarray, drawn: np.ndarray, seen: np.ndarray) -> float:
    both = 2 * (found & drawn & seen).sum()
    return float(both / ((found & seen).sum() + (drawn & seen).sum()))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--network", action="store_true", help="no boosted trees")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--folds", type=int, nargs="+", default=range(FOLDS))
    given = parser.parse_args()
    if "SEGKIT_DATA" not in os.environ:
        raise SystemExit("set SEGKIT_DATA to the folder that holds drive/")
    all_of = photographs(Path(os.environ["SEGKIT_DATA"]) / "drive")
    scores: list[float] = []
    for fold in given.folds:
        start = time.process_time()
        shown = [k for k in range(len(all_of)) if k % FOLDS != fold]
        trained = train_pixels(
            [all_of[k][0] for k in shown],
            [scribbled(*all_of[k][1:], seed=k) for k in shown],
            NETWORK if given.network else None,
            rounds=given.rounds,
            seed=0,
        )
        learned = time.process_time() - start
        left_out = [one for k, one in enumerate(all_of) if k % FOLDS == fold]
        found = [
            dice(trained.predict(grey) == VESSEL, drawn, seen)
            for grey, drawn, seen in left_out
        ]
        scores += found
        predicted = time.process_time() - start - learned
        print(
            f"fold {fold}: Dice {np.mean(found):.4f} ({min(found):.3f} to"
            f" {max(found):.3f}), CPU to learn {learned:.0f} s, to predict a photograph"
            f" {predicted / len(found):.1f} s",
            flush=True,
        )
    print(f"{len(scores)} photographs: Dice {np.mean(scores):.4f}")


if __name__ == "__main__":
    main()
