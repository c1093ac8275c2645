"""Properties and classes of objects."""

import segkit
from examples._shared import blobs, painted


def region_properties(image):
    _, labels = blobs(image)
    table = segkit.region_properties(labels, image)
    means = painted(labels, table["label"], table["intensity_mean"])
    return {"labels": segkit.overlay(image, labels), "intensity_mean": means}


def measure_tile(image):
    _, labels = blobs(image)
    tile = segkit.tiles(labels.shape, 200)[0]
    own = labels[tile.write.slices]
    sums = segkit.measure_tile(own, tile, labels.shape)
    table = segkit.properties_table(sums)
    counts = painted(own, table["label"], table["count"])
    return {
        "first tile": segkit.overlay(image[tile.write.slices], own),
        "count": counts,
    }


def combine(image):
    _, labels = blobs(image)
    sums = segkit.combine(
        segkit.measure_tile(labels[tile.write.slices], tile, labels.shape)
        for tile in segkit.tiles(labels.shape, 200)
    )
    table = segkit.properties_table(sums)
    counts = painted(labels, table["label"], table["count"])
    return {"count, by tiles of 200": counts}


def properties_table(image):
    _, labels = blobs(image)
    whole = segkit.tiles(labels.shape, labels.shape)[0]
    sums = segkit.measure_tile(labels, whole, labels.shape)
    table = segkit.properties_table(sums, properties=["label", "area"], spacing=0.25)
    areas = painted(labels, table["label"], table["area"])
    return {f"area, up to {table['area'].max():.0f} square micrometres": areas}


def classify(image):
    _, labels = blobs(image)
    table = segkit.classify(
        segkit.region_properties(labels, image),
        segkit.bounds_classifier("small", count=2500),
        segkit.bounds_classifier("bright", intensity_mean=(33, None)),
        segkit.bounds_classifier("other"),
    )
    classes = segkit.reconstruct(labels, table)
    return {"small, bright, other": segkit.paint_classes(classes)}


def bounds_classifier(image):
    small = segkit.bounds_classifier("small", count=5000)
    medium = segkit.bounds_classifier("medium", count=(5000, 7500))
    large = segkit.bounds_classifier("large", count=(7500, None))
    classes = segkit.reconstruct(*_classified(image, small, medium, large))
    return {"small, medium, large": segkit.paint_classes(classes)}


def reconstruct(image):
    labels, table = _classified(image, *_CLASSES)
    classes = segkit.reconstruct(labels, table)
    return {"labels": segkit.overlay(image, labels), "classes": classes}


def paint_classes(image):
    classes = segkit.reconstruct(*_classified(image, *_CLASSES))
    return {"classes": classes, "painted": segkit.paint_classes(classes)}


def class_colours(image):  # noqa: ARG001 - it needs none
    colours = segkit.class_colours(24)[None]
    return {"24 classes": colours.repeat(60, axis=0).repeat(16, axis=1)}


_CLASSES = (
    segkit.bounds_classifier("bright", intensity_mean=(33, None)),
    segkit.bounds_classifier("dim"),
)


def _classified(image, *classes):
    """Return labels, and a table of them with a class each."""
    _, labels = blobs(image)
    return labels, segkit.classify(segkit.region_properties(labels, image), *classes)
