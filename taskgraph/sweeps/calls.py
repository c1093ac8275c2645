"""How the points of a sweep become calls of its function."""

from __future__ import annotations

import difflib
import inspect
from typing import TYPE_CHECKING, Any

from taskgraph.errors import UsageError
from taskgraph.identity.own_generator import OWN, own_generators, with_own

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from taskgraph.sweeps.points import Point

Arguments = tuple[tuple[Any, ...], dict[str, Any]]
"""Those by position, and those by name."""
_ONLY_BY_POSITION = inspect.Parameter.POSITIONAL_ONLY
_EITHER = inspect.Parameter.POSITIONAL_OR_KEYWORD
_MORE = inspect.Parameter.VAR_POSITIONAL
_MORE_NAMES = inspect.Parameter.VAR_KEYWORD


class Calls:
    """Makes the arguments of calls of one function, by its signature.

    Parameters
    ----------
    name : str
        Of the function, for errors.
    function : callable
        What the tasks call.

    Examples
    --------
    >>> calls = Calls("divmod", divmod)
    >>> calls.arguments({"y": 2, "x": 7})
    ((7, 2), {})
    """

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self._name = name
        self._signature: inspect.Signature | None = None
        try:
            signature = inspect.signature(function, follow_wrapped=False)
            found = list(signature.parameters.values())
            for own in own_generators(function):  # which the engine gives
                found = with_own(found, own, name, OWN)
            self._signature = signature.replace(parameters=found)
        except (TypeError, ValueError):  # a compiled one that says nothing
            found = []
        self._kinds = {parameter.name: parameter.kind for parameter in found}
        kinds = self._kinds.values()
        self._all_named = not {_ONLY_BY_POSITION, _MORE} & set(kinds)
        self._takes_any = self._signature is None or _MORE_NAMES in kinds
        self._more = next((n for n, k in self._kinds.items() if k is _MORE), None)

    def require(self, points: Sequence[Point]) -> None:
        """Refuse points that the function cannot be called with, before any call.

        Raises
        ------
        UsageError
            With the first of them.
        """
        met: set[tuple[str, ...]] = set()
        for point in points:
            names = tuple(point)
            if names in met and self._all_named:
                continue
            met.add(names)
            self._require_names(names)
            args, kwargs = self.arguments(point)
            if self._signature is not None:
                try:
                    self._signature.bind(*args, **kwargs)
                except TypeError as error:
                    raise UsageError(f"{self._name}: {error}") from None

    def arguments(self, point: Point) -> Arguments:
        """Return what a call gets at a point: by name, where that is possible.

        What stands before ``*args`` goes by position if these are given, as a list.

        Raises
        ------
        UsageError
            Something before them is not given, or they are no list.
        """
        if self._all_named:
            return (), point
        left, args = dict(point), []
        last = self._last_by_position(left)
        for name in list(self._kinds)[: last + 1]:
            if name == self._more:
                args += self._listed(left.pop(name))
            elif name in left:
                args.append(left.pop(name))
            else:
                after = list(self._kinds)[last]
                raise UsageError(
                    f"{self._name} takes {after!r} by position, after {name!r}; give "
                    f"{name!r}, too"
                )
        return tuple(args), left

    def _last_by_position(self, given: Point) -> int:
        """Return the place of the last parameter that has to go by position, or -1."""
        kinds = enumerate(self._kinds.items())
        alone = (_ONLY_BY_POSITION, _MORE)
        return max((n for n, (k, v) in kinds if k in given and v in alone), default=-1)

    def _listed(self, more: Any) -> list[Any]:
        if isinstance(more, list | tuple):
            return list(more)
        raise UsageError(
            f"{self._name} takes any number of arguments as *{self._more}: each value "
            f"of {self._more!r} is a list of them, not {more!r:.40}"
        )

    def _require_names(self, names: Sequence[str]) -> None:
        taken = [name for name, kind in self._kinds.items() if kind is not _MORE_NAMES]
        for name in names:
            if name not in taken and not self._takes_any:
                near = difflib.get_close_matches(name, taken, 1)
                meant = f"did you mean {near[0]}? " if near else ""
                raise UsageError(
                    f"{self._name} has no parameter {name!r}; {meant}it takes "
                    f"{', '.join(taken) or 'none'}"
                )
