"""Who types a name of another library, or of a step, is told what it is called here."""

import importlib
import subprocess
import sys

import numpy as np
import pytest

import segkit
from segkit import pipeline
from segkit.other_names import HINTS, PARTS, STEPS, step_for

LIBRARIES = [
    "scipy.ndimage",
    *(f"skimage.{part}" for part in ("color", "feature", "filters", "io", "measure")),
    *(f"skimage.{part}" for part in ("metrics", "morphology", "restoration")),
    "skimage.util",
    "skimage.segmentation",
]


def ours(name):
    return HINTS[name].partition("(")[0]


@pytest.mark.parametrize("name", sorted(HINTS))
def test_a_name_of_another_library_is_answered_by_one_of_ours(name):
    with pytest.raises(
        AttributeError, match=rf"attribute {name}; write segkit.{ours(name)}\("
    ):
        getattr(segkit, name)
    assert callable(getattr(segkit, ours(name)))


@pytest.mark.parametrize("name", sorted(HINTS))
def test_each_name_is_one_of_a_library_or_of_a_step(name):
    steps = set(pipeline.__all__) - set(segkit.__all__)
    assert name in steps or any(
        hasattr(importlib.import_module(library), name) for library in LIBRARIES
    )


def test_every_step_without_a_function_of_its_name_has_a_hint():
    steps = {name for name in pipeline.__all__ if name.islower()} - set(segkit.__all__)
    assert steps <= set(HINTS)


def test_the_arguments_in_hints_are_those_that_our_functions_take():
    image = segkit.gaussian(np.random.default_rng(0).random((30, 30)), 1)
    mask = image > segkit.threshold(image, "otsu")
    labels = segkit.label(mask)
    names = {name: getattr(segkit, name) for name in segkit.__all__}
    names |= {"image": image, "mask": mask, "labels": labels, "intensity": image}
    names |= {"segmentation": labels, "reference": labels, "markers": labels}
    names |= {"radius": 1, "ndim": 2, "sigma": 1, "low": 0.2, "high": 0.6, "h": 0.1}
    names |= {"classes": 3, "shape": 5, "sigmas": [1, 2], "percent": 9}
    for name, hint in HINTS.items():
        if ours(name) not in ("save", "open_image", "tiles"):
            eval(hint.partition(", whose")[0], names)
    assert segkit.tiles((9, 9), tile=5)


def test_parts_of_other_libraries_are_answered():
    program = f"""
import segkit
for name in {sorted(PARTS)}:
    try:
        getattr(segkit, name)
    except AttributeError as error:
        print(error)
"""
    said = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert said.count("; all functions are names of segkit itself") == len(PARTS)


@pytest.mark.parametrize("name", sorted({*HINTS, *STEPS}))
def test_a_step_is_answered_by_a_step(name):
    step = step_for(name)
    if not step:
        assert STEPS[ours(name) if name in HINTS else name] == ""
        return
    assert callable(getattr(pipeline, step))
    if name not in segkit.__all__ and name not in pipeline.__all__:
        with pytest.raises(AttributeError, match=rf"{name}'; write {step}\(\)"):
            getattr(pipeline, name)


def test_a_pipeline_file_is_answered_too(tmp_path):
    path = tmp_path / "steps.toml"
    for name, words in (
        ("gaussian_filter", r"'gaussian_filter' \(here it is gaussian\)"),
        ("region_properties", r"regionprops\(\) makes the table"),
    ):
        path.write_text(f'format = 1\n[[step]]\nrun = "{name}"\n')
        with pytest.raises(pipeline.PipelineError, match=words):
            pipeline.Pipeline.load(path)


def test_a_misspelt_name_is_answered_by_the_nearest():
    with pytest.raises(AttributeError, match=r"nucleus \(did you mean segment_nuclei"):
        _ = segkit.segment_nucleus


def test_other_names_are_what_they_were():
    with pytest.raises(AttributeError, match=r"No segkit attribute nothing$"):
        _ = segkit.nothing
    assert not hasattr(segkit, "__wrapped__")
