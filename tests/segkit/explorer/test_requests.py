"""What pages ask for, and what can be set of each step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from segkit.explorer.parameters import Facts, named, parameters_of
from segkit.explorer.presets import PRESETS
from segkit.explorer.registry import addable, new_step
from segkit.explorer.requests import Entry, as_plain, read_entries, read_request
from segkit.explorer.scaling import scaled
from segkit.pipeline import Pipeline, florinate
from segkit.pipeline.step_checks import checked
from segkit.pipeline.steps import PipelineError, step_of

FACTS = Facts((120, 150), 3.0, 240.0)
NAMES = [one["name"] for one in addable()]


@pytest.mark.parametrize("name", NAMES)
def test_a_step_that_is_added_can_run_and_each_slider_has_a_range(name):
    step = checked(1, new_step(name, FACTS))
    assert checked(1, named(step))
    for parameter in parameters_of(named(step), FACTS):
        if parameter.kind in ("number", "integer"):
            unbound = parameter.low == parameter.high == 0
            assert parameter.low < parameter.high or unbound, parameter
            assert not parameter.log or parameter.low > 0
        if parameter.kind == "choice":
            assert len(parameter.choices) > 1


@pytest.mark.parametrize("name", NAMES)
def test_a_step_comes_back_from_a_page_as_it_went(name):
    entries = (Entry(named(new_step(name, FACTS)), on=False),)
    assert read_entries(as_plain(entries), {}) == entries


@pytest.mark.parametrize("name", NAMES)
def test_a_step_fits_a_coarser_level_too(name):
    assert checked(1, scaled(named(new_step(name, FACTS)), (4.0, 4.0), (0.0, 8.0)))


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_a_pipeline(name):
    assert Pipeline(*PRESETS[name](FACTS)).steps


def test_choices_of_a_threshold_are_its_methods():
    found = {p.name: p for p in parameters_of(new_step("binarize", FACTS), FACTS)}
    assert "otsu" in found["method"].choices
    assert found["polarity"].choices == ("dark", "bright")


def test_grey_values_range_over_those_of_the_image():
    found = parameters_of(new_step("hysteresis", FACTS), FACTS)
    assert [(p.name, p.low, p.high, p.grey) for p in found] == [
        ("low", 3.0, 240.0, True),
        ("high", 3.0, 240.0, True),
    ]


def test_facts_of_an_image_without_a_finite_value_make_ranges_still():
    facts = Facts.of((2, 2), np.full((2, 2), np.nan))
    assert facts.low < facts.high
    assert Facts.of((2,), np.array([7, 7])).high > 7


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["steps", "view", "until", "coarse", "run", "with", "want"])
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(plain)
def test_whatever_a_page_sends_is_a_request_or_refused(asked):
    try:
        request = read_request(asked, (20, 30), {})
    except PipelineError:
        return
    for (a, b), length in zip(request.view, (20, 30), strict=True):
        assert 0 <= a < b <= length
    assert request.coarse >= 0


@pytest.mark.parametrize(
    "step",
    [
        {"run": "os:system", "arguments": ["true"]},
        {"run": "save", "arguments": ["/etc/x.tif"], "with": {"overwrite": True}},
        {"run": 3},
        "gaussian",
    ],
)
def test_a_page_cannot_run_what_a_file_of_a_stranger_could_not(step):
    with pytest.raises(PipelineError):
        read_entries([step], {})


def test_a_function_of_the_caller_runs_and_no_other():
    step = florinate(lambda image: image * 2)()
    own = {step.function: step}
    plain = as_plain([Entry(step)])
    assert read_entries(plain, own)[0].step.bound is step.bound
    with pytest.raises(PipelineError):
        read_entries(plain, {})
    assert step_of(np.negative).function != step.function
