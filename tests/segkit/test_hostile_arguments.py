"""Each option of each public function, given what is wrong: told by us, in a sentence.

The normal run tries some of the values on each option; ``-m chaos`` all of them.
"""

from __future__ import annotations

import inspect
import sys
import traceback
import zlib

import numpy as np
import pytest

import segkit
from segkit import features, partitions
from segkit.methods import classic

PLANE = np.zeros((20, 24), np.uint8)
PLANE[3:9, 3:9], PLANE[12:18, 12:20], PLANE[4:8, 15:20] = 200, 180, 90
LABELS = segkit.label(PLANE > 0)
FLOATS = PLANE / 7.0
GRID = segkit.tiles(PLANE.shape, 12, halo=4)
FLAT = segkit.tiles(PLANE.shape, 12)
OVERLAPS = segkit.contingency(LABELS, LABELS)
RUNS = segkit.label_runs(LABELS, LABELS)
PARTS = [segkit.label_tile(PLANE[t.write.slices] > 0, t, PLANE.shape) for t in FLAT]
INSTANCES = [segkit.instance_tile(LABELS[t.read.slices], t, PLANE.shape) for t in GRID]
MEASURED = segkit.measure_tile(LABELS, segkit.tiles(PLANE.shape, 24)[0], PLANE.shape)
TABLE = segkit.region_properties(LABELS)
ROUND = segkit.bounds_classifier("round", area=(1, 40))
CLASSES = segkit.classify(TABLE, ROUND)
POINTS = partitions.interest_points(PLANE, "maxima", sigma=1)
SQUARES = partitions.grid_regions(PLANE.shape, 8)
PICTURES = {"a": PLANE, "b": PLANE}
BANK = [features.FilterBank((1,), ("gaussian",))]

USUAL = {
    **dict.fromkeys(("labels", "segmentation", "reference", "markers"), LABELS),
    "image": PLANE,
    "mask": PLANE > 0,
    "field_of_view": PLANE >= 0,
    "sigma": 1,
    "sigmas": (1, 2),
    "radius": 1,
    "size": 4,
    "tile": FLAT[0],
    "shape": PLANE.shape,
    "ndim": 2,
    "min_size": 3,
    "table": OVERLAPS,
    "runs": RUNS,
    "grid": FLAT,
    "f": segkit.gaussian,
    "partition": SQUARES,
    "families": BANK,
}
OWN = {
    "adjacent_tiles": {},
    "bounds_classifier": {"name": "round", "area": (1, 2)},
    "border_ids": {"table": TABLE},
    "canny": {"low": 1, "high": 2},
    "check_halo": {"f": np.copy, "halo": 1},
    "class_colours": {"count": 3},
    "classify": {"table": TABLE, "one": ROUND},
    "combine": {"parts": [OVERLAPS, OVERLAPS]},
    "compare_tiles": {
        "first": INSTANCES[0].summary,
        "second": INSTANCES[1].summary,
    },
    "contact_sheet": {"images": PICTURES},
    "convert": {"dtype": "float32"},
    "crop": {"margins": 1},
    "find_seam": {"first": PARTS[0].summary, "second": PARTS[1].summary},
    "h_maxima": {"h": 2},
    "hysteresis": {"low": 1, "high": 2},
    "ids_within": {"table": TABLE},
    "instance_tile": {"labels": LABELS[GRID[0].read.slices], "tile": GRID[0]},
    "join": {"pieces": [(t, PLANE[t.read.slices]) for t in FLAT]},
    "join_segmentations": {"other": LABELS},
    "keep_ids": {"ids": [1]},
    "keep_largest": {},
    "label_tile": {"mask": PLANE[FLAT[0].write.slices] > 0},
    "largest_ids": {"table": TABLE},
    "map_tiles": {"f": lambda part: part, "tile": 9, "halo": 1},
    "measure_tile": {"labels": LABELS[FLAT[0].read.slices]},
    "merge_instance_tiles": {"summaries": [one.summary for one in INSTANCES]},
    "merge_instances": {
        "pieces": [(t, LABELS[t.read.slices]) for t in GRID],
    },
    "merge_tiles": {"summaries": [one.summary for one in PARTS]},
    "multi_otsu": {"image": FLOATS},
    "overlapping_tiles": {"tile": 9, "stride": 5},
    "pad": {"margins": 1},
    "paint_classes": {"classes": segkit.reconstruct(LABELS, CLASSES)},
    "percentile": {"percent": 30},
    "published_object_counts": {},
    "reconstruct": {"classes": CLASSES},
    "relabel_tile": {"lookup": np.arange(9)},
    "remove_ids": {"ids": [1]},
    "remove_small_holes": {},
    "properties_table": {"table": MEASURED},
    "save_png": None,
    "side_by_side": {"pictures": PICTURES},
    "slic": {"n_segments": 4},
    "small_ids": {"table": TABLE},
    "split_tile": {},
    "tiles": {"tile": 9},
    "tiled_random_walker": {"tile": 12},
    "tiled_watershed": {"tile": 12},
    "vocabulary": {"descriptors": [np.eye(8)] * 2, "seed": 0, "n_words": 2},
    "blobs": {"threshold": 1},
    "hausdorff_distance": {"first": LABELS, "second": LABELS},
    "drop_ids": {"ids": [1]},
    "probe_reach": {"f": np.copy},
    "uniform": {"shape": 3},
    "local_threshold": {"shape": 3},
    "binarize_local": {"shape": 3},
    "superpixel_regions": {"n_segments": 4},
    "window_regions": {"points": POINTS, "shape": PLANE.shape, "size": 5},
    "labelled_regions": {},
    "learn_words": {"images": [PLANE], "count": 2, "seed": 0},
}
# They take paths, or open a page: tests of their own, beside them.
PATHS = {"create_image", "explore", "open_image", "open_plate", "open_writer"} | {
    name for name in dir(segkit) if name.startswith("save")
}
WRONG = {
    "text": "a",
    "texts": ["a", "b"],
    "bytes": b"a",
    "slice": slice(1, 3),
    "nothing": None,
    "a flag": True,
    "a function": len,
    "an object": object(),
    "a dict": {"a": 1},
    "a set": {1},
    "empty": [],
    "a list": [1, 2, 3, 4, 5],
    "pairs": [(1,), (2,)],
    "NaN": float("nan"),
    "infinity": float("inf"),
    "complex": 1j,
    "negative": -1,
    "negative half": -0.5,
    "zero": 0,
    "tiny": 1e-300,
    "large": 10**30,
    "wide": 10**9,
    "wide float": 1e18,
    "a number of numpy": np.float64(3),
    "negatives": [-1, -1],
    "NaN in a list": [float("nan"), 1.0],
    "an array": np.zeros(3),
    "an array of NaN": np.full(PLANE.shape, np.nan),
    "masked": np.ma.masked_array(PLANE, PLANE > 3),
    "objects": np.array([object()] * 3),
    "times": np.zeros(PLANE.shape, "M8[s]"),
    "strings": np.full(PLANE.shape, "a"),
    "records": np.zeros(PLANE.shape, [("a", int)]),
    "halves": LABELS * 0.5,
    "negative labels": -LABELS,
    "seven axes": np.zeros((2,) * 7, np.uint8),
}
# Who asks for so much gets it, in the end.
ASKED_FOR = {(".slic", "max_num_iter"), (".class_colours", "count")}


def public():
    """Return every public function of arrays, by its name."""
    modules = {"": segkit, "partitions": partitions, "features": features}
    found = {
        f"{place}.{name}": getattr(module, name)
        for place, module in [*modules.items(), ("classic", classic)]
        for name in dir(module)
        if not name.startswith("_") and name not in PATHS
    }
    return {
        name: one
        for name, one in found.items()
        if inspect.isfunction(one)
        and (not name.startswith("classic") or one.__module__ == classic.__name__)
    }


FUNCTIONS = public() | {
    ".classify": lambda table, one=ROUND: segkit.classify(table, one),
    ".bounds_classifier": lambda name, area: segkit.bounds_classifier(name, area=area),
}


def valid(name):
    """Return arguments with which a function runs, by name."""
    own = OWN.get(name.split(".")[1], {})
    parameters = inspect.signature(FUNCTIONS[name]).parameters.values()
    needed = [
        one.name
        for one in parameters
        if one.default is one.empty and one.kind is not one.VAR_KEYWORD
    ]
    return {option: USUAL.get(option) for option in needed} | own


def complaint(name, arguments):
    """Return what is told of arguments, if it is not by us."""
    try:
        FUNCTIONS[name](**arguments)
    except (TypeError, ValueError, KeyError, OSError, MemoryError) as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        ours = "/segkit/" in last.filename
        if ours and (not isinstance(error, MemoryError) or "a smaller" in str(error)):
            return None
        return f"{type(error).__name__}: {error} ({last.filename}, {last.lineno})"
    except Exception as error:  # noqa: BLE001 - no other is a refusal
        return f"{type(error).__name__}: {error}"
    return None


def options_of(name):
    return [o for o in inspect.signature(FUNCTIONS[name]).parameters if o != "options"]


@pytest.mark.filterwarnings("ignore")  # of numbers that overflow: what was asked for
@pytest.mark.parametrize("share", [8, pytest.param(1, marks=pytest.mark.chaos)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_wrong_argument_is_told_by_us(name, share):
    usual, found = valid(name), {}
    FUNCTIONS[name](**usual)
    for option in options_of(name):
        place = zlib.crc32(f"{name} {option}".encode())
        for number, (kind, value) in enumerate(WRONG.items()):
            if (name, option) in ASKED_FOR and kind.startswith(("large", "wide")):
                continue
            if (number + place) % share == 0:
                told = complaint(name, {**usual, option: value})
                found |= {f"{option}={kind}": told} if told else {}
    assert not found


def read_only(value):
    if type(value) is not np.ndarray:
        return value
    view = value.view()
    view.flags.writeable = False
    return view


@pytest.mark.parametrize("name", FUNCTIONS)
def test_arrays_that_may_only_be_read_give_the_same(name):
    """As those of a mapped file, or of `tifffile.memmap(path, mode="r")`."""
    usual = valid(name)
    mapped = {option: read_only(value) for option, value in usual.items()}
    found, expected = FUNCTIONS[name](**mapped), FUNCTIONS[name](**usual)
    with np.printoptions(threshold=sys.maxsize, floatmode="unique"):  # all, to the bit
        assert inspect.isfunction(found) or repr(found) == repr(expected)
