"""Calls and results of every kind that keys and stores hold: kept in `store.zip`."""

import dataclasses
import datetime
import enum
import functools
import operator
import pathlib
from collections import OrderedDict, defaultdict, deque, namedtuple

import numpy as np

import segkit
import segkit.io
from segkit.pipeline import (
    Pipeline,
    binary_opening,
    classify,
    label,
    ndnt,
    reconstruct,
    regionprops,
    remove_small_objects,
)
from segkit.workflows import pipeline_tasks
from taskgraph import (
    Task,
    TaskGenerator,
    UsageError,
    iteratetask,
    return_tuple,
)

IMAGE = np.full((24, 40), 200, np.uint8)
IMAGE[3:11, 4:12] = IMAGE[5:9, 18:30] = IMAGE[14:20, 6:34] = 60
IMAGE[22, 38] = 60
LABELS = (IMAGE < 100).astype(np.int32)


@dataclasses.dataclass(frozen=True)
class Window:
    """An argument of the script's own."""

    box: segkit.Box
    weights: tuple[float, ...]


class Kind(enum.Flag):
    ROUND = 1
    LONG = 2


class Settings:
    """An object of a class of the script's own."""

    def __init__(self, window, **more):
        self.window = window
        vars(self).update(more)


class Lengths(np.ndarray):
    """An array that carries a unit."""


Row = namedtuple("Row", "name area")


@TaskGenerator
def echo(value):
    return value


@TaskGenerator(name="golden.count", version=3, ignore=("threads",))
def count(values, threads=1):
    return len(values)


@return_tuple(2)
@TaskGenerator
def halves(number):
    return number // 2, number - number // 2


def whole(shape):
    return segkit.Box((0,) * len(shape), shape)


# Arguments: plain ones, classes and functions of ours, views of results.
echo([1, 2.5, "three", None, b"four", {"five": {6, 7}}, (1, 2, 3j)])
echo(Window(whole((3, 4)), (0.5, 1.0)))
echo([segkit.tiles((8, 8), 4, halo=1), segkit.Box, segkit.gaussian, UsageError])
echo(functools.partial(segkit.median, radius=2))
echo(segkit.bounds_classifier("cell", area=(10, None)))
echo(Settings(Window(whole((2, 2)), (1.0,)), unit="um", parts=[Row("a", 1.5)]))
echo([Kind.ROUND | Kind.LONG, Kind(0), pathlib.PurePosixPath("a", "b"), range(2, 9, 3)])
echo([datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC), datetime.timedelta(1, 2)])
echo([OrderedDict(b=1, a=2), defaultdict(list, a=[1]), deque([1], 3), slice(1, None)])
echo([np.array(["a", None, 2, 2.5, 2**70], object), np.ma.array([1, 2], mask=[0, 1])])
echo([np.array([np.nan, -0.0]), np.zeros(2, "i2,f4"), np.dtype("M8[s]"), np.add])
lengths = np.arange(3.0).view(Lengths)
lengths.unit = "nm"
echo([lengths.unit, operator.itemgetter(1), str.upper, dict.fromkeys])
count(lengths)
count([1, 2, 3], threads=8)
small, large = halves(7)
first, second = iteratetask(Task(divmod, large, 3), 2)
Task(operator.add, small, second)
count(iteratetask(echo((4, 5, 6)), 3))

# Functions of ours as tasks, and what they return.
left, right = segkit.tiles(IMAGE.shape, (24, 20))
labelled = [  # labels, summary
    Task(segkit.label_tile, LABELS[part.write.slices], part, IMAGE.shape)
    for part in (left, right)
]
Task(segkit.find_seam, labelled[0][1], labelled[1][1])
Task(segkit.merge_tiles, [one[1] for one in labelled])
Task(segkit.measure_tile, labelled[0][0], left, IMAGE.shape)
objects = Task(segkit.label, LABELS)
table = Task(segkit.contingency, objects, LABELS)
Task(segkit.match_objects, table)
Task(segkit.object_counts, table)
Task(segkit.pair_counts, table)
Task(segkit.adapted_rand_error, table)
Task(segkit.variation_of_information, table)
Task(segkit.object_distances, objects, LABELS)
Task(segkit.label_runs, objects, LABELS)
instances = [
    Task(segkit.instance_tile, LABELS[part.read.slices], part, IMAGE.shape)
    for part in segkit.tiles(IMAGE.shape, (24, 20), halo=4)
]
Task(segkit.compare_tiles, instances[0][1], instances[1][1])
Task(segkit.merge_instance_tiles, [one[1] for one in instances])
Task(segkit.try_all, IMAGE)
Task(segkit.grey_picture, IMAGE)
Task(segkit.io.as_image, IMAGE, spacing=(2.0, 0.5))

# A pipeline.
STEPS = Pipeline(
    ndnt(shape=(16, 16), threshold=0.3),
    binary_opening(),
    label(),
    remove_small_objects(3),
    regionprops(properties=["label", "count", "area", "bbox"]),
    classify(
        segkit.bounds_classifier("small", area=(1, 60)),
        segkit.bounds_classifier("large"),
    ),
    reconstruct(),
)
echo(STEPS.steps)
outputs = pipeline_tasks(STEPS, IMAGE, tile=(8, 8), block=512)
count(outputs.table)
