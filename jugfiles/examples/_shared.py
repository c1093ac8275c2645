"""What several topics start from, and ways to draw what they find."""

import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import segkit


def blobs(image):
    """Return the foreground and the labels that many examples start from."""
    smooth = segkit.gaussian(image, 2)
    mask = smooth > segkit.threshold(smooth, "mean")
    return mask, segkit.label(mask)


def labelled(image, **labels):
    """Return the image with each of the labels drawn onto it."""
    return {name: segkit.overlay(image, own) for name, own in labels.items()}


def compared(image):
    """Return labels, and the better ones that they are compared with."""
    return blobs(image)[1], segkit.segment_nuclei(image)


def beside(image, reference, title, found):
    """Return the reference and what was found, drawn onto the image."""
    return {
        "reference": segkit.overlay(image, reference),
        title: segkit.overlay(image, found),
    }


def agreement(found, reference):
    """Return a picture of what is found only, in the reference only, and in both."""
    return segkit.paint_classes((found > 0) + 2 * (reference > 0))


def painted(labels, ids, values):
    """Return a grey image in which each object listed has its value."""
    column = np.zeros(labels.max() + 1)
    column[ids] = values
    return column[labels]


def grid_picture(image, grid):
    """Return the image with what each tile reads (blue) and owns (yellow)."""
    picture = segkit.grey_picture(image)
    for tile in grid:
        for box, colour in ((tile.read, (90, 120, 255)), (tile.write, (255, 210, 0))):
            y, x = box.slices
            picture[[y.start, y.stop - 1], x] = colour
            picture[y, [x.start, x.stop - 1]] = colour
    return picture


def put_together(shape, grid, pieces):
    """Return the image made of what each tile owns; nothing where none is given."""
    whole = np.zeros(shape, pieces[0].dtype)
    for tile, piece in zip(grid, pieces, strict=True):
        whole[tile.write.slices] = piece
    return whole


def needs(*libraries):
    """Say which optional libraries an example is left out without."""

    def mark(function):
        function.needs = libraries
        return function

    return mark


@contextmanager
def new_folder():
    """Make a folder for the files of one example, for as long as it runs."""
    with tempfile.TemporaryDirectory(prefix="gallery-") as folder:
        yield Path(folder)
