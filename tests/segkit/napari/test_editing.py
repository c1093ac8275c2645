"""Steps as controls set them, and what they make of a layer."""

from __future__ import annotations

import numpy as np
import pytest

from segkit.explorer.parameters import Facts, named, parameters_of
from segkit.explorer.presets import PRESETS
from segkit.explorer.registry import new_step
from segkit.io import as_image
from segkit.napari.editing import (
    control_of,
    facts_of,
    moved,
    offered,
    run_on,
    value_of,
    with_value,
)
from segkit.pipeline import Pipeline, PipelineError
from segkit.pipeline.steps import Step, written

FACTS = Facts((64, 64), 0.0, 255.0)
BLOBS = np.zeros((64, 64), np.uint8)
BLOBS[5:25, 5:25], BLOBS[35:60, 35:60] = 200, 180


@pytest.mark.parametrize("name", offered())
def test_each_parameter_of_each_step_has_a_control_that_sets_it(name: str) -> None:
    step = named(new_step(name, FACTS))
    for parameter in parameters_of(step, FACTS):
        value = value_of(step, parameter)
        control = control_of(parameter, value)
        low, high = (control.options.get(k) for k in ("min", "max"))
        if low is not None:
            assert low <= control.options["value"] <= high
        changed = with_value(step, parameter, control.options["value"])
        again = value_of(changed, parameter)
        kind = bool if parameter.kind == "switch" else (lambda one: one)
        assert kind(again) == kind(value)
        Pipeline(changed)


def test_text_is_read_as_numbers_or_refused() -> None:
    step = named(written("gaussian", sigma=1.0))
    (sigma,) = parameters_of(step, FACTS)
    assert with_value(step, sigma, "(1, 2.5)").keywords == {"sigma": (1, 2.5)}
    with pytest.raises(ValueError, match=r"sigma: .*__import__.* is no number"):
        with_value(step, sigma, "__import__('os')")


def test_seeds_are_set_one_by_one_and_taken_away() -> None:
    step = new_step("watershed", FACTS)
    below, above = parameters_of(step, FACTS)[:2]
    step = with_value(with_value(step, below, 11.0), above, "")
    assert step.keywords["markers"] == {"below": 11.0}


def test_a_step_at_the_end_stays_there() -> None:
    steps = [Step("a"), Step("b")]
    assert moved(steps, 1, 1) == steps
    assert moved(steps, 0, -1) == steps


@pytest.mark.parametrize("name", sorted({*PRESETS} - {"cells"}))
def test_a_layer_gets_what_the_pipeline_makes_of_the_image(name: str) -> None:
    steps = PRESETS[name](facts_of(BLOBS, {}))
    [(array, options, kind)] = run_on(BLOBS, {"scale": (1, 1)}, steps)
    result = Pipeline(*steps).run(BLOBS)
    made = result.array if result.labels is None else result.labels
    assert kind == "labels"
    assert options["scale"] == (1, 1)
    np.testing.assert_array_equal(array, made)


def test_the_table_is_that_of_the_labels_in_units() -> None:
    steps = [written("binarize"), written("label"), written("regionprops")]
    options = {"scale": (0.5, 0.5), "units": ("um", "um")}
    [(_, made, _)] = run_on(BLOBS, options, steps)
    features = made["features"]
    np.testing.assert_array_equal(features["index"], [1, 2])
    np.testing.assert_allclose(features["area"], [100.0, 156.25])


def test_a_lazy_layer_runs_and_saving_steps_do_not(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    steps = [written("binarize"), written("label"), Step("save", ("labels.tif",))]
    [(labels, _, kind)] = run_on(as_image(BLOBS), {}, steps)
    assert kind == "labels"
    assert labels.max() == 2
    assert list(tmp_path.iterdir()) == []


def test_a_mask_is_a_layer_of_labels_and_grey_values_an_image() -> None:
    [(mask, options, kind)] = run_on(BLOBS, {}, [written("binarize")])
    assert (kind, options["name"], mask.dtype) == ("labels", "mask", np.uint8)
    [(_, _, kind)] = run_on(BLOBS, {}, [written("gaussian", sigma=1.0)])
    assert kind == "image"


def test_a_colour_picture_runs_as_its_grey_values() -> None:
    picture = np.stack([BLOBS] * 3, axis=-1)
    options = {"rgb": True, "scale": (2.0, 2.0)}
    [(labels, made, _)] = run_on(picture, options, [written("binarize"), Step("label")])
    assert (labels.shape, made["scale"]) == ((64, 64), (2.0, 2.0))


def test_a_step_that_fails_is_named() -> None:
    with pytest.raises(PipelineError, match="keep_largest"):
        run_on(BLOBS, {}, [Step("keep_largest", (), (("number", "x"),))])
