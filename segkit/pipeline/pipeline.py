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

import inspect
import reprlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segkit.names import known_as
from segkit.pipeline.steps import (
    SIGNATURES,
    PipelineError,
    Step,
    step_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from segkit.io import Image
    from segkit.pipeline.in_memory import Result
    from segkit.pipeline.plan import ImageSpec, Stage


@known_as("segkit")
class Pipeline:
    """Steps in their order, checked when it is made.

    Parameters
    ----------
    *steps : Step, Pipeline or callable
        A pipeline stands for its steps, a bare function for a step without arguments.

    Raises
    ------
    PipelineError
        If a step is not one, its arguments do not fit its function, or it bounds a
        property that no step measures.

    Examples
    --------
    >>> from segkit.pipeline import label, ndnt, save
    >>> Pipeline(ndnt(shape=16), label(), save("labels.tif"))
    Pipeline(ndnt(shape=16), label(), save('labels.tif'))
    >>> Pipeline(ndnt(thresshold=0.3))
    Traceback (most recent call last):
    segkit.pipeline.PipelineError: step 1 (ndnt): got an unexpected keyword argument
    'thresshold'; it takes shape, threshold, ...
    """

    def __init__(self, *steps: Step | Pipeline | Callable[..., Any]) -> None:
        from segkit.pipeline.step_checks import require_properties

        self.steps: tuple[Step, ...] = tuple(
            _checked(number, step) for number, step in enumerate(_flat(steps), start=1)
        )
        require_properties(self.steps)

    def __repr__(self) -> str:
        return f"Pipeline({', '.join(map(_written, self.steps))})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pipeline) and self.steps == other.steps

    def __hash__(self) -> int:
        return hash(repr(self))

    def plan(
        self,
        image: ImageSpec | NDArray[Any] | Image,
        *,
        tile: int | Sequence[int] | None = None,
    ) -> list[Stage]:
        """Return the stages in which the steps run over an image.

        Raises
        ------
        PipelineError
            If a step lacks what it works on, such as `classify` without a table.
        """
        from segkit.pipeline.plan import ImageSpec, plan

        spec = image if isinstance(image, ImageSpec) else ImageSpec.of(image)
        return plan(self.steps, spec, tile=tile)

    def run(
        self,
        image: NDArray[Any] | Image | str | Path | None = None,
        *,
        out: str | Path = ".",
        tile: int | Sequence[int] | None = None,
        workers: int = 1,
        processes: bool = False,
        overwrite: bool = False,
    ) -> Result:
        """Run the steps over one image and return what they made.

        Parameters
        ----------
        image : ndarray, Image or path
            What to work on; None takes the path that `load` names.
        out : path
            Folder for the files that `save` names by relative paths.
        tile : int or sequence of int, optional
            Tiles for a pipeline that names none.
        workers : int
            Threads (or processes) that work on tiles.
        processes : bool
            Run tiled array functions in processes, for functions that hold the
            interpreter's lock; a script then needs ``if __name__ == "__main__":``.
        overwrite : bool
            Replace files that exist.

        Returns
        -------
        Result
            The last array, the labels, the table, and the files that were saved.
        """
        from segkit.pipeline.in_memory import run

        return run(
            self,
            image,
            out=Path(out),
            tile=tile,
            workers=workers,
            processes=processes,
            overwrite=overwrite,
        )

    def save(self, path: str | Path) -> Path:
        """Save the steps as readable text, ``.toml`` or ``.json``.

        Raises
        ------
        PipelineError
            If a step holds what has no name, such as a lambda; it is named.
        """
        from segkit.pipeline.file import write_pipeline

        return write_pipeline(Path(path), self.steps)

    @classmethod
    def load(cls, path: str | Path) -> Pipeline:
        """Return the pipeline of a file that `save` or a person wrote.

        The functions it names are imported: load only what you would run.

        Raises
        ------
        PipelineError
            If the file is no pipeline, or a step in it is wrong; it is named.
        """
        from segkit.pipeline.file import read_steps

        steps = read_steps(Path(path))
        try:
            return cls(*steps)
        except PipelineError as error:
            raise PipelineError(f"{path}: {error}") from error


def _flat(steps: Sequence[Any]) -> Iterator[Step]:
    for number, step in enumerate(steps, start=1):
        if isinstance(step, Step):
            yield step
        elif isinstance(step, Pipeline):
            yield from step.steps
        elif callable(step):
            yield step_of(step)
        else:
            raise PipelineError(
                f"step {number} is {reprlib.repr(step)}, neither a step nor a function"
                " (segkit.pipeline has the functions of segkit as steps)"
            )


def _written(step: Step) -> str:
    parts = [repr(value) for value in step.arguments]
    parts += [f"{name}={value!r}" for name, value in step.options]
    return f"{step.function.rpartition(':')[2]}({', '.join(parts)})"


def _checked(number: int, step: Step) -> Step:
    """Return a step whose arguments fit its function, special ones as we write them."""
    _require_arguments(number, step)
    if not step.special:
        return step
    from segkit.pipeline.step_checks import require_options

    # A file may give by keyword what the functions take by position, or the reverse.
    written: Step = SIGNATURES[step.function](*step.arguments, **step.keywords)
    try:
        require_options(written)
    except (TypeError, ValueError) as error:
        raise PipelineError(f"step {number} ({step.function}): {error}") from error
    return replace(written, reach=step.reach)


def _require_arguments(number: int, step: Step) -> None:
    """Raise unless the arguments fit the function's signature."""
    if step.special:
        function: Callable[..., Any] = SIGNATURES[step.function]
        data: tuple[Any, ...] = ()
    else:
        try:
            function = step.resolve()
        except PipelineError as error:
            raise PipelineError(f"step {number}: {error}") from error
        data = (None,)
        if ":" not in step.function:
            _require_image_function(number, step, function)
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):  # a compiled function without a signature
        return
    try:
        bound = signature.bind(*data, *step.arguments, **step.keywords)
    except TypeError as error:
        takes = ", ".join(list(signature.parameters)[len(data) :]) or "no options"
        raise PipelineError(
            f"step {number} ({step.function}): {error}; it takes {takes}"
        ) from error
    if ":" not in step.function:  # what others write on their functions is theirs
        _require_values(number, step, function, bound, len(data))


def _require_image_function(
    number: int, step: Step, function: Callable[..., Any]
) -> None:
    """Raise unless a function of segkit says that it returns an array."""
    returns = str(inspect.signature(function).return_annotation)
    is_picture = returns == "NDArray[np.uint8]"
    if is_picture or not returns.startswith(("Array", "Mask", "NDArray")):
        advice = {
            "threshold": "; binarize() makes the mask",
            "multi_otsu": "; binarize() makes a mask",
            "try_all": "; it is for looking at, then binarize(method=...)",
        }
        raise PipelineError(
            f"step {number} ({step.function}): makes no image of an image (it returns"
            f" {returns}), so it is no step{advice.get(step.function, '')}"
        )


def _require_values(
    number: int,
    step: Step,
    function: Callable[..., Any],
    bound: inspect.BoundArguments,
    first: int,
) -> None:
    """Raise if an argument is plainly wrong, before an image is even opened."""
    from segkit.pipeline.argument_kinds import require_kinds
    from segkit.windows.rule import fraction_of

    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    given = {
        name: value
        for name, value in list(bound.arguments.items())[first:]
        if bound.signature.parameters[name].kind not in several
    }
    try:
        require_kinds(function, given)
        if step.function == "ndnt":
            fraction_of(given.get("threshold", 0.25), given.get("percent"))
    except (TypeError, ValueError) as error:
        raise PipelineError(f"step {number} ({step.function}): {error}") from error
