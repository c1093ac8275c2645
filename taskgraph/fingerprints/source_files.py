"""Where code is written: which files are the project's, and what stands in them."""

from __future__ import annotations
import __future__

import ast
import linecache
import os
import sysconfig
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING

from backends.interface.frozen import frozen
from taskgraph.fingerprints.scopes import FUNCTIONS, bindings
from taskgraph.fingerprints.syntax import Canonical, canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

_INSTALLED = ("site-packages", "dist-packages")
_OURS = ("taskgraph", "backends", "segkit")
_IMPORTS = (ast.Import, ast.ImportFrom)
_LAMBDA, _LOCALS = "<lambda>", "<locals>"
_FUTURE = 0
for _name in __future__.all_feature_names:
    _FUTURE |= getattr(__future__, _name).compiler_flag


@frozen
class Definition:
    """A function or class where it is written: itself, and the statement around it."""

    node: ast.AST
    statement: ast.stmt

    @property
    def line(self) -> int:
        """Where its code begins, decorators included."""
        lines: list[int] = [d.lineno for d in getattr(self.node, "decorator_list", ())]
        own: int = self.node.lineno  # type: ignore[attr-defined] # it has one
        return min([own, *lines])


@dataclass(slots=True)
class Source:
    """A file of Python, or a cell of a notebook, as it was read.

    Attributes
    ----------
    tree : Module
        What was parsed.
    definitions : dict
        Functions, lambdas and classes by qualified name, in order.
    reassigned : frozenset of str
        Names that functions give other values, by ``global`` or ``nonlocal``.
    """

    tree: ast.Module
    definitions: dict[str, list[Definition]]
    reassigned: frozenset[str] = frozenset()
    _written: dict[str, Canonical] = field(default_factory=dict)
    _compiled: dict[tuple[int, int], list[CodeType]] = field(default_factory=dict)

    def of_code(self, code: CodeType) -> Canonical | None:
        """Return what a function does; None if it is not the one that stands here."""
        found = {}
        for definition in self.definitions.get(code.co_qualname, ()):
            flags = code.co_flags & _FUTURE
            if any(same_code(code, c) for c in self._codes(definition, flags)):
                form = self._form(definition.node)
                found[form.text] = form
        return _together(found)

    def of_name(self, qualname: str) -> list[Canonical]:
        """Return all functions and classes that are defined under a name."""
        return [self._form(d.node) for d in self.definitions.get(qualname, ())]

    def of_class(self, qualname: str, line: int | None) -> Canonical | None:
        """Return what a class does; of several the one that begins at a line."""
        found = self.definitions.get(qualname, [])
        exact = [d for d in found if d.line == line]
        forms = [self._form(d.node) for d in exact or found]
        return _together({form.text: form for form in forms})

    def of_variable(self, name: str) -> Canonical | None:
        """Return all at the top level that gives a name its value, or changes that."""
        form = self._written.get(name)
        if form is None:
            touching = [s for s in _at_top(self.tree.body) if name in _touched(s)]
            form = self._written[name] = canonical(touching)
        return form if form.text != "{}" else None

    def set_later(self, name: str) -> Canonical | None:
        """Return the statements that set attributes of a class; None if none does."""
        key = f"{name}."
        if key not in self._written:
            setting = [s for s in _at_top(self.tree.body) if name in _set_on(s)]
            self._written[key] = canonical(setting)
        form = self._written[key]
        return form if form.text != "{}" else None

    def whole(self) -> Canonical:
        """Return all of it."""
        return canonical(self.tree.body)

    def _form(self, node: ast.AST) -> Canonical:
        key = f"{id(node)}"
        if key not in self._written:
            self._written[key] = canonical(node)
        return self._written[key]

    def _codes(self, definition: Definition, flags: int) -> list[CodeType]:
        """Return the functions in the statement of a definition, compiled."""
        key = id(definition.statement), flags
        if key not in self._compiled:
            # Calls of what a module imports are compiled in another way. A notebook
            # compiles the statements of a cell one by one.
            imports = [s for s in _at_top(self.tree.body) if isinstance(s, _IMPORTS)]
            found = self._compiled[key] = []
            for before in (imports, []) if imports else ([],):
                module = ast.Module([*before, definition.statement], [])
                code = compile(module, "", "exec", flags=flags, dont_inherit=True)
                found += _inside(code)
        line, node = definition.line, definition.node
        return [
            c
            for c in self._compiled[key]
            if c.co_firstlineno == line and _stands_in(c, node)
        ]


def source_of(path: str) -> Source | None:
    """Return what stands in a file or in a cell; None if nothing can be read there."""
    try:
        found = Path(path).stat()
    except OSError:
        text = "".join(linecache.getlines(path)) if path not in _NOWHERE else ""
        return _parsed(text) if text else None
    return _read(path, (found.st_mtime_ns, found.st_ctime_ns, found.st_size))


_NOWHERE = ("", "<string>", "<stdin>")


@lru_cache(maxsize=64)
def _read(path: str, _stamp: tuple[int, int, int]) -> Source | None:
    try:
        return _parsed(Path(path).read_bytes())
    except OSError:
        return None


@lru_cache(maxsize=64)
def _parsed(text: str | bytes) -> Source | None:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    definitions: dict[str, list[Definition]] = {}
    for statement in tree.body:
        for qualname, node in _defined(statement):
            definitions.setdefault(qualname, []).append(Definition(node, statement))
    declared = (n for n in ast.walk(tree) if isinstance(n, ast.Global | ast.Nonlocal))
    reassigned = frozenset(name for node in declared for name in node.names)
    return Source(tree, definitions, reassigned)


def _defined(statement: ast.stmt) -> Iterator[tuple[str, ast.AST]]:
    """Yield the functions and classes in a statement, by qualified name."""
    stack: list[tuple[str, ast.AST]] = [("", statement)]
    while stack:
        prefix, node = stack.pop()
        inner = prefix
        if isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Lambda)):
            name = _LAMBDA if isinstance(node, ast.Lambda) else node.name
            yield prefix + name, node
            if isinstance(node, ast.ClassDef):
                inner = f"{prefix}{name}."
            else:
                inner = f"{prefix}{name}.{_LOCALS}."
        stack += [(inner, child) for child in ast.iter_child_nodes(node)]


def _stands_in(code: CodeType, node: ast.AST) -> bool:
    """Return whether a lambda was compiled of this very one: a line may have several.

    Of all else a line has one; without columns (``-X no_debug_ranges``) none is told.
    """
    if not isinstance(node, ast.Lambda):
        return True
    body = node.body
    first = body.lineno, body.col_offset
    last = body.end_lineno or 0, body.end_col_offset or 0
    for line, end_line, column, end_column in code.co_positions():
        if None in (line, end_line, column, end_column) or not end_column:
            continue
        if (line, column) < first or (end_line, end_column) > last:
            return False
    return True


def _inside(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _inside(constant)


def same_code(one: CodeType, other: CodeType) -> bool:
    """Return whether two functions were compiled of the same, wherever that stands.

    Examples
    --------
    >>> same_code((lambda x: x + 1).__code__, (lambda x: x + 1).__code__)
    True
    >>> same_code((lambda x: x + 1).__code__, (lambda x: x + 2).__code__)
    False
    """
    return one is other or (
        one.co_code == other.co_code
        and one.co_names == other.co_names
        and one.co_varnames == other.co_varnames
        and one.co_freevars == other.co_freevars
        and len(one.co_consts) == len(other.co_consts)
        and all(map(_same_constant, one.co_consts, other.co_consts))
    )


def _same_constant(one: object, other: object) -> bool:
    if isinstance(one, CodeType) and isinstance(other, CodeType):
        return same_code(one, other)
    if isinstance(one, frozenset) and isinstance(other, frozenset):
        return one == other  # in the order of this process
    return type(one) is type(other) and repr(one) == repr(other)


def _at_top(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run when a module is read, those of blocks, too."""
    for statement in body:
        nested = [
            inner
            for name in ("body", "orelse", "finalbody", "handlers", "cases")
            for inner in getattr(statement, name, ())
        ]
        if isinstance(statement, (*FUNCTIONS, ast.ClassDef)) or not nested:
            yield statement
        else:
            yield from _at_top(nested)


def _touched(statement: ast.stmt) -> set[str]:
    """Return the names that a statement binds, or of whose values it changes parts."""
    found, _ = bindings([statement])
    targets: list[ast.expr] = list(getattr(statement, "targets", ()))
    targets += [statement.target] if isinstance(statement, ast.AugAssign) else []
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        targets.append(statement.value.func)
    for target in targets:
        root: ast.expr = target
        while isinstance(root, ast.Attribute | ast.Subscript):
            root = root.value
        if isinstance(root, ast.Name) and root is not target:
            found.add(root.id)
    return found


def _set_on(statement: ast.stmt) -> set[str]:
    """Return the names on whose values a statement sets attributes."""
    targets: list[ast.expr] = list(getattr(statement, "targets", ()))
    targets += [statement.target] if isinstance(statement, ast.AugAssign) else []
    owners = [t.value for t in targets if isinstance(t, ast.Attribute)]
    return {owner.id for owner in owners if isinstance(owner, ast.Name)}


def _together(found: dict[str, Canonical]) -> Canonical | None:
    """Return several forms as one: which of them it is cannot be told."""
    forms = [found[text] for text in sorted(found)]
    if len(forms) < 2:
        return forms[0] if forms else None
    names = {name for form in forms for name in form.names}
    return Canonical("|".join(form.text for form in forms), tuple(sorted(names)))


def is_local(path: str) -> bool:
    """Return whether a file is the project's: neither installed nor Python's own.

    A cell of a notebook is. This package, its backends and segkit are not: their
    versions tell.

    Examples
    --------
    >>> is_local("project/helpers.py"), is_local(ast.__file__)
    (True, False)
    """
    if path in _NOWHERE or path.startswith("<frozen"):
        return False
    if path.startswith("<"):
        return bool(linecache.getlines(path))
    return _is_project_file(path)


@cache
def _is_project_file(path: str) -> bool:
    whole = os.path.realpath(path)
    if any(part in _INSTALLED for part in Path(whole).parts):
        return False
    return not whole.startswith(_library_folders())


@cache
def _library_folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    folders = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    root = Path(__file__).resolve().parents[2]
    folders += [str(root / name) for name in _OURS]
    return tuple(os.path.realpath(folder) + os.sep for folder in folders)
