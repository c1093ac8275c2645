"""Measure the area of vessels without segmenting them well: 24 methods compared.

    tg execute jugfiles/vessels.py -j 2
    tg execute jugfiles/vessels.py -j 2 -- FOLDER [OUT] [--quick]
    tg table jugfiles/vessels.py validated --sort q2 --descending

FOLDER holds pictures in ``images/``, masks of the same names in ``labels/``, those of
a second person in ``second_labels/`` and what is in view in ``field_of_view/``, if you
have them, and ``groups.csv`` with the columns image and experiment: pictures of one
experiment are never on both sides of cross-validation (each picture is one, without
that file). ``--quick`` takes four of them and eight methods, to see in a minute
whether all is well with the folder. Without FOLDER it is ``drive`` in ``SEGKIT_DATA``,
twenty retinas drawn by two persons, else parts of the one picture that mahotas brings
along, to try it.

Each picture is cut into regions, in three ways; each region is described, in four
ways; two estimators learn which part of a region is vessel: 24 methods, one sweep of
tasks. OUT (``vessels-out``) gets ``index.html`` and its tables as CSV and LaTeX. Add a
way below, and only what is new is computed; see docs/learning.md.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.linear_model import RidgeCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from vessels_masks import (
    FILTERS,
    loaded,
    overlap,
    pixel_masks,
    vessels,
    write_example,
)
from vessels_page import write_page
from vessels_pictures import pictures, words

import segkit
from segkit.features import (
    BinaryPatterns,
    FilterBank,
    Haralick,
    Intensities,
    region_features,
)
from segkit.learning import (
    combined,
    corrected,
    cross_predict,
    given_predictions,
    pearson,
    q2,
    recipe_of,
    stacked,
)
from segkit.partitions import (
    grid_regions,
    interest_points,
    superpixel_regions,
    window_regions,
)
from taskgraph import TaskGenerator, sweep

FOLDS = 5
SEED = 0


@dataclass(frozen=True)
class Ways:
    """What is tried: each partition with each family of features and each estimator."""

    partitions: dict
    features: dict
    regressors: dict
    classifier: object
    rounds: int


# Less work than the boosted trees of `train_pixels`, which had a Dice score of 0.006
# more on eight photographs of DRIVE (benchmarks/accuracy/pixels.py).
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
RIDGE = make_pipeline(StandardScaler(), RidgeCV(alphas=(0.1, 1, 10, 100, 1000)))
ALL = Ways(
    partitions={"grid": 32, "superpixels": 400, "windows": 200},
    features={
        "intensities": [Intensities()],
        "haralick": [Haralick((1, 2, 4))],
        "patterns": [BinaryPatterns(1, 8), BinaryPatterns(3, 12)],
        "filters": [FilterBank((1, 2, 4), FILTERS)],
    },
    regressors={
        "forest": RandomForestRegressor(50, max_features=0.33, min_samples_leaf=3),
        "ridge": RIDGE,
    },
    classifier=NETWORK,
    rounds=2,
)
SOME = Ways(  # to try it in seconds, without data
    partitions={"grid": 48, "superpixels": 16},
    features={
        "intensities": [Intensities()],
        "haralick": [Haralick((1,), levels=16)],
    },
    regressors={"forest": RandomForestRegressor(5), "ridge": RIDGE},
    classifier=HistGradientBoostingClassifier(max_iter=5),
    rounds=1,
)


# One picture


@TaskGenerator
def regions_of(grey, view, kind, size):
    """Return the regions of a picture, those of which half or more is in view."""
    if kind == "grid":
        regions = grid_regions(grey.shape, size)
    elif kind == "superpixels":
        regions = superpixel_regions(segkit.gaussian(grey, 1), size)
    else:
        points = interest_points(grey, "log", sigma=3, most=size, mask=view)
        regions = window_regions(points, grey.shape, 40)
    return regions.within(view)


@TaskGenerator
def described(grey, regions, families):
    """Return the features of the regions of a picture."""
    return region_features(grey, regions, families)


@TaskGenerator
def share_of(regions, mask):
    """Return which part of each region is vessel."""
    return regions.shares(mask)


# All pictures


@TaskGenerator
def gathered(tables, experiments):
    """Return the features of the regions of all pictures, and their experiments."""
    counts = [len(table["label"]) for table in tables]
    return {"table": stacked(tables), "groups": np.repeat(experiments, counts)}


@TaskGenerator
def validated(  # the first five are what `tg table` shows of a method
    partition,  # noqa: ARG001
    features,
    regressor,
    person,  # noqa: ARG001
    within,
    rows,
    shares,
    recipe,
    seed,
):
    """Return what a method says of regions it has not seen, and how good that is."""
    found = cross_predict(
        rows["table"],
        np.concatenate(shares),
        rows["groups"],
        recipe,
        seed=seed,
        folds=min(FOLDS, len(np.unique(rows["groups"]))),
        within_groups=within,
        method=f"{features}, {regressor}",
    )
    return {"q2": q2(found), "pearson": pearson(found), "found": found}


@TaskGenerator
def said(shares, wanted, rows, method):
    """Return what a mask says of all regions, as a method beside the others."""
    one, other = np.concatenate(shares), np.concatenate(wanted)
    return given_predictions(one, other, rows["groups"], method=method)


@TaskGenerator
def line_of(result):
    """Return the predictions of a method, corrected by a line."""
    return corrected(result["found"])


@TaskGenerator
def combination(results):
    """Return the combination of all methods on a partition."""
    return combined([one["found"] for one in results], method="combination of these")


@TaskGenerator
def exchanged(first, second):
    """Return what changes if a method learns from the other person.

    Against whom it learned from, and against the other; how much more it says in the
    mean, and how far both say the same.
    """
    one, two = first["found"], second["found"]
    other = given_predictions(
        two.predictions, one.targets, one.groups, method=one.method
    )
    return {
        "method": one.method,
        "1 by 1": q2(one),
        "2 by 2": q2(two),
        "1 by 2": q2(other),
        "bias 1 by 1": float(one.residuals.mean()),
        "bias 1 by 2": float(other.residuals.mean()),
        "same": float(np.corrcoef(one.predictions, two.predictions)[0, 1]),
    }


@TaskGenerator(files=True)
def write_study(out, about, masks, partitions, keys, example):
    """Write the page and its tables; return where they are."""
    return write_page(Path(out), about, masks, partitions, keys, Path(example).name)


# The graph


def methods_of(kind, ways, arrays, experiments):
    """Write down regions, features and shares of one partition; return its points."""
    regions = [
        regions_of(grey, view, kind, ways.partitions[kind]) for grey, view, *_ in arrays
    ]
    greys = [grey for grey, *_ in arrays]
    shares = {
        who: [share_of(r, drawn) for r, drawn in zip(regions, masks, strict=True)]
        for who, masks in by_person(arrays).items()
    }
    rows = {
        name: gathered(
            [described(g, r, families) for g, r in zip(greys, regions, strict=True)],
            experiments,
        )
        for name, families in ways.features.items()
    }
    return regions, shares, rows


def by_person(arrays):
    """Return what each person has drawn, of all pictures."""
    drawn = {"1": [first for _, _, first, _ in arrays]}
    if all(second is not None for *_, second in arrays):
        drawn["2"] = [second for *_, second in arrays]
    return drawn


def points_of(parts, ways):
    """Return the points of the sweep: each method, schedule and person."""
    return [
        {
            "partition": kind,
            "features": features,
            "regressor": regressor,
            "person": person,
            "within": within,
            "rows": rows[features],
            "shares": shares[person],
            "recipe": recipe_of(estimator),
        }
        for kind, (_, shares, rows) in parts.items()
        for features in ways.features
        for regressor, estimator in ways.regressors.items()
        for person, within in (("1", False), ("1", True), ("2", False))
        if person in shares
    ]


def compared(kind, parts, tried, masks):
    """Write down what is made of all methods on a partition, for the page."""
    regions, shares, rows = parts[kind]
    groups = next(iter(rows.values()))

    def of(person, within):
        wanted = {"partition": kind, "person": person, "within": within}
        return [
            task
            for point, task in zip(tried.points, tried, strict=True)
            if wanted.items() <= point.items()
        ]

    others = {
        name: said(
            [share_of(r, mask) for r, mask in zip(regions, found, strict=True)],
            shares["1"],
            groups,
            name,
        )
        for name, found in masks.items()
    }
    honest = of("1", within=False)
    return {
        "honest": honest,
        "flattered": of("1", within=True),
        "lines": [line_of(task) for task in honest],
        "combination": combination(honest),
        "others": list(others.values()),
        "exchanged": [
            exchanged(one, two)
            for one, two in zip(honest, of("2", within=False), strict=False)
        ],
    }


def study(chosen, ways, out):
    """Write down the whole study of some pictures."""
    experiments = [picture.experiment for picture in chosen]
    arrays = [loaded(picture) for picture in chosen]
    persons = by_person(arrays)
    masks = {
        "without learning": [vessels(grey, view) for grey, view, *_ in arrays],
        "pixel classifier": pixel_masks(
            arrays, experiments, ways.classifier, ways.rounds
        ),
    }
    if "2" in persons:
        masks["person 2"] = persons["2"]
    dice = {
        name: {
            who: [
                overlap(mask, reference, arrays[k][1])
                for k, (mask, reference) in enumerate(zip(found, drawn, strict=True))
            ]
            for who, drawn in persons.items()
        }
        for name, found in masks.items()
    }
    parts = {
        kind: methods_of(kind, ways, arrays, experiments) for kind in ways.partitions
    }
    tried = sweep(validated, points_of(parts, ways), seed=SEED)
    partitions = {kind: compared(kind, parts, tried, masks) for kind in parts}
    keys = {kind: keys_of(results) for kind, results in partitions.items()}
    first = {"person 1": persons["1"][0]} | {n: found[0] for n, found in masks.items()}
    example = write_example(arrays[0][0], first, str(Path(out) / "example.png"))
    about = {
        "pictures": [picture.name for picture in chosen],
        "experiments": experiments,
        "persons": len(persons),
        "seed": SEED,
        "real": chosen[0].labels is not None,
        "quick": words().quick,
    }
    write_study(out, about, dice, partitions, keys, example)


def keys_of(results):
    """Return the keys of the tasks that numbers of the page come from."""
    return {
        name: [
            task.hash().decode()
            for task in (found if isinstance(found, list) else [found])
        ]
        for name, found in results.items()
    }


chosen = pictures()
ways = SOME if chosen[0].labels is None or words().quick else ALL
study(chosen, ways, words().out)
