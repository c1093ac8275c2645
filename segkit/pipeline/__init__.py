"""Pipelines as data: steps that are written down first and run later.

A step is the name of a function with its arguments, all but the data; a pipeline is a
list of steps. It can be compared, saved, loaded, planned for an image of a given
shape, and run. Running it over an image by box gives exactly what running it over the
whole image gives: the plan knows how far each step reaches (`segkit.pipeline.plan`).

>>> import numpy as np
>>> from segkit.pipeline import Pipeline, label, ndnt, regionprops, remove_small_objects
>>> image = np.full((40, 40), 200, np.uint8)
>>> image[10:16, 10:20] = image[30:32, 30:31] = 50
>>> cells = Pipeline(
...     ndnt(shape=(16, 16), threshold=0.3),
...     label(),
...     remove_small_objects(20),
...     regionprops(properties=["label", "area"]),
... )
>>> cells.run(image).table["area"]
array([60.])

Every public function of segkit that makes an image of an image is a step under its own
name, and any other such function joins in: bare, or `florinate`d to take arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from segkit.measurement.classification import bounds_classifier
from segkit.pipeline.pipeline import Pipeline
from segkit.pipeline.steps import (
    PipelineError,
    Step,
    classify,
    clear_border,
    florinate,
    keep_largest,
    keep_within,
    label,
    load,
    reconstruct,
    regionprops,
    remove_small_objects,
    save,
    tile,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Pipeline",
    "PipelineError",
    "Step",
    "bounds_classifier",
    "classify",
    "clear_border",
    "florinate",
    "keep_largest",
    "keep_within",
    "label",
    "load",
    "reconstruct",
    "regionprops",
    "remove_small_objects",
    "save",
    "tile",
]


def __getattr__(name: str) -> Callable[..., Step]:
    """Return the deferred version of a public function of segkit."""
    import segkit

    if name.startswith("_") or name not in segkit.__all__:
        raise AttributeError(f"module 'segkit.pipeline' has no attribute {name!r}")
    found = getattr(segkit, name)
    if callable(found) and not isinstance(found, type):
        return florinate(found)
    raise AttributeError(f"segkit.{name} is not a function, so it is no step")
