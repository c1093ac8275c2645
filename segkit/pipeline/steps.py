"""Steps of a pipeline, written down as data, and the functions that write them."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Concatenate, Literal, ParamSpec, TypeAlias

from segkit.names import known_as
from segkit.other_names import nearest, step_for

P = ParamSpec("P")

Content: TypeAlias = Literal["grey", "mask", "labels"]
"""What the array holds that a step makes."""


@known_as("segkit.pipeline")
class PipelineError(ValueError):
    """A pipeline that cannot be run, saved or loaded; the message names the step."""


@known_as("segkit.pipeline")
@dataclass(frozen=True, slots=True)
class Step:
    """A call written down: a function and its arguments, all but the data.

    Attributes
    ----------
    function : str
        A public name of segkit, or ``'package.module:name'``.
    arguments : tuple
        What follows the data.
    options : tuple of (str, object)
        Arguments by keyword.
    reach : int or tuple of int, optional
        How far in voxels the result at a voxel depends on others, for a function that
        does not declare it itself; None if that is not known, which runs the step on
        the whole image.
    returns : {'grey', 'mask', 'labels'}, optional
        What a function that is none of segkit's returns; None if that is not known.
    bound : callable, optional
        The function itself, where no name leads to it; such a step runs, but cannot
        be saved.
    """

    function: str
    arguments: tuple[Any, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()
    reach: int | tuple[int, ...] | None = None
    returns: Content | None = None
    bound: Callable[..., Any] | None = field(default=None, compare=False, repr=False)

    @property
    def keywords(self) -> dict[str, Any]:
        """The options as keyword arguments."""
        return dict(self.options)

    @property
    def written(self) -> str:
        """The call as Python writes it, without a module."""
        parts = [repr(value) for value in self.arguments]
        parts += [f"{name}={value!r}" for name, value in self.options]
        return f"{self.function.rpartition(':')[2]}({', '.join(parts)})"

    def __taskgraph_brief__(self) -> str:
        """Return the call, for lists of tasks."""
        return self.written

    def resolve(self) -> Callable[..., Any]:
        """Return the function.

        Raises
        ------
        PipelineError
            If there is no such function.
        """
        if self.bound is not None:
            return self.bound
        module, _, name = self.function.rpartition(":")
        try:
            found: Any = importlib.import_module(module or "segkit")
            # Without a module a public name only: dots would lead to anything that
            # segkit imports.
            for part in name.split(".") if module else [name]:
                found = getattr(found, part)
        except (ImportError, AttributeError) as error:
            why = f": {error}" if module else _meant(name)
            way = (
                "install it, or give its folder as PYTHONPATH"
                if isinstance(error, ModuleNotFoundError)
                else "write a public name of segkit, or 'package.module:name'"
            )
            raise PipelineError(
                f"there is no function {self.function!r}{why}; {way}"
            ) from error
        if not callable(found):
            raise PipelineError(f"{self.function!r} is not a function")
        return found  # type: ignore[no-any-return]

    def __call__(self, data: Any) -> Any:
        """Run the step on data, as an array function."""
        return self.resolve()(data, *self.arguments, **self.keywords)

    @property
    def saves(self) -> bool:
        """Whether it writes a file; its first argument is the path."""
        return self.function in ("save", "save_overlay")

    @property
    def measures(self) -> bool:
        """Whether it looks at the image beside what the steps before it made."""
        return self.function in ("regionprops", "keep_within", "save_overlay")

    @property
    def channel(self) -> Any:
        """Which channel of the image it reads, by name or number; None if it says none.

        Several of one that measures. What `load` or a function of others is given as
        ``channel`` is its own.
        """
        return None if self._takes_channel() else self.keywords.get("channel")

    @property
    def bare(self) -> Step:
        """The step without the channel that it reads."""
        return self if self.channel is None else self.without("channel")

    def _takes_channel(self) -> bool:
        """Return whether its function has a parameter of that name."""
        foreign = ":" in self.function or self.bound is not None
        if not foreign or "channel" not in self.keywords:
            return self.function == "load"
        with suppress(ValueError, TypeError):  # a function without a signature
            return "channel" in inspect.signature(self.resolve()).parameters
        return True

    def without(self, name: str) -> Step:
        """Return the step without one of its options."""
        left = tuple(one for one in self.options if one[0] != name)
        return replace(self, options=left)

    def having(self, **options: Any) -> Step:
        """Return the step with options, which come in the place of its own."""
        return replace(self, options=tuple({**self.keywords, **options}.items()))


class BesideLoad(tuple[Step, ...]):
    """Steps of a file, the first a `load` that is said beside them.

    By ``per`` above them, or to the command that runs them: who counts the steps of the
    file does not count it.
    """

    __slots__ = ()


def numbered(steps: Iterable[Step]) -> Iterator[tuple[int, Step]]:
    """Yield steps with the numbers by which their writer knows them, mostly from 1.

    Examples
    --------
    >>> [number for number, _ in numbered([Step("load"), Step("label")])]
    [1, 2]
    >>> [number for number, _ in numbered(BesideLoad([Step("load"), Step("label")]))]
    [0, 1]
    """
    yield from enumerate(steps, start=0 if isinstance(steps, BesideLoad) else 1)


def place_name(number: int, step: Step) -> str:
    """Return a step as messages name it, by its number in `numbered`.

    Examples
    --------
    >>> place_name(2, Step("label")), place_name(0, Step("load"))
    ('step 2 (label)', 'load, beside the steps')
    """
    return f"step {number} ({step.function})" if number else "load, beside the steps"


def _known_steps() -> list[str]:
    import segkit.pipeline

    steps = [name for name in segkit.pipeline.__all__ if name.islower()]
    return [*segkit.__all__, *steps]


def _meant(name: str) -> str:
    """Return what a step is called here that another library calls so, or nearly so."""
    ours = step_for(name)
    return f" (here it is {ours})" if ours else nearest(name, _known_steps())


def written(function: str, arguments: Sequence[Any] = (), /, **options: Any) -> Step:
    """Return a step with the arguments of a call, as plain values.

    Examples
    --------
    >>> written("label", connectivity=2)
    Step(function='label', arguments=(), options=(('connectivity', 2),), reach=None,
         returns=None)
    """
    return Step(
        function,
        tuple(frozen(value) for value in arguments),
        tuple((name, frozen(value)) for name, value in options.items()),
    )


def frozen(value: Any) -> Any:
    """Return lists as tuples and numpy numbers as Python's, at any depth."""
    if isinstance(value, (list, tuple)):
        return tuple(frozen(part) for part in value)
    if isinstance(value, Mapping):
        return {str(name): frozen(part) for name, part in value.items()}
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return value.item()
    if isinstance(value, Path):
        return str(value)
    return value


@known_as("segkit")
def florinate(
    function: Callable[Concatenate[Any, P], Any],
    *,
    reach: int | tuple[int, ...] | None = None,
    returns: Content | None = None,
) -> Callable[P, Step]:
    """Return a deferred version of a function: calling it writes a step down.

    Parameters
    ----------
    function : callable
        Takes the data first. To be saved it must be importable by name.
    reach : int or tuple of int, optional
        How far the result at a voxel depends on others, in voxels, so that the step
        can run tile by tile; the function's own declaration by default. Without
        either it runs on the whole image.
    returns : {'grey', 'mask', 'labels'}, optional
        What the function returns. Labelled objects can then be measured and filtered;
        `label` would unite those that touch.

    Examples
    --------
    >>> import numpy as np
    >>> invert = florinate(np.subtract, reach=0)
    >>> invert(255)
    Step(function='numpy:subtract', arguments=(255,), options=(), reach=0,
         returns=None)
    """

    @functools.wraps(function, updated=())
    def deferred(*arguments: P.args, **options: P.kwargs) -> Step:
        step = step_of(function)
        call = written(step.function, arguments, **{**step.keywords, **options})
        return replace(call, reach=reach, returns=returns, bound=step.bound)

    return deferred


def step_of(function: Callable[..., Any]) -> Step:
    """Return the step of a bare function, by name where it has one."""
    options: dict[str, Any] = {}
    bare = function
    while isinstance(bare, functools.partial):
        if bare.args:  # they come before the data, where a step has no place for them
            return Step(f"functools:partial({_name_of(bare.func)})", bound=function)
        options = {**bare.keywords, **options}
        bare = bare.func
    module = getattr(bare, "__module__", None) or _ufunc_module(bare)
    name = _name_of(bare)
    reference = _public_name(bare, name) or f"{module}:{name}"
    step = written(reference, **options)
    try:
        same = step.resolve() is bare
    except (PipelineError, ValueError):
        same = False
    return step if same else Step(reference, (), step.options, bound=bare)


def _name_of(function: Any) -> str:
    names = (getattr(function, name, None) for name in ("__qualname__", "__name__"))
    return str(next(filter(None, names), ""))


def _ufunc_module(function: Any) -> str:
    return "numpy" if type(function).__name__ == "ufunc" else type(function).__module__


def _public_name(function: Any, name: str) -> str | None:
    import segkit

    if name in segkit.__all__ and getattr(segkit, name) is function:
        return name
    return None
