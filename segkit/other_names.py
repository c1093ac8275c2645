"""What functions of other libraries, and steps of pipelines, are called here."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_TABLE = "region_properties(labels, intensity)"
_DISTANCE = "distance_transform(mask)"

HINTS = {
    # steps of pipelines
    "load": "open_image(path)",
    "regionprops": _TABLE,
    "save_overlay": "save(path, overlay(image, labels))",
    "tile": "tiles(shape, tile)",
    # scikit-image
    "apply_hysteresis_threshold": "hysteresis(image, low, high)",
    "ball": "footprint(radius, ndim=3)",
    "blob_dog": 'blobs(image, sigmas, h, method="dog")',
    "blob_log": "blobs(image, sigmas, h)",
    "contingency_table": "contingency(segmentation, reference)",
    "disk": "footprint(radius, ndim=2)",
    "footprint_rectangle": 'footprint(radius, ndim, shape="box")',
    "hessian_matrix": "hessian_eigenvalues(image, sigma)",
    "hessian_matrix_eigvals": "hessian_eigenvalues(image, sigma)",
    "img_as_bool": 'convert(image, "bool")',
    "img_as_float": 'convert(image, "float64")',
    "img_as_float32": 'convert(image, "float32")',
    "img_as_float64": 'convert(image, "float64")',
    "img_as_int": 'convert(image, "int16")',
    "img_as_ubyte": 'convert(image, "uint8")',
    "img_as_uint": 'convert(image, "uint16")',
    "imread": "open_image(path).read()",
    "imsave": "save(path, image)",
    "label2rgb": "overlay(image, labels)",
    "mark_boundaries": "overlay(image, labels, fill=0)",
    "peak_local_max": "peaks(image, radius)",
    "prewitt": 'edges(image, "prewitt")',
    "regionprops_table": _TABLE,
    "roberts": 'edges(image, "roberts")',
    "rolling_ball": 'subtract_background(image, radius, method="ball")',
    "scharr": 'edges(image, "scharr")',
    "skeletonize": "skeleton(mask)",
    "sobel": "edges(image)",
    "threshold_isodata": 'threshold(image, "isodata")',
    "threshold_li": 'threshold(image, "li")',
    "threshold_local": "local_threshold(image, shape)",
    "threshold_mean": 'threshold(image, "mean")',
    "threshold_minimum": 'threshold(image, "minimum")',
    "threshold_multiotsu": "multi_otsu(image, classes)",
    "threshold_otsu": 'threshold(image, "otsu")',
    "threshold_triangle": 'threshold(image, "triangle")',
    "threshold_yen": 'threshold(image, "yen")',
    "try_all_threshold": "try_all(image)",
    "view_as_blocks": "tiles(shape, tile)",
    # scipy.ndimage
    "binary_fill_holes": "fill_holes(mask)",
    "center_of_mass": f'{_TABLE}, whose columns "centroid-0" ... it is',
    "distance_transform_bf": _DISTANCE,
    "distance_transform_cdt": _DISTANCE,
    "distance_transform_edt": _DISTANCE,
    "find_objects": f'{_TABLE}, whose columns "bbox-0" ... they are',
    "gaussian_filter": "gaussian(image, sigma)",
    "gaussian_laplace": "laplacian_of_gaussian(image, sigma)",
    "generate_binary_structure": "footprint(radius, ndim)",
    "grey_closing": "closing(image, radius)",
    "grey_dilation": "dilation(image, radius)",
    "grey_erosion": "erosion(image, radius)",
    "grey_opening": "opening(image, radius)",
    "maximum_filter": 'dilation(image, radius, shape="box")',
    "median_filter": "median(image, radius)",
    "minimum_filter": 'erosion(image, radius, shape="box")',
    "percentile_filter": "percentile(image, percent, radius)",
    "uniform_filter": "uniform(image, shape)",
    "watershed_ift": "watershed(image, markers)",
}
"""What to write instead of a name that does not exist here, in `segkit`."""

PARTS = frozenset(
    {"color", "feature", "filters", "measure", "metrics", "morphology", "ndimage"}
    | {"restoration", "segmentation", "thresholding"}
)
"""Parts of other libraries, or folders of this one, that are no names here."""


STEPS = {
    "contingency": "",
    "crop": "",
    "cumulative_distribution": "",
    "footprint": "",
    "histogram": "",
    "local_threshold": "binarize_local",
    "multi_otsu": "binarize",
    "open_image": "load",
    "overlay": "",
    "pad": "",
    "region_properties": "regionprops",
    "save_table": "save",
    "threshold": "binarize",
    "tiles": "tile",
    "try_all": "",
}
"""The steps that do what functions of other names do; empty where there is none."""

_OF_THE_IMAGE = frozenset({"axes", "channel", "select", "spacing", "to_grey", "units"})
"""Options of the step `load` that are true of all steps after it."""

_WITHIN = "'bbox' says where an object lies; take {} there"

PROPERTIES = {
    "convex_area": "area_convex",
    "equiv_diameter": "equivalent_diameter",
    "equivalent_diameter_area": "equivalent_diameter",
    "bbox_area": "area_bbox",
    "bounding_box": "bbox",
    "bounding_box_area": "area_bbox",
    "central_moments": "moments_central",
    "crofton_perimeter": "surface",
    "feret_diameter": "feret_diameter_max",
    "filled_area": "area_filled",
    "hu_moments": "moments_hu",
    "local_centroid": "centroid_local",
    "major_axis_length": "axis_major_length",
    "max_intensity": "intensity_max",
    "mean_intensity": "intensity_mean",
    "median_intensity": "intensity_median",
    "min_intensity": "intensity_min",
    "minor_axis_length": "axis_minor_length",
    "normalized_moments": "moments_normalized",
    "num_pixels": "count",
    "perimeter_crofton": "surface",
    "size": "count",
    "std_intensity": "intensity_std",
    "surface_area": "surface",
    "volume": "area",
    "weighted_central_moments": "moments_weighted_central",
    "weighted_centroid": "centroid_weighted",
    "weighted_hu_moments": "moments_weighted_hu",
    "weighted_local_centroid": "centroid_weighted_local",
    "weighted_moments": "moments_weighted",
    "weighted_moments_central": "moments_weighted_central",
    "weighted_moments_hu": "moments_weighted_hu",
    "weighted_moments_normalized": "moments_weighted_normalized",
    "weighted_normalized_moments": "moments_weighted_normalized",
}
"""What properties of objects are called here that scikit-image or others call so."""

INSTEAD = {
    "coordinates": _WITHIN.format("numpy.argwhere(labels == id)"),
    "coords": _WITHIN.format("numpy.argwhere(labels == id)"),
    "coords_scaled": _WITHIN.format("numpy.argwhere(labels == id)"),
    "image": _WITHIN.format("labels == id"),
    "image_convex": "'area_convex' is its area, skimage.morphology.convex_hull_image"
    " makes it",
    "image_filled": _WITHIN.format("segkit.fill_holes(labels == id)"),
    "image_intensity": _WITHIN.format("image * (labels == id)"),
    "slice": "'bbox' says it",
}
"""What to do in place of properties that scikit-image has, and this has not."""


def other_property(word: str) -> str:
    """Return what to say of a property of another library; empty if it is of none.

    Examples
    --------
    >>> other_property("major_axis_length"), other_property("HuMoments")
    (" (here it is 'axis_major_length')", " (here it is 'moments_hu')")
    >>> other_property("slice"), other_property("nothing")
    ("; 'bbox' says it", '')
    """
    import re

    name = re.sub("(?<=[a-z])(?=[A-Z])", "_", word).lower()
    if name in PROPERTIES:
        return f" (here it is {PROPERTIES[name]!r})"
    turned = re.sub("^(filled|convex|intensity)_(.*)", r"\2_\1", name)
    for known in (name, turned):
        if known in INSTEAD:
            return f"; {INSTEAD[known]}"
    return ""


def step_for(name: str) -> str:
    """Return what a step of another name is called here; empty if it is not known.

    Examples
    --------
    >>> step_for("region_properties"), step_for("gaussian_filter"), step_for("imread")
    ('regionprops', 'gaussian', 'load')
    >>> step_for("nothing")
    ''
    """
    ours = HINTS.get(name, name).partition("(")[0]
    return STEPS.get(ours, "" if ours == name else ours)


def hint_for(name: str, known: Sequence[str] = ()) -> str:
    """Return what to say of a name that `segkit` does not have; empty if nothing.

    Parameters
    ----------
    name : str
        What was asked for.
    known : sequence of str, optional
        Names that there are, of which one may have been misspelt.

    Examples
    --------
    >>> hint_for("gaussian_filter")
    '; write segkit.gaussian(image, sigma)'
    >>> hint_for("measure")
    '; all functions are names of segkit itself, as segkit.label'
    >>> hint_for("segment_nucleus", ["label", "segment_nuclei"])
    ' (did you mean segment_nuclei?)'
    >>> hint_for("nothing")
    ''
    """
    if name in PARTS:
        return "; all functions are names of segkit itself, as segkit.label"
    if name in HINTS:
        return f"; write segkit.{HINTS[name]}"
    return "" if name.startswith("_") else nearest(name, known)


def nearest(word: str, known: Sequence[str]) -> str:
    """Return a question whether the nearest known word is meant, or nothing.

    Examples
    --------
    >>> nearest("ndtn", ["label", "ndnt"])
    ' (did you mean ndnt?)'
    """
    import difflib

    found = difflib.get_close_matches(word, known, n=1)
    return f" (did you mean {found[0]}?)" if found else ""


def option_names(signature: inspect.Signature, after: int) -> list[str]:
    """Return what may be given behind so many arguments, as `misfit` names it.

    Examples
    --------
    >>> option_names(inspect.signature(lambda image, *sigmas, mode=1: None), 1)
    ['*sigmas', 'mode']
    """
    several = inspect.Parameter.VAR_POSITIONAL
    found = [*signature.parameters.values()][after:]
    return [("*" if one.kind is several else "") + one.name for one in found]


def misfit(error: TypeError, takes: Sequence[str], given: Iterable[str]) -> str:
    """Return why arguments do not fit a function, and which would.

    Parameters
    ----------
    error
        As raised by `inspect.Signature.bind`.
    takes
        The names of all arguments that may be given; of those that are any number of
        values, with a star.
    given
        The names of those given by name. One that the function does not have is told
        before one that is missing.

    Examples
    --------
    >>> error = TypeError("missing a required argument: 'sigma'")
    >>> misfit(error, ["sigma", "truncate"], ["sigmas"])
    "got an unexpected keyword argument 'sigmas' (did you mean sigma?); it takes sigma,
    truncate"
    >>> misfit(error, ["sigma"], ["spacing"])
    "got an unexpected keyword argument 'spacing', which load(spacing=...) takes for all
    steps; it takes sigma"
    >>> misfit(error, ["*classifiers"], ["classifiers"])
    "got an unexpected keyword argument 'classifiers': values are given without that
    word, in a file of steps by arguments = [...]; it takes *classifiers"
    """
    said = str(error)
    unknown = [word for word in given if word not in takes]
    if unknown:
        word = unknown[0]
        for_all = f", which load({word}=...) takes for all steps"
        why = for_all if word in _OF_THE_IMAGE else nearest(word, takes)
        if f"*{word}" in takes:
            why = ": values are given without that word, in a file of steps by"
            why += " arguments = [...]"
        said = f"got an unexpected keyword argument {word!r}{why}"
    return f"{said}; it takes {', '.join(takes) or 'no options'}"
