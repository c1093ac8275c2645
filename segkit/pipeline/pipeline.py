"""A pipeline: steps in their order, checked, and what can be done with them."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, overload

from segkit.names import known_as
from segkit.pipeline.special_steps import load
from segkit.pipeline.stage_work import load_step
from segkit.pipeline.step_checks import checked, require_properties
from segkit.pipeline.steps import BesideLoad, PipelineError, Step, numbered, step_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from segkit.io import Image
    from segkit.pipeline.result import Result
    from segkit.pipeline.spacings import ImageSpec
    from segkit.pipeline.stages import Stage

    OneImage: TypeAlias = NDArray[Any] | Image | str | Path
    AnImage = TypeVar("AnImage", bound=OneImage)


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
    'thresshold' (did you mean threshold?); it takes shape, threshold, ...
    """

    def __init__(self, *steps: Step | Pipeline | Callable[..., Any]) -> None:
        self.steps: tuple[Step, ...] = _checked(tuple(_flat(steps)))

    def __repr__(self) -> str:
        return f"Pipeline({', '.join(step.written for step in self.steps)})"

    def _repr_html_(self) -> str:
        from segkit.notebook.markup import table

        written = [step.written for step in self.steps]
        numbers = [number for number, _ in numbered(self.steps)]
        return table({"step": numbers, "call": written}, 99)

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
        """Return the stages in which the steps run over an image, or one frame of it.

        Raises
        ------
        PipelineError
            If a step lacks what it works on, such as `classify` without a table.
        """
        from segkit.io import Image
        from segkit.pipeline.parts.taken_image import per_of, taken_by
        from segkit.pipeline.plan import plan
        from segkit.pipeline.spacings import ImageSpec

        said = any(step.channel is not None for step in self.steps)
        if isinstance(image, Image) and (per_of(self.steps) or said):
            image = taken_by(self.steps, image)
        spec = image if isinstance(image, ImageSpec) else ImageSpec.of(image)
        return plan(self.steps, spec, tile=tile)

    @overload
    def run(
        self,
        image: OneImage | None = None,
        *,
        out: str | Path = ".",
        tile: int | Sequence[int] | None = None,
        workers: int | None = None,
        processes: bool = False,
        overwrite: bool = False,
    ) -> Result: ...

    @overload
    def run(
        self,
        image: list[AnImage] | tuple[AnImage, ...] | Iterator[AnImage],
        *,
        out: str | Path = ".",
        tile: int | Sequence[int] | None = None,
        workers: int | None = None,
        processes: bool = False,
        overwrite: bool = False,
    ) -> list[Result]: ...

    def run(
        self,
        image: OneImage | list[Any] | tuple[Any, ...] | Iterator[Any] | None = None,
        *,
        out: str | Path = ".",
        tile: int | Sequence[int] | None = None,
        workers: int | None = None,
        processes: bool = False,
        overwrite: bool = False,
    ) -> Result | list[Result]:
        """Run the steps over an image, or several, and return what they made.

        Parameters
        ----------
        image : ndarray, Image or path, or a list of them
            What to work on; None takes the path that `load` names. Of several, each is
            worked on by itself, one after the other, with bounds of lengths in the unit
            of the first that states one; the paths of `save` then need a ``{name}``,
            which is the name of the image.
        out : path
            Folder for the files that `save` names by relative paths.
        tile : int or sequence of int, optional
            Tiles for a pipeline that names none.
        workers : int, optional
            Threads (or processes) that work on tiles, of which an image without tiles
            is cut into as many. By default functions of segkit use this process's share
            of the processors (`segkit.tiling.threads`), and those of others, which may
            not be safe in threads, one thread.
        processes : bool
            Run tiled array functions in processes, for functions that hold the
            interpreter's lock; a script then needs ``if __name__ == "__main__":``.
        overwrite : bool
            Replace files that exist.

        Returns
        -------
        Result or list of Result
            The last array, the labels, the table, and the files that were saved; one
            for each image of a list, in its order.
        """
        from segkit.pipeline.in_memory import run
        from segkit.pipeline.several_images import run_each

        run_one = partial(
            run,
            self.steps,
            out=Path(out),
            tile=tile,
            workers=workers,
            processes=processes,
            overwrite=overwrite,
        )
        if isinstance(image, (list, tuple, Iterator)):
            return run_each(
                self.steps,
                list(image),
                out=Path(out),
                overwrite=overwrite,
                run_one=run_one,
            )
        return run_one(image)

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
    def load(cls, path: str | Path, *, trust: bool = False) -> Pipeline:
        """Return the pipeline of a file that `save` or a person wrote.

        Parameters
        ----------
        path : path
            A ``.toml`` or ``.json`` file.
        trust : bool
            Whether its steps may be any functions (``package.module:name``, which are
            imported and run) and may replace files anywhere. A file that came from
            somebody else should be read first.

        Raises
        ------
        PipelineError
            If the file is no pipeline, a step in it is wrong, or does what only a
            trusted one may; it is named.
        """
        from segkit.pipeline.file import line_of, read_steps

        steps = read_steps(Path(path), trust=trust)
        try:
            return _of(steps)
        except PipelineError as error:
            where = f"{path}{line_of(Path(path), str(error))}"
            raise PipelineError(f"{where}: {error}") from error


def loading(pipeline: Pipeline, options: Mapping[str, Any]) -> Pipeline:
    """Return a pipeline whose image is opened with more options.

    Examples
    --------
    >>> from segkit.pipeline import label
    >>> loading(Pipeline(label()), {"axes": "zyx"})
    Pipeline(load(axes='zyx'), label())
    """
    steps = pipeline.steps
    first = load_step(steps)
    if first is None:
        return _of(BesideLoad([load(**options), *steps]))
    own = load(*first.arguments, **{**first.keywords, **options})
    return _of(type(steps)([own, *steps[1:]]))


def _of(steps: tuple[Step, ...]) -> Pipeline:
    """Return the pipeline of steps, which are counted as they are given."""
    pipeline = Pipeline()
    pipeline.steps = _checked(steps)
    return pipeline


def _checked(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return steps, counted as they are given, once their arguments fit."""
    found = type(steps)(checked(number, step) for number, step in numbered(steps))
    require_properties(found)
    return found


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
