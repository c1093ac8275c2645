"""Pieces of Python as text of one form: what they do, not how they are written.

Comments, docstrings, positions, type hints of functions that nobody decorates, and what
local variables are called do not count; nor do the decorators of this package, whose
options say how a function is run. The same text comes out on every supported Python.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from backends.interface.frozen import frozen
from taskgraph.fingerprints import scopes
from taskgraph.fingerprints.scopes import FUNCTIONS, Scope

if TYPE_CHECKING:
    from collections.abc import Callable

Chain = tuple[str, ...]
"""A name, and the attributes that are looked up in it: ``numpy.random.rand``."""

IMPORT = "import"
"""What the chain of something begins with that is imported where it is used."""
_OURS = frozenset(
    ("TaskGenerator", "CompoundTaskGenerator", "CachedFunction", "return_tuple")
)
_LOOKS_AT_NAMES = frozenset(("locals", "vars", "eval", "exec", "dir"))
_NAME_OF = frozenset(("__name__", "__qualname__"))
_LEFT_OUT = frozenset(("ctx", "type_comment", "kind", "type_ignores", "lineno"))


@frozen
class Canonical:
    """What a piece of Python does.

    Attributes
    ----------
    text : str
        The same for all ways to write it.
    names : tuple of Chain
        What it takes from around it, sorted.
    """

    text: str
    names: tuple[Chain, ...]


def canonical(node: ast.AST | list[ast.stmt]) -> Canonical:
    r"""Return a function, a class, an expression or statements in their one form.

    Parameters
    ----------
    node : AST or list of stmt
        What was parsed. The name of a function or class itself does not count.

    Examples
    --------
    >>> def of(source):
    ...     return canonical(ast.parse(source).body[0])
    >>> one = of("def f(x):\n    '''Add.'''\n    y = x + K  # why\n    return y")
    >>> one == of("def g(x):\n    total = (x + K)\n    return total")
    True
    >>> one == of("def f(x):\n    y = x - K\n    return y"), one.names
    (False, (('K',),))
    """
    writer = _Writer()
    if isinstance(node, list):
        text = writer.statements(node)
    elif isinstance(node, FUNCTIONS):
        text = writer.function(node, "")
    elif isinstance(node, ast.ClassDef):
        text = writer.class_(node, "")
    else:
        text = writer.write(node)
    return Canonical(text, tuple(sorted(writer.names)))


@dataclass(slots=True)
class _Writer:
    names: set[Chain] = field(default_factory=set)
    _scopes: list[Scope] = field(default_factory=list)

    def write(self, node: Any) -> str:
        """Return a node, a list of nodes, or what else is in a field, as text."""
        if isinstance(node, list):
            return "[" + ",".join(map(self.write, node)) + "]"
        if not isinstance(node, ast.AST):
            return f"{type(node).__name__}:{node!r}"
        special: Callable[[_Writer, Any], str] | None = _SPECIAL.get(type(node))
        return self._plain(node) if special is None else special(self, node)

    def _plain(self, node: ast.AST) -> str:
        parts = []
        for name in node._fields:
            value = getattr(node, name, None)
            if name in _LEFT_OUT or value is None or value == []:
                continue
            if name in ("body", "orelse", "finalbody") and isinstance(value, list):
                parts.append(f"{name}={self.statements(value)}")
            else:
                parts.append(f"{name}={self.write(value)}")
        return f"{type(node).__name__}({','.join(parts)})"

    def statements(self, body: list[Any]) -> str:
        """Return statements, without those that do nothing."""
        kept = [s for s in body if not (_is_idle(s) or self._only_hints(s))]
        return "{" + ";".join(map(self.write, kept)) + "}"

    def _only_hints(self, statement: ast.stmt) -> bool:
        bare = isinstance(statement, ast.AnnAssign) and statement.value is None
        return bare and self._in_function()

    def _in_function(self) -> bool:
        return bool(self._scopes) and not self._scopes[-1].is_class

    # names

    def name(self, node: ast.Name) -> str:
        return self._resolved(node.id) or self._taken((node.id,))

    def _taken(self, chain: Chain) -> str:
        self.names.add(chain)
        return ".".join(chain)

    def _resolved(self, name: str) -> str:
        """Return what a name of its own is called; empty if it comes from around."""
        for depth in range(len(self._scopes) - 1, -1, -1):
            scope = self._scopes[depth]
            if scope.is_class and depth < len(self._scopes) - 1:
                continue
            if name in scope.bound:
                if name in scope.kept:
                    return f"%{name}"
                return scope.labels.setdefault(name, f"%{depth}.{len(scope.labels)}")
        return ""

    def _bound(self, name: str) -> str:
        return self._resolved(name) or name

    def attribute(self, node: ast.Attribute) -> str:
        chain: list[str] = []
        root: ast.expr = node
        while isinstance(root, ast.Attribute):
            chain.append(root.attr)
            root = root.value
        if isinstance(root, ast.Name) and not self._resolved(root.id):
            return self._taken((root.id, *reversed(chain)))
        return f"{self.write(root)}.{'.'.join(reversed(chain))}"

    def import_(self, node: ast.Import | ast.ImportFrom) -> str:
        origin: tuple[str, ...] = ()
        if isinstance(node, ast.ImportFrom):
            origin = (f"{'.' * node.level}{node.module or ''}",)
        parts = []
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            parts.append(f"{alias.name}:{bool(alias.asname)}:{self._bound(name)}")
            self.names.add((IMPORT, *origin, alias.name))
        return f"import({''.join(origin)},{','.join(parts)})"

    def named(self, node: ast.AST) -> str:
        """Return a node that binds the name in its field."""
        fields = []
        for name in node._fields:
            value: Any = getattr(node, name, None)
            if name == "body":
                fields.append(self.statements(value))
            elif name in ("name", "rest") and isinstance(value, str):
                fields.append(self._bound(value))
            elif value is not None:
                fields.append(self.write(value))
        return f"{type(node).__name__}({','.join(fields)})"

    # definitions

    def function(self, node: ast.AST, name: str | None = None) -> str:
        title = self._bound(node.name) if name is None else name  # type: ignore[attr-defined]
        decorators = _counted(node.decorator_list)  # type: ignore[attr-defined]
        told = self.write(decorators)
        kind = "async" if isinstance(node, ast.AsyncFunctionDef) else "def"
        return f"{kind} {title}{told}{self._callable(node, hinted=bool(decorators))}"

    def lambda_(self, node: ast.Lambda) -> str:
        return f"lambda{self._callable(node, hinted=False)}"

    def _callable(self, node: Any, *, hinted: bool) -> str:
        args: ast.arguments = node.args
        outside = [self.write(args.defaults)]
        outside += [self.write(d) if d is not None else "-" for d in args.kw_defaults]
        if hinted:
            listed = (*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs)
            hints = [a.annotation for a in (*listed, args.kwarg) if a is not None]
            outside += [self.write(h) if h is not None else "-" for h in hints]
            outside += [self.write(node.returns)] if node.returns else []
        self._scopes.append(scopes.of_function(node, keep=_looks_at_names(node)))
        taken = [
            "/".join(self._bound(a.arg) for a in args.posonlyargs),
            ",".join(self._bound(a.arg) for a in args.args),
            f"*{self._bound(args.vararg.arg)}" if args.vararg else "",
            ",".join(self._bound(a.arg) for a in args.kwonlyargs),
            f"**{self._bound(args.kwarg.arg)}" if args.kwarg else "",
        ]
        whole = isinstance(node.body, list)
        body = self.statements(node.body) if whole else self.write(node.body)
        self._scopes.pop()
        return f"({'|'.join(taken)}|{','.join(outside)}){body}"

    def class_(self, node: ast.ClassDef, name: str | None = None) -> str:
        title = self._bound(node.name) if name is None else name
        about = [self.write(_counted(node.decorator_list)), self.write(node.bases)]
        about.append(self.write(node.keywords))
        self._scopes.append(scopes.of_class(node))
        body = self.statements(node.body)
        self._scopes.pop()
        return f"class {title}{''.join(about)}{body}"

    def comprehension(self, node: Any) -> str:
        first = self.write(node.generators[0].iter)
        self._scopes.append(scopes.of_comprehension(node))
        loops = []
        for place, loop in enumerate(node.generators):
            over = self.write(loop.iter) if place else first
            tests = self.write(loop.ifs)
            loops.append(f"{self.write(loop.target)}<{over}{tests}{loop.is_async}")
        made = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        told = self.write(made)
        self._scopes.pop()
        return f"{type(node).__name__}({told},{'&'.join(loops)})"

    def with_hint(self, node: ast.AnnAssign) -> str:
        if self._in_function():
            target, value = self.write(node.target), self.write(node.value)
            return f"Assign(targets=[{target}],value={value})"
        return self._plain(node)

    def joined(self, node: ast.JoinedStr) -> str:
        parts: list[str] = []
        text = ""
        for value in node.values:
            if isinstance(value, ast.Constant):
                text += str(value.value)
                continue
            parts += [repr(text)] if text else []
            text = ""
            parts.append(self.write(value))
        return f"f({','.join([*parts, *([repr(text)] if text else [])])})"


def _is_idle(node: ast.AST) -> bool:
    """Return whether a statement does nothing: a docstring, ``pass``, a bare hint."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Pass | ast.Global | ast.Nonlocal)


def _counted(decorators: list[ast.expr]) -> list[ast.expr]:
    """Return the decorators that are not of this package."""
    found = []
    for decorator in decorators:
        named = decorator.func if isinstance(decorator, ast.Call) else decorator
        last = named.attr if isinstance(named, ast.Attribute) else None
        last = named.id if isinstance(named, ast.Name) else last
        if last not in _OURS:
            found.append(decorator)
    return found


def _looks_at_names(node: ast.AST) -> bool:
    """Return whether a function may see what its variables are called."""
    for child in ast.walk(node):
        if isinstance(child, ast.Name) and child.id in _LOOKS_AT_NAMES:
            return True
        if isinstance(child, ast.Attribute) and child.attr in _NAME_OF:
            return True
    return False


_SPECIAL: dict[type, Any] = {
    ast.Name: _Writer.name,
    ast.Attribute: _Writer.attribute,
    ast.Import: _Writer.import_,
    ast.ImportFrom: _Writer.import_,
    ast.ExceptHandler: _Writer.named,
    ast.MatchAs: _Writer.named,
    ast.MatchStar: _Writer.named,
    ast.MatchMapping: _Writer.named,
    ast.FunctionDef: _Writer.function,
    ast.AsyncFunctionDef: _Writer.function,
    ast.Lambda: _Writer.lambda_,
    ast.ClassDef: _Writer.class_,
    ast.ListComp: _Writer.comprehension,
    ast.SetComp: _Writer.comprehension,
    ast.DictComp: _Writer.comprehension,
    ast.GeneratorExp: _Writer.comprehension,
    ast.AnnAssign: _Writer.with_hint,
    ast.JoinedStr: _Writer.joined,
}
