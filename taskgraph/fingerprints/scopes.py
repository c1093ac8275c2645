"""Which names a piece of Python binds for itself, and which it takes from around it."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(slots=True)
class Scope:
    """The names that a function, a comprehension or a class binds.

    Attributes
    ----------
    bound : frozenset of str
        All of them.
    kept : frozenset of str
        Those that somebody outside may know: they keep their names.
    is_class : bool
        Whether what is nested in it does not see them.
    labels : dict
        What the others are called instead, in the order in which they are met.
    """

    bound: frozenset[str]
    kept: frozenset[str] = frozenset()
    is_class: bool = False
    labels: dict[str, str] = field(default_factory=dict)


def of_function(node: ast.AST, *, keep: bool) -> Scope:
    """Return the scope of a function or a lambda.

    Parameters
    ----------
    node : FunctionDef, AsyncFunctionDef or Lambda
        The function.
    keep : bool
        Whether all names are to stay, because the function looks at them.
    """
    args: ast.arguments = node.args  # type: ignore[attr-defined] # of each of the three
    open_ones = {a.arg for a in (*args.args, *args.kwonlyargs)}
    hidden = {a.arg for a in (*args.posonlyargs, args.vararg, args.kwarg) if a}
    body = node.body  # type: ignore[attr-defined]
    inside, outside = bindings(body if isinstance(body, list) else [body])
    bound = frozenset((open_ones | hidden | inside) - outside)
    classes = frozenset(
        child.name for child in ast.walk(node) if isinstance(child, ast.ClassDef)
    )
    return Scope(bound, bound if keep else bound & (frozenset(open_ones) | classes))


def of_comprehension(node: ast.AST) -> Scope:
    """Return the scope of a comprehension: its loop variables."""
    generators: list[ast.comprehension] = node.generators  # type: ignore[attr-defined]
    found: set[str] = set()
    for one in generators:
        found.update(n.id for n in ast.walk(one.target) if isinstance(n, ast.Name))
    return Scope(frozenset(found))


def of_class(node: ast.ClassDef) -> Scope:
    """Return the scope of a class: its attributes, which keep their names."""
    inside, outside = bindings(node.body)
    bound = frozenset(inside - outside)
    return Scope(bound, bound, is_class=True)


def bindings(body: Iterable[ast.AST]) -> tuple[set[str], set[str]]:
    """Return the names that statements bind, and those declared to be others'.

    What is nested in functions, classes and comprehensions is theirs, but for names
    that ``:=`` binds in a comprehension.

    Returns
    -------
    set of str
        Bound here.
    set of str
        Declared ``global`` or ``nonlocal``.

    Examples
    --------
    >>> bound, others = bindings(ast.parse("import os.path; x, *y = 1, 2").body)
    >>> sorted(bound), others
    (['os', 'x', 'y'], set())
    """
    bound: set[str] = set()
    others: set[str] = set()
    stack = list(body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Global | ast.Nonlocal):
            others.update(node.names)
        elif isinstance(node, ast.Lambda):
            stack += _outside(node)
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            bound.add(node.name)
            stack += _outside(node)
        elif isinstance(node, _COMPREHENSIONS):
            walked = (n for n in ast.walk(node) if isinstance(n, ast.NamedExpr))
            bound.update(n.target.id for n in walked)
        else:
            bound.update(_bound_here(node))
            stack += ast.iter_child_nodes(node)
    return bound, others


def _bound_here(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.alias):
        yield node.asname or node.name.partition(".")[0]
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
        if node.name:
            yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


def _outside(node: ast.AST) -> list[ast.AST]:
    """Return what of a function or class is worked out where it is defined."""
    found: list[ast.AST] = list(getattr(node, "decorator_list", ()))
    if isinstance(node, ast.ClassDef):
        return [*found, *node.bases, *node.keywords]
    args: ast.arguments = node.args  # type: ignore[attr-defined]
    return [*found, *args.defaults, *[d for d in args.kw_defaults if d is not None]]
