"""`segkit.pipeline` shows every step: it lists what `Pipeline` takes, and no more."""

import inspect
import subprocess
import sys
from contextlib import suppress

import pytest

import segkit
import segkit.pipeline
from segkit.pipeline import Pipeline, PipelineError, Step
from segkit.pipeline.contents import require_image_function
from segkit.pipeline.special_steps import SPECIAL

NO_STEPS = {"Pipeline", "PipelineError", "Step", "bounds_classifier", "florinate"}


def functions_taken():
    """Return the names of the functions of segkit that `Pipeline` takes as steps."""
    taken = set()
    for name in segkit.__all__:
        function = getattr(segkit, name)
        if inspect.isfunction(function):
            with suppress(TypeError):
                require_image_function(name, function)
                taken.add(name)
    return taken


def test_every_function_that_a_pipeline_takes_is_a_public_step():
    steps = functions_taken() | set(SPECIAL)
    lacking = steps - set(segkit.pipeline.__all__)
    assert not lacking, "name them in pipeline/__init__.pyi and pipeline/array_steps.py"
    assert set(segkit.pipeline.__all__) == steps | NO_STEPS
    assert set(dir(segkit.pipeline)) >= steps | NO_STEPS


def test_all_steps_are_imported_by_a_star():
    names = {}
    exec("from segkit.pipeline import *", names)
    for name in functions_taken() - set(SPECIAL):
        assert names[name]() == Step(name)
        assert names[name] is getattr(segkit.pipeline, name)
    for name in SPECIAL:
        assert names[name].__name__ == name


@pytest.mark.parametrize("name", ["footprint", "join"])
def test_functions_that_take_no_image_are_no_steps(name):
    with pytest.raises(PipelineError, match=r"makes no image of an image \(it takes"):
        Pipeline(getattr(segkit.pipeline, name)(3))


@pytest.mark.parametrize("name", ["Image", "IOU_THRESHOLDS", "nothing", "_step"])
def test_what_is_no_function_is_no_step(name):
    with pytest.raises(AttributeError, match=name):
        getattr(segkit.pipeline, name)


def test_making_a_pipeline_imports_no_array_library_but_numpy():
    script = (
        "import sys, segkit.pipeline\nassert 'numpy' not in sys.modules\n"
        "from segkit.pipeline import Pipeline, label, ndnt, regionprops\n"
        "Pipeline(ndnt(shape=8), label(), regionprops())\nprint(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    heavy = {"numba", "llvmlite", "scipy", "skimage", "mahotas", "zarr", "tifffile"}
    assert not set(done.stdout.split()) & heavy
