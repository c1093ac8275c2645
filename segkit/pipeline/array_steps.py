"""The array functions of segkit as steps: each writes down a call of its namesake.

These are the functions that `Pipeline` takes by their names alone. Each is made when it
is asked for, so that a script imports no function which it does not name.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from segkit.names import known_as
from segkit.other_names import step_for
from segkit.pipeline.steps import Step, florinate

StepFunction: TypeAlias = Callable[..., Step]


adjust_gamma: StepFunction
adjust_log: StepFunction
adjust_sigmoid: StepFunction
binarize: StepFunction
binarize_local: StepFunction
binary_closing: StepFunction
binary_dilation: StepFunction
binary_erosion: StepFunction
binary_opening: StepFunction
black_tophat: StepFunction
blobs: StepFunction
canny: StepFunction
closing: StepFunction
convert: StepFunction
dilation: StepFunction
distance_transform: StepFunction
drop_ids: StepFunction
edges: StepFunction
equalize_adapthist: StepFunction
equalize_hist: StepFunction
erosion: StepFunction
expand_labels: StepFunction
fill_holes: StepFunction
find_boundaries: StepFunction
find_field_of_view: StepFunction
frangi: StepFunction
gaussian: StepFunction
h_maxima: StepFunction
hessian_eigenvalues: StepFunction
hysteresis: StepFunction
invert: StepFunction
join_segmentations: StepFunction
keep_ids: StepFunction
laplacian_of_gaussian: StepFunction
local_maxima: StepFunction
local_threshold: StepFunction
median: StepFunction
membrane_map: StepFunction
ndnt: StepFunction
opening: StepFunction
peaks: StepFunction
percentile: StepFunction
random_walker: StepFunction
relabel_tile: StepFunction
remove_small_holes: StepFunction
rescale_intensity: StepFunction
sato: StepFunction
segment_cells: StepFunction
segment_nuclei: StepFunction
segment_vessels: StepFunction
skeleton: StepFunction
slic: StepFunction
subtract_background: StepFunction
uniform: StepFunction
vessel_map: StepFunction
watershed: StepFunction
white_tophat: StepFunction


@functools.cache
def _step_function(name: str) -> StepFunction:
    """Return the function that writes down a call of a public function of segkit."""
    import segkit

    if name.startswith("_") or name not in segkit.__all__:
        why = f"module 'segkit.pipeline' has no attribute {name!r}"
        ours = step_for(name)
        raise AttributeError(f"{why}; write {ours}()" if ours else why)
    found = getattr(segkit, name)
    if callable(found) and not isinstance(found, type):
        return known_as("segkit.pipeline")(florinate(found))
    raise AttributeError(f"segkit.{name} is not a function, so it is no step")


if not TYPE_CHECKING:  # which knows the names above, and no others
    __getattr__ = _step_function
