"""Pipelines to begin with, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segkit.explorer.registry import new_step
from segkit.pipeline.steps import Step, written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from segkit.explorer.parameters import Facts


def _threshold(facts: Facts) -> list[Step]:
    return [
        written("gaussian", sigma=1.0),
        written("binarize", method=facts.method),
        written("label"),
        written("remove_small_objects", min_size=64),
    ]


def _local(facts: Facts) -> list[Step]:
    return [new_step("ndnt", facts), *_threshold(facts)[2:]]


def _random_walker(facts: Facts) -> list[Step]:
    return [new_step("random_walker", facts)]


def _watershed(facts: Facts) -> list[Step]:
    return [written("gaussian", sigma=1.0), new_step("watershed", facts)]


def _nuclei(_: Facts) -> list[Step]:
    return [written("segment_nuclei")]


def _cells(_: Facts) -> list[Step]:
    return [written("segment_cells")]


PRESETS: Mapping[str, Callable[[Facts], list[Step]]] = {
    "threshold": _threshold,
    "local": _local,
    "nuclei": _nuclei,
    "cells": _cells,
    "random_walker": _random_walker,
    "watershed": _watershed,
}
"""The first is taken if no pipeline is given."""
