"""The pictures and masks of `vessels.py` as tasks: loaded, found, learned, compared."""

from pathlib import Path

import numpy as np

import segkit
from segkit.learning import folds_of, recipe_of, train_pixels
from taskgraph import File, TaskGenerator

PIXEL_FOLDS = 5
VESSEL = 2  # what is scribbled on vessels; 1 beside
SHARE = 0.05  # of the pixels in view that the pixel classifier learns from
FILTERS = ("contrast", "gradient", "laplacian", "hessian", "structure")


@TaskGenerator
def grey_of(path, box):
    """Return the green channel of a colour picture, or the picture if it is grey."""
    image = segkit.open_image(path)
    colours = image.ndim == 3
    grey = (
        segkit.open_image(path, channel=min(1, image.shape[-1] - 1))
        if colours
        else image
    )
    array = cut(np.asarray(grey.read()), box)
    if not np.isfinite(array).all():
        raise ValueError(
            f"{path} has NaN or infinite values; save it with others in their place"
        )
    return array


@TaskGenerator
def mask_of(path, box):
    """Return what a person has drawn: the brighter of the two values of a mask.

    It may be saved as a colour picture of greys, as programs that draw do.
    """
    array = np.asarray(segkit.open_image(path).read())
    if array.ndim == 3:
        colours = array[..., :3] if array.shape[-1] in (3, 4) else array[..., :1]
        if (colours != colours[..., :1]).any():
            raise ValueError(
                f"{path} is a picture in colours; save the mask in grey, with 0 and 255"
            )
        array = colours[..., 0]
    values = np.unique(array)
    if len(values) > 2:
        raise ValueError(
            f"{path} holds {len(values)} values from {values[0]} to {values[-1]}; a"
            " mask has two, of which the brighter one is what was drawn"
        )
    if len(values) == 1 and values[0] not in (0, 1, 255):
        raise ValueError(
            f"{path} holds the value {values[0]} only, which may be that of what was"
            " drawn or of the rest; save the mask with 0 and 255"
        )
    return cut(array > values[0] if len(values) == 2 else array > 0, box)


@TaskGenerator
def stand_in(grey, level):
    """Return a mask for a picture to try, in the place of what nobody has drawn."""
    return segkit.gaussian(grey, 2) > level * grey.mean()


@TaskGenerator
def found_view(grey):
    """Return what is in view, of a picture for which nobody says it."""
    return segkit.find_field_of_view(grey)


@TaskGenerator
def vessels(grey, view):
    """Return the vessels, without learning."""
    return segkit.segment_vessels(grey, field_of_view=view)


@TaskGenerator
def overlap(mask, reference, view):
    """Return the Dice score of two masks within the view."""
    counts = segkit.contingency(
        (mask & view).astype(int), (reference & view).astype(int)
    )
    return segkit.dice(counts)


@TaskGenerator
def scribbled(mask, view, rng: np.random.Generator):
    """Return a few pixels to learn from: on vessels, and beside."""
    chosen = view & (rng.random(mask.shape) < SHARE)
    return np.where(chosen, np.where(mask, VESSEL, 1), 0).astype(np.uint8)


@TaskGenerator
def pixel_classifier(greys, scribbles, recipe, rounds, rng: np.random.Generator):
    """Return a classifier of pixels that has learned from some pictures."""
    seed = int(rng.integers(2**31))
    return train_pixels(greys, scribbles, recipe, rounds=rounds, seed=seed)


@TaskGenerator
def classified(classifier, grey, view):
    """Return the vessels that a classifier of pixels finds."""
    return (classifier.predict(grey) == VESSEL) & view


@TaskGenerator(files=True)
def write_example(grey, masks, path):
    """Write a sheet of one picture with each mask drawn on it."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    sheet = {name: segkit.overlay(grey, mask) for name, mask in masks.items()}
    sheet = segkit.contact_sheet({"picture": grey, **sheet}, width=400)
    segkit.save_png(path, sheet, overwrite=True)
    return Path(path)


def cut(array, box):
    """Return a part of an array; all of it if `box` is None."""
    return array if box is None else array[box[0] : box[1], box[2] : box[3]]


# The graph


def loaded(picture):
    """Write down the arrays of a picture: grey, in view, and what both persons drew."""
    grey = grey_of(File(picture.image), picture.box)
    view = found_view(grey)
    if picture.view is not None:
        view = mask_of(File(picture.view), picture.box)
    if picture.labels is None:
        return grey, view, stand_in(grey, 1.0), stand_in(grey, 1.2)
    first = mask_of(File(picture.labels), picture.box)
    second = picture.second and mask_of(File(picture.second), picture.box)
    return grey, view, first, second


def pixel_masks(arrays, experiments, classifier, rounds):
    """Write down the vessels of each picture by classifiers that have not seen it."""
    folds = folds_of(experiments, min(PIXEL_FOLDS, len(set(experiments))))
    scribbles = [scribbled(first, view) for _, view, first, _ in arrays]
    found = {}
    for fold in sorted(set(folds.tolist())):
        seen = [k for k, other in enumerate(folds) if other != fold]
        learned = pixel_classifier(
            [arrays[k][0] for k in seen],
            [scribbles[k] for k in seen],
            None if classifier is None else recipe_of(classifier),
            rounds,
        )
        for k in np.flatnonzero(folds == fold).tolist():
            found[k] = classified(learned, *arrays[k][:2])
    return [found[k] for k in range(len(arrays))]
