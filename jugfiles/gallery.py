"""A gallery of segkit: each function with an example that runs, and its picture.

    tg execute jugfiles/gallery.py -j 2 [-- OUT]

OUT (``gallery-out``) gets ``index.html`` and a PNG for each example. The picture is a
part of the nuclei that the mahotas package brings along. Each example is a task of its
own: change one, say so (``tg invalidate jugfiles/gallery.py --name gaussian``), and
only that one is made again.
"""

import html
import inspect
import sys
from pathlib import Path

import mahotas
import numpy as np

import segkit
from segkit.tiling import Box
from taskgraph import TaskGenerator

OUT = Path(sys.argv[1] if len(sys.argv) > 1 else "gallery-out")
SECTIONS = {}


def example(section):
    """Put a function into a section of the gallery: its name is what it shows."""

    def note(function):
        SECTIONS.setdefault(section, []).append(TaskGenerator(function))
        return function

    return note


def blobs(image):
    """Return the foreground and the labels that many examples start from."""
    smooth = segkit.gaussian(image, 2)
    mask = smooth > segkit.threshold(smooth, "mean")
    return mask, segkit.label(mask)


# Filters


@example("Filters")
def gaussian(image):
    return {"image": image, "sigma=4": segkit.gaussian(image, 4)}


@example("Filters")
def median(image):
    return {"image": image, "radius=4": segkit.median(image, 4)}


@example("Filters")
def uniform(image):
    return {"image": image, "shape=15": segkit.uniform(image, 15)}


@example("Filters")
def subtract_background(image):
    return {"image": image, "radius=60": segkit.subtract_background(image, 60)}


@example("Filters")
def distance_transform(image):
    mask, _ = blobs(image)
    return {"mask": mask, "distance": segkit.distance_transform(mask)}


# Morphology


@example("Morphology")
def erosion(image):
    return {"image": image, "radius=5": segkit.erosion(image, 5)}


@example("Morphology")
def dilation(image):
    return {"image": image, "radius=5": segkit.dilation(image, 5)}


@example("Morphology")
def opening(image):
    return {"image": image, "radius=5": segkit.opening(image, 5)}


@example("Morphology")
def closing(image):
    return {"image": image, "radius=5": segkit.closing(image, 5)}


@example("Morphology")
def white_tophat(image):
    return {"image": image, "radius=8": segkit.white_tophat(image, 8)}


@example("Morphology")
def black_tophat(image):
    return {"image": image, "radius=8": segkit.black_tophat(image, 8)}


@example("Morphology")
def binary_erosion(image):
    mask, _ = blobs(image)
    return {"mask": mask, "radius=6": segkit.binary_erosion(mask, 6)}


@example("Morphology")
def binary_dilation(image):
    mask, _ = blobs(image)
    return {"mask": mask, "radius=6": segkit.binary_dilation(mask, 6)}


@example("Morphology")
def binary_opening(image):
    mask, _ = blobs(image)
    return {"mask": mask, "radius=6": segkit.binary_opening(mask, 6)}


@example("Morphology")
def binary_closing(image):
    mask, _ = blobs(image)
    return {"mask": mask, "radius=6": segkit.binary_closing(mask, 6)}


@example("Morphology")
def footprint(image):  # noqa: ARG001 - it needs none
    shapes = {shape: segkit.footprint(6, 2, shape=shape) for shape in ("ball", "box")}
    return {name: shape.repeat(20, 0).repeat(20, 1) for name, shape in shapes.items()}


@example("Morphology")
def fill_holes(image):
    mask = segkit.gaussian(image, 1) > 1.6 * image.mean()
    return {"mask": mask, "filled": segkit.fill_holes(mask)}


@example("Morphology")
def h_maxima(image):
    smooth = segkit.gaussian(image, 6)
    peaks = segkit.h_maxima(smooth, 5)
    return {"smooth": smooth, "peaks": segkit.binary_dilation(peaks, 4)}


# Thresholds


@example("Thresholds")
def ndnt(image):
    mask = segkit.ndnt(image, 129, 0.0, polarity="bright")
    return {"image": image, "shape=129": mask}


@example("Thresholds")
def threshold(image):
    return {
        "otsu": image > segkit.threshold(image, "otsu"),
        "mean": image > segkit.threshold(image, "mean"),
    }


@example("Thresholds")
def local_threshold(image):
    return {"image": image, "shape=101": image > segkit.local_threshold(image, 101)}


@example("Thresholds")
def hysteresis(image):
    low, high = image.mean(), 2 * image.mean()
    return {"image": image, "low, high": segkit.hysteresis(image, low, high)}


@example("Thresholds")
def multi_otsu(image):
    return {"image": image, "classes=3": np.digitize(image, segkit.multi_otsu(image))}


@example("Thresholds")
def try_all(image):
    trials = segkit.try_all(segkit.gaussian(image, 2))
    return {
        f"{name}: {trial.objects} objects": trial.mask for name, trial in trials.items()
    }


# Objects


@example("Objects")
def label(image):
    mask, _ = blobs(image)
    return {"mask": mask, "label": segkit.overlay(image, segkit.label(mask, tile=100))}


@example("Objects")
def remove_small_objects(image):
    _, labels = blobs(image)
    kept = segkit.remove_small_objects(labels, 2000)
    return _labelled(image, labels=labels, kept=kept)


@example("Objects")
def remove_small_holes(image):
    mask = segkit.gaussian(image, 1) > 1.6 * image.mean()
    return {"mask": mask, "min_size=200": segkit.remove_small_holes(mask, 200)}


@example("Objects")
def clear_border(image):
    _, labels = blobs(image)
    return _labelled(image, labels=labels, cleared=segkit.clear_border(labels))


@example("Objects")
def keep_largest(image):
    _, labels = blobs(image)
    return _labelled(image, labels=labels, largest=segkit.keep_largest(labels, 3))


@example("Objects")
def keep_within(image):
    _, labels = blobs(image)
    kept = segkit.keep_within(labels, count=(3000, 8000))
    return _labelled(image, labels=labels, kept=kept)


@example("Objects")
def relabel_sequential(image):
    _, labels = blobs(image)
    kept, _ = segkit.relabel_sequential(segkit.clear_border(labels))
    return _labelled(image, labels=labels, relabelled=kept)


@example("Objects")
def tiled_watershed(image):
    mask, _ = blobs(image)
    smooth = segkit.gaussian(segkit.distance_transform(mask), 6)
    markers = segkit.label(segkit.h_maxima(smooth, 1))
    whole = segkit.tiled_watershed(-smooth, markers, mask=mask, tile=200, halo=80)
    return _labelled(image, markers=markers, watershed=whole.labels)


@example("Objects")
def random_walker(image):
    mask, _ = blobs(image)
    seeds = np.where(segkit.binary_erosion(mask, 8), 2, 0)
    seeds[~segkit.binary_dilation(mask, 8)] = 1
    small = (slice(0, 160), slice(0, 160))
    walked = segkit.random_walker(image[small], seeds[small])
    return {"image": image[small], "seeds": seeds[small], "walked": walked}


@example("Objects")
def tiled_random_walker(image):
    mask, _ = blobs(image)
    seeds = np.where(segkit.binary_erosion(mask, 8), 2, 0)
    seeds[~segkit.binary_dilation(mask, 8)] = 1
    small = (slice(0, 160), slice(0, 160))
    walked = segkit.tiled_random_walker(image[small], seeds[small], tile=90, halo=20)
    return {"seeds": seeds[small], "walked": walked.labels}


@example("Objects")
def merge_instances(image):
    grid = segkit.tiles(image.shape, 200, halo=80)
    pieces = [(tile, blobs_within(image, tile)) for tile in grid]
    merged = segkit.merge_instances(pieces, image.shape, on_disagreement="ignore")
    return {"merged": segkit.overlay(image, merged.labels)}


def blobs_within(image, tile):
    """Return the labels of what a tile reads, as a method without a reach gives."""
    return blobs(image[tile.read.slices])[1]


# Measurements


@example("Measurements")
def region_properties(image):
    _, labels = blobs(image)
    table = segkit.region_properties(labels, image)
    painted = np.concatenate([[0], table["intensity_mean"]])[labels]
    return {"labels": segkit.overlay(image, labels), "intensity_mean": painted}


@example("Measurements")
def classify(image):
    return {"small, large, bright": segkit.paint_classes(classes_of(image))}


@example("Measurements")
def bounds_classifier(image):
    return {"classes": segkit.paint_classes(classes_of(image))}


@example("Measurements")
def reconstruct(image):
    return {"image": image, "classes": classes_of(image)}


@example("Measurements")
def paint_classes(image):
    return {"classes": segkit.paint_classes(classes_of(image))}


@example("Measurements")
def class_colours(image):  # noqa: ARG001 - it needs none
    colours = segkit.class_colours(24)[None]
    return {"24 classes": colours.repeat(60, axis=0).repeat(16, axis=1)}


def classes_of(image):
    """Return the class of each pixel."""
    _, labels = blobs(image)
    table = segkit.classify(
        segkit.region_properties(labels, image),
        segkit.bounds_classifier("small", count=2500),
        segkit.bounds_classifier("bright", intensity_mean=(60, 255)),
        segkit.bounds_classifier("other"),
    )
    return segkit.reconstruct(labels, table)


# Methods


@example("Methods")
def segment_nuclei(image):
    return {
        "image": image,
        "nuclei": segkit.overlay(image, segkit.segment_nuclei(image)),
    }


@example("Methods")
def segment_cells(image):
    tissue = mosaic(image.shape)
    cells = segkit.segment_cells(tissue)
    return {"image": tissue, "cells": segkit.overlay(tissue, cells)}


@example("Methods")
def membrane_map(image):
    tissue = mosaic(image.shape)
    return {"image": tissue, "membranes": segkit.membrane_map(tissue)}


def mosaic(shape):
    """Return a picture of cells with dark membranes between them."""
    from scipy.spatial import cKDTree

    random = np.random.default_rng(0)
    centres = random.uniform(0, shape, size=(60, 2))
    places = np.moveaxis(np.indices(shape), 0, -1)
    distances, _ = cKDTree(centres).query(places, k=2)
    membranes = np.exp(-((distances[..., 1] - distances[..., 0]) ** 2) / 20)
    return (190 - 130 * membranes + random.normal(0, 12, shape)).clip(0, 255)


@example("Methods")
def Pipeline(image):  # noqa: N802 - what it shows
    from segkit.pipeline import gaussian, label, ndnt, remove_small_objects

    steps = segkit.Pipeline(
        gaussian(2),
        ndnt(129, 0.0, polarity="bright"),
        label(),
        remove_small_objects(900),
    )
    return {"pipeline": segkit.overlay(image, steps.run(image, tile=128).labels)}


# Tiles


@example("Tiles")
def tiles(image):
    return {"tiles": _grid(image, segkit.tiles(image.shape, 150, halo=20))}


@example("Tiles")
def overlapping_tiles(image):
    grid = segkit.overlapping_tiles(image.shape, 150, 100)
    return {"tile=150, stride=100": _grid(image, grid)}


@example("Tiles")
def map_tiles(image):
    def smooth(tile):
        return segkit.gaussian(tile, 4)

    with_halo = segkit.map_tiles(smooth, image, tile=100, halo=16)
    too_small = segkit.map_tiles(smooth, image, tile=100, halo=0)
    return {"halo=16": with_halo, "halo=0, less": np.abs(with_halo - too_small)}


@example("Tiles")
def join(image):
    grid = segkit.overlapping_tiles(image.shape, 150, 100)
    pieces = [(tile, segkit.gaussian(image[tile.read.slices], 4)) for tile in grid]
    return {
        rule: segkit.join(pieces, image.shape, rule=rule) for rule in ("own", "mean")
    }


# Pictures


@example("Pictures")
def overlay(image):
    return {"overlay": segkit.overlay(image, blobs(image)[1])}


@example("Pictures")
def side_by_side(image):
    _, labels = blobs(image)
    pictures = {"image": image, "labels": segkit.overlay(image, labels)}
    return {"": segkit.side_by_side(pictures, zoom=Box((20, 150), (110, 240)))}


@example("Pictures")
def contact_sheet(image):
    sweep = {f"sigma {s}": segkit.gaussian(image, s) for s in (1, 2, 4, 8)}
    return {"": segkit.contact_sheet(sweep, columns=4, width=160)}


@example("Pictures")
def label_colours(image):
    return {"colours": segkit.label_colours(blobs(image)[1])}


@example("Pictures")
def grey_picture(image):
    return {"stretched": segkit.grey_picture(image)}


# Scores


@example("Scores")
def scores(image):
    return _compared(image)


@example("Scores")
def published_scores(image):
    return _compared(image, of=segkit.published_scores)


def _compared(image, of=segkit.scores):
    reference = segkit.segment_nuclei(image)
    _, labels = blobs(image)
    found = of(labels, reference)
    names = [f"{name} {found[name]:.2f}" for name in list(found)[:3]]
    return {
        "reference": segkit.overlay(image, reference),
        ", ".join(names): segkit.overlay(image, labels),
    }


# What the examples share


def _labelled(image, **labels):
    return {name: segkit.overlay(image, own) for name, own in labels.items()}


def _grid(image, grid):
    picture = segkit.grey_picture(image)
    for tile in grid:
        for box, colour in ((tile.read, (90, 120, 255)), (tile.write, (255, 210, 0))):
            y, x = box.slices
            picture[[y.start, y.stop - 1], x] = colour
            picture[y, [x.start, x.stop - 1]] = colour
    return picture


# The graph


@TaskGenerator
def crop(path):
    """Return the part of the picture that is shown."""
    return segkit.open_image(path, channel=0).read()[200:500, 300:700]


@TaskGenerator
def save_sheet(pictures, path):
    """Write the pictures of one example next to each other; return the file's name."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    columns = min(4, len(pictures))
    sheet = segkit.contact_sheet(pictures, columns=columns, width=400)
    segkit.save_png(path, sheet)
    return Path(path).name


@TaskGenerator
def write_index(sections, sources, path):
    """Write the page that shows all of them."""
    parts = ["<!doctype html><meta charset=utf-8><title>segkit</title>", _STYLE]
    for section, entries in sections.items():
        parts.append(f"<h2>{section}</h2>")
        for name, picture in entries:
            parts.append(f"<h3 id={name}>{name}</h3><img src={picture} alt={name}>")
            parts.append(f"<pre>{html.escape(sources[name])}</pre>")
    Path(path).write_text("\n".join(parts))
    return path


_STYLE = """<style>
body { font: 16px/1.5 system-ui; max-width: 60em; margin: 2em auto; padding: 0 1em }
img { max-width: 100% } pre { background: #f4f4f4; padding: 1em; overflow: auto }
</style><h1>segkit</h1>"""


def source_of(generator):
    """Return the code of an example, without its decorator."""
    return inspect.getsource(generator.f).partition("\n")[2]


demo = Path(mahotas.__file__).parent / "demos" / "data" / "nuclear.png"
image = crop(str(demo))
index, sources = {}, {}
for section, generators in SECTIONS.items():
    for generator in generators:
        name = generator.f.__name__
        shown = save_sheet(generator(image), str(OUT / f"{name}.png"))
        index.setdefault(section, []).append((name, shown))
        sources[name] = source_of(generator)
write_index(index, sources, str(OUT / "index.html"))
