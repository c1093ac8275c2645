"""Which rows of a table: a small language of comparisons, in which no code can hide.

It is a part of Python's expressions: comparisons (chained too), ``in``, ``is None``,
``and``, ``or``, ``not``, ``+ - * /`` of numbers, names of columns (``scores.dice``,
``shape[0]``, and in backticks whatever else), numbers, texts in quotes. There are no
calls, so nothing runs but what is in this file. `pandas.DataFrame.query` is not used:
it calls functions and reads attributes of what it is given, and needs pandas.
"""

from __future__ import annotations

import ast
import difflib
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from taskgraph.displays.ordering import is_missing
from taskgraph.errors import UsageError
from taskgraph.loaded import loaded

Term = Callable[[int], Any]
"""What a part of a condition is in a row."""
_ORDERS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_SUMS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_QUOTED = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|`([^`]*)`""")
_LONGEST = 2000
_ALLOWED = "comparisons, in, is None, and, or, not, + - * /, columns, numbers and texts"


class Condition:
    """A condition that rows of a table may meet.

    What has no value (None, NaN) is neither smaller nor larger than anything; ``is
    None`` finds it. Dates are compared with dates written as ``"2026-11-30"``.

    Parameters
    ----------
    text : str
        As ``sigma > 1 and (method == "otsu" or scores.dice is None)``.

    Attributes
    ----------
    names : list of str
        The columns that it asks for.

    Raises
    ------
    UsageError
        It is no such condition.

    Examples
    --------
    >>> columns = {"x": [1, None, 3], "name": ["a", "b", "c"]}
    >>> Condition('x > 2 or name == "b"').rows(columns)
    [1, 2]
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._backticks: dict[str, str] = {}
        self._tree = self._parsed(text)
        self.names: list[str] = []
        self._term(self._tree, None)

    def rows(self, columns: Mapping[str, Sequence[Any]]) -> list[int]:
        """Return the numbers of the rows that meet it.

        Raises
        ------
        UsageError
            A column is not there, or holds what cannot be compared so.
        """
        for name in self.names:
            require_column(name, columns, "; text stands in quotes")
        test = self._term(self._tree, columns)
        length = len(next(iter(columns.values()), ()))
        try:
            return [row for row in range(length) if _holds(test(row))]
        except (TypeError, ValueError, ZeroDivisionError, OverflowError) as error:
            raise UsageError(f"where {self._text}: {error}") from error

    def _parsed(self, text: str) -> ast.expr:
        def named(found: re.Match[str]) -> str:
            if found[2] is None:
                return found[1]
            stand_in = f"_column_{len(self._backticks)}_"
            self._backticks[stand_in] = found[2]
            return stand_in

        if len(text) > _LONGEST:
            raise UsageError(f"a condition has at most {_LONGEST} letters")
        try:
            return ast.parse(_QUOTED.sub(named, text.strip()), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            why = getattr(error, "msg", None) or error
            raise UsageError(
                f"{text!r} is no condition ({why}); write, for example, "
                "\"sigma > 1 and method == 'otsu'\""
            ) from error

    def _term(
        self, node: ast.expr, columns: Mapping[str, Sequence[Any]] | None
    ) -> Term:
        """Return what a node is in a row; without columns, only note their names."""
        match node:
            case ast.BoolOp(op=op, values=values):
                terms = [self._term(value, columns) for value in values]
                whole = all if isinstance(op, ast.And) else any
                return lambda row: whole(_holds(term(row)) for term in terms)
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                negated = self._term(inner, columns)
                return lambda row: not _holds(negated(row))
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                minus = self._term(inner, columns)
                return lambda row: _sum(operator.sub, 0, minus(row))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _SUMS:
                one, other = self._term(left, columns), self._term(right, columns)
                deed = _SUMS[type(op)]
                return lambda row: _sum(deed, one(row), other(row))
            case ast.Compare():
                return self._comparison(node, columns)
            case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
                parts = [self._term(item, columns) for item in items]
                return lambda row: [part(row) for part in parts]
            case ast.Constant(value=value) if (
                value is not ... and type(value) is not bytes
            ):
                return lambda _: value
            case ast.Name() | ast.Attribute() | ast.Subscript():
                return self._column(node, columns)
        raise UsageError(
            f"where {self._text}: {ast.unparse(node)!r} is not understood; there are "
            f"{_ALLOWED}"
        )

    def _column(
        self, node: ast.expr, columns: Mapping[str, Sequence[Any]] | None
    ) -> Term:
        inner = node
        while isinstance(inner, ast.Attribute | ast.Subscript):
            if isinstance(inner, ast.Subscript) and not isinstance(
                inner.slice, ast.Constant
            ):
                raise UsageError(
                    f"where {self._text}: {ast.unparse(inner)!r} no column"
                )
            inner = inner.value
        name = ast.unparse(node)
        name = self._backticks.get(name, name)
        if columns is None:
            self.names.append(name)
            return lambda _: None
        return columns[name].__getitem__

    def _comparison(
        self, node: ast.Compare, columns: Mapping[str, Sequence[Any]] | None
    ) -> Term:
        terms = [self._term(each, columns) for each in (node.left, *node.comparators)]
        tests = [_test(type(op)) for op in node.ops]

        def holds(row: int) -> bool:
            found = [term(row) for term in terms]
            pairs = zip(tests, found, found[1:], strict=False)
            return all(test(one, other) for test, one, other in pairs)

        return holds


def require_column(name: str, columns: Iterable[str], hint: str = "") -> None:
    """Refuse the name of a column that is not there; `hint` says what else it may be.

    Raises
    ------
    UsageError
        With what may be meant, and what there is.
    """
    known = list(columns)
    if name in known:
        return
    near = difflib.get_close_matches(name, known, 1)
    meant = f"did you mean {near[0]}? " if near else ""
    raise UsageError(
        f"there is no column {name!r}; {meant}the columns are {', '.join(known)}{hint}"
    )


def _holds(value: Any) -> bool:
    return not is_missing(value) and bool(value)


def _sum(deed: Callable[[Any, Any], Any], one: Any, other: Any) -> Any:
    if is_missing(one) or is_missing(other):
        return None
    for value in (one, other):
        if not isinstance(value, int | float | complex):
            raise TypeError(f"{value!r:.40} is no number to calculate with")
    return deed(one, other)


def _test(kind: type) -> Callable[[Any, Any], bool]:
    if kind in (ast.Eq, ast.Is):
        return _equal
    if kind in (ast.NotEq, ast.IsNot):
        return lambda one, other: not _equal(one, other)
    if kind is ast.In:
        return _within
    if kind is ast.NotIn:
        return lambda one, other: not _within(one, other)
    order = _ORDERS[kind]

    def ordered(one: Any, other: Any) -> bool:
        if is_missing(one) or is_missing(other):
            return False
        return bool(order(*_alike(one, other)))

    return ordered


def _equal(one: Any, other: Any) -> bool:
    if is_missing(one) or is_missing(other):
        return is_missing(one) and is_missing(other)
    one, other = _alike(one, other)
    return bool(one == other)


def _within(one: Any, other: Any) -> bool:
    if isinstance(other, list):
        return any(_equal(one, each) for each in other)
    if is_missing(one) or is_missing(other):
        return False
    if isinstance(one, str) and isinstance(other, str):
        return one in other
    raise TypeError(f"nothing is in {other!r:.40}; give a list, or two texts")


def _alike(one: Any, other: Any) -> tuple[Any, Any]:
    """Return two values, a text beside a date or time as one of its kind."""
    if isinstance(one, str) != isinstance(other, str):
        if isinstance(one, str):
            return _as(other, one), other
        return one, _as(one, other)
    return one, other


def _as(moment: Any, text: str) -> Any:
    """Return a text as a moment of a kind; without a zone it is in that one's."""
    numpy = loaded("numpy")
    if isinstance(moment, date | time):
        found = type(moment).fromisoformat(text)
        if isinstance(found, date) and not isinstance(found, datetime):
            return found
        zone = moment.tzinfo  # type: ignore[union-attr] # it is no mere date
        return found.replace(tzinfo=zone) if found.tzinfo is None else found
    if numpy is not None and isinstance(moment, numpy.datetime64):
        return numpy.datetime64(text)
    return text
