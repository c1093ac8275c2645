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

from importlib import import_module

import lazy_loader as _lazy

_listed, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    """Return a public name, or a function of segkit as if it were a step.

    `Pipeline` refuses the latter, and says why it is none.
    """
    if name in __all__ or name.startswith("_"):
        return _listed(name)
    # Not `from segkit.pipeline import`: that asks this function for the module.
    return getattr(import_module("segkit.pipeline.array_steps"), name)
