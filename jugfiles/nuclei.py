"""Segment nuclei by six methods, and score them.

    tg execute jugfiles/nuclei.py -j 2
    tg execute jugfiles/nuclei.py -j 2 -- FOLDER [OUT]

FOLDER holds pictures in ``images/`` and, for scores, label pictures of the same names
in ``references/``, or masks, of which each piece is an object. Without it, the folder
is that of ``SEGKIT_DATA`` (itself, or its ``coelho2009/ic100``), else the one picture
that the mahotas package brings along.

For each picture and method, OUT (``nuclei-out``) gets the labels as TIFF, a table of
the objects as CSV and an overlay as PNG; ``scores.csv`` and ``summary.txt`` compare
the methods where there are references. ``nuclei`` is `segkit.segment_nuclei`, which
needs no parameter; the five others are the classic ones of Coelho et al. (ISBI 2009),
tile by tile. Each tile is a task: change a method's parameter below and only that
method is computed again. What you remove from OUT is written again by the next run.
"""

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path

import mahotas
import numpy as np
from drawn import grey, objects_drawn, pictures
from legend import better, legend

import segkit
from segkit import (
    Tile,
    combine,
    drop_ids,
    instance_tile,
    label_tile,
    measure_tile,
    merge_instance_tiles,
    merge_tiles,
    properties_table,
    relabel_sequential,
    relabel_tile,
    small_ids,
    tiles,
)
from segkit.tiling import reach
from taskgraph import File, TaskGenerator, return_tuple

TILE = 512
BINS = 256
PROPERTIES = ("label", "count", "centroid", "intensity_mean", "touches_border")
_WORDS = argparse.ArgumentParser()
_WORDS.add_argument("folder", nargs="?", metavar="FOLDER")
_WORDS.add_argument("out", nargs="?", default="nuclei-out", metavar="OUT")
WORDS = _WORDS.parse_args()


@dataclass(frozen=True)
class Method:
    """How a picture becomes objects.

    `sigma` smooths before thresholding; `threshold` is the mean or Otsu's of the smooth
    picture; `majority` is the side of the window in which more than half of the pixels
    have to be foreground; `split` cuts touching nuclei by a watershed of the distance
    to the background, smoothed by that sigma; objects under `min_size` pixels go, or
    under half of what a nucleus has in this picture, if that is less.
    """

    name: str
    sigma: float = 0
    threshold: str = "mean"
    majority: int = 0
    split: float = 0
    min_size: int = 0


WHOLE = Method("nuclei")  # by `segkit.segment_nuclei`, which sees the whole picture
TILED = (
    Method("mean", threshold="mean", majority=5, min_size=2500),
    Method("otsu", threshold="otsu", majority=5, min_size=2500),
    Method("gaussian-mean", sigma=2, threshold="mean"),
    Method("gaussian-otsu", sigma=4, threshold="otsu"),
    Method("watershed", sigma=2, threshold="mean", split=8, min_size=2500),
)
METHODS = (WHOLE, *TILED)


# One picture


@TaskGenerator
def load_picture(path):
    """Return a grey picture; every other task reads its box from the stored array."""
    return grey(path)


@TaskGenerator
def load_reference(path):
    """Return hand-made labels; of a mask (0 and 255) each piece is an object."""
    return objects_drawn(path)


@TaskGenerator
def label_nuclei(picture):
    """Return the nuclei of a picture, whatever their size and the background."""
    return segkit.segment_nuclei(picture)


@TaskGenerator
def table_of(labels, picture):
    """Return the table of the objects in a whole picture."""
    return segkit.region_properties(labels, picture, properties=PROPERTIES)


@TaskGenerator
def least_size(nuclei, most):
    """Return under how many pixels an object goes: `most`, or half a nucleus."""
    sizes = nuclei["count"]
    return min(most, int(np.median(sizes)) // 2) if len(sizes) else most


@TaskGenerator
def range_of(picture, tile, sigma):
    """Return least and largest value, sum and number of a tile's smooth pixels."""
    own = _smooth(picture, tile, sigma)
    # Grey levels of 8 bits are those of the histogram already.
    low, high = (0, 255) if own.dtype == np.uint8 else (own.min(), own.max())
    return float(low), float(high), float(own.sum(dtype=float)), own.size


@TaskGenerator
def histogram_of(picture, tile, sigma, ranges):
    """Return how often each of 256 levels occurs in a tile, stretched to the range."""
    levels = _levels(_smooth(picture, tile, sigma), *_limits(ranges))
    return np.bincount(levels.ravel(), minlength=BINS)


@TaskGenerator
def mean_of(ranges):
    """Return the mean of the smooth picture."""
    return sum(r[2] for r in ranges) / sum(r[3] for r in ranges)


@TaskGenerator
def otsu_of(histograms, ranges):
    """Return Otsu's threshold, in the values of the smooth picture."""
    counts = np.sum(histograms, axis=0)
    level = mahotas.otsu(np.repeat(np.arange(BINS, dtype=np.uint8), counts))
    low, high = _limits(ranges)
    # Foreground is from the next level on, that value included.
    return np.nextafter(low + (level + 1) * (high - low) / (BINS - 1), -np.inf)


@return_tuple(2)
@TaskGenerator
def segment_tile(picture, tile, method, threshold):
    """Return the objects of one tile, and what is needed to join them to others."""
    mask = _mask(picture, tile, method, threshold)
    if method.split:
        return tuple(instance_tile(_split(mask, method.split), tile, picture.shape))
    own = mask[tile.inner]
    return tuple(label_tile(own, tile, picture.shape))


@return_tuple(2)
@TaskGenerator
def join_tiles(summaries, method):
    """Return for each tile the final ids of its objects, and how well tiles agree."""
    if method.split:
        lookups, report = merge_instance_tiles(summaries)
        return lookups, report
    return merge_tiles(summaries), None


@TaskGenerator
def measure(picture, tile, labels, lookup):
    """Return the sums over the objects of one tile."""
    own = Tile(tile.index, tile.write, tile.write)
    final = relabel_tile(labels, lookup)
    box = picture[tile.write.slices]
    return measure_tile(final, own, picture.shape, intensity=box)


@TaskGenerator
def objects_of(parts):
    """Return the table of all objects, those to be dropped included."""
    return properties_table(combine(parts), properties=PROPERTIES)


@TaskGenerator
def assemble(shape, grid, labels, lookups, objects, least):
    """Return the labels of the whole picture, without the small objects, 1..n."""
    whole = np.zeros(shape, np.int32)
    for tile, own, lookup in zip(grid, labels, lookups, strict=True):
        whole[tile.write.slices] = relabel_tile(own, lookup)
    kept = drop_ids(whole, small_ids(objects, least))
    return relabel_sequential(kept)[0]


@TaskGenerator(files=True)
def save_all(stem, picture, labels, objects, least, report):
    """Write labels, object table and overlay; return where, and how tiles agree."""
    Path(stem).parent.mkdir(parents=True, exist_ok=True)
    kept = objects["count"] >= least
    table = {name: column[kept] for name, column in objects.items()}
    table["label"] = np.arange(1, kept.sum() + 1)
    paths = [Path(f"{stem}.{end}") for end in ("tif", "csv", "png")]
    segkit.save(paths[0], labels, compression="zlib", labels=True, overwrite=True)
    segkit.save_table(paths[1], table, overwrite=True)
    segkit.save_png(paths[2], segkit.overlay(picture, labels), overwrite=True)
    return {"files": paths, "seams": str(report or "exact")}


# Scores


@TaskGenerator
def score(name, method, labels, reference):
    """Return the scores of one picture by one method, published forms included."""
    published = segkit.published_scores(labels, reference)
    row = {f"published_{key}": number for key, number in published.items()}
    return {
        "image": name,
        "method": method.name,
        **segkit.scores(labels, reference),
        **row,
    }


@TaskGenerator(files=True)
def write_scores(rows, path):
    """Write all scores, and their means by method with a legend; return where."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with Path(path).open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    names = [name for name in rows[0] if name not in ("image", "method")]
    count = len({row["image"] for row in rows})
    lines = [
        f"Means over pictures: {count}. - is where no object overlaps a true one.",
        "",
        f"{'':34}{'best':>5}" + "".join(f"{method.name:>14}" for method in METHODS),
    ]
    for name in names:
        cells = [
            _mean([row[name] for row in rows if row["method"] == method.name])
            for method in METHODS
        ]
        lines.append(f"{name:34}{better(name):>5}" + "".join(cells))
    summary = Path(path).with_name("summary.txt")
    summary.write_text("\n".join([*lines, "", *legend()]) + "\n")
    return summary, Path(path)


def _mean(numbers):
    """Return the mean of the numbers that there are, as a cell of the summary."""
    there = [number for number in numbers if not np.isnan(number)]
    return f"{np.mean(there):14.3f}" if there else f"{'-':>14}"


# Array functions of one tile


def _reach(method):
    """Return how far around a tile its objects depend on the picture."""
    smoothing = reach(segkit.gaussian, 2, sigma=method.sigma)[0]
    split = 100 if method.split else 0  # more than a nucleus and half
    # mahotas' majority filter leaves one row more than half its window at the far end.
    majority = method.majority // 2 + 1 if method.majority else 0
    return smoothing + majority + split


def _smooth(picture, tile, sigma, box=None):
    """Return the smooth pixels that a tile owns, or those of another box within."""
    read = picture[tile.read.slices]
    smooth = segkit.gaussian(read, sigma) if sigma else read
    return smooth[tile.inner] if box is None else smooth[box]


def _mask(picture, tile, method, threshold):
    """Return the foreground in the box that a tile reads."""
    mask = _smooth(picture, tile, method.sigma, box=...) > threshold
    return mahotas.majority_filter(mask, method.majority) if method.majority else mask


def _split(mask, sigma):
    """Return objects, cut where the distance to the background has a neck."""
    from scipy import ndimage
    from skimage.feature import peak_local_max
    from skimage.segmentation import watershed

    distance = segkit.gaussian(ndimage.distance_transform_edt(mask), sigma)
    peaks = peak_local_max(distance, min_distance=20, labels=mask.astype(np.int32))
    markers = np.zeros(mask.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return watershed(-distance, markers, mask=mask)


def _limits(ranges):
    return min(r[0] for r in ranges), max(r[1] for r in ranges)


def _levels(pixels, low, high):
    """Return pixels stretched to 0..255, as the threshold by Otsu sees them."""
    scale = (BINS - 1) / (high - low) if high > low else 0.0
    return ((pixels.astype(np.float64) - low) * scale).astype(np.uint8)


# The graph


def segment_whole(picture):
    """Write down the nuclei of one picture; return labels and objects."""
    labels = label_nuclei(picture)
    return labels, table_of(labels, picture)


def segment_tiled(picture, shape, method, least):
    """Write down one of the tiled methods; return labels, objects, report."""
    grid = tiles(shape, TILE, halo=_reach(method))
    ranges = [range_of(picture, tile, method.sigma) for tile in grid]
    if method.threshold == "mean":
        threshold = mean_of(ranges)
    else:
        parts = [histogram_of(picture, t, method.sigma, ranges) for t in grid]
        threshold = otsu_of(parts, ranges)
    pieces = [segment_tile(picture, tile, method, threshold) for tile in grid]
    lookups, report = join_tiles([summary for _, summary in pieces], method)
    sums = [
        measure(picture, tile, labels, lookups[i])
        for i, (tile, (labels, _)) in enumerate(zip(grid, pieces, strict=True))
    ]
    objects = objects_of(sums)
    parts = [labels for labels, _ in pieces]
    return assemble(shape, grid, parts, lookups, objects, least), objects, report


def shape_of(path):
    """Return height and width of a picture file."""
    return segkit.open_image(path).shape[:2]


out = Path(WORDS.out)
scored = []
for name, (path, reference) in pictures(WORDS.folder).items():
    picture = load_picture(File(path))
    found = {WHOLE: (*segment_whole(picture), 0, None)}
    for method in TILED:
        least = method.min_size and least_size(found[WHOLE][1], method.min_size)
        labels, objects, report = segment_tiled(picture, shape_of(path), method, least)
        found[method] = labels, objects, least, report
    truth = load_reference(File(reference)) if reference else None
    for method, (labels, objects, least, report) in found.items():
        stem = str(out / name / method.name)
        save_all(stem, picture, labels, objects, least, report)
        if truth is not None:
            scored.append(score(name, method, labels, truth))
if scored:
    write_scores(scored, str(out / "scores.csv"))
