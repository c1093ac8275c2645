"""The topics of the examples, in the order in which galleries show them."""

import inspect
from importlib.util import find_spec

from examples import (
    distances,
    exposure,
    files,
    filters,
    measurements,
    methods,
    morphology,
    objects,
    partitions,
    pictures,
    reach,
    ridges,
    scores,
    seams,
    selection,
    thresholds,
    tiles,
)

TOPICS = (
    filters,
    ridges,
    exposure,
    morphology,
    thresholds,
    objects,
    selection,
    measurements,
    methods,
    tiles,
    seams,
    reach,
    files,
    pictures,
    scores,
    partitions,
    distances,
)


def examples_of(topic):
    """Return the functions of a topic that are shown, in their order."""
    return [
        thing
        for name, thing in vars(topic).items()
        if inspect.isfunction(thing)
        and thing.__module__ == topic.__name__
        and not name.startswith("_")
    ]


def missing_for(function):
    """Return the libraries that an example needs and that are not installed."""
    return [name for name in getattr(function, "needs", ()) if find_spec(name) is None]


def title_of(topic):
    """Return the headline of a topic."""
    return topic.__name__.rpartition(".")[2].capitalize()
