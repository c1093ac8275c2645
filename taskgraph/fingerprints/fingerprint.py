"""Fingerprints: what a function does, with all in the project that it uses.

The parts of a function are numbered as they are met: itself first, then what it uses by
name, and what these use, each once, so that circles end. A part is its syntax in one
form (`syntax`), the value of a constant, or the statements that a container was made
by; what its names mean is told by number. So it does not count in which module a part
stands, but it does which of two of one name is used where.
"""

from __future__ import annotations

import sys
from collections import deque
from dataclasses import dataclass, field
from types import FunctionType, MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any

from blake3 import blake3

from taskgraph.fingerprints.compiled import PYTHON, code_text, names_in
from taskgraph.fingerprints.meanings import (
    CONSTANTS,
    NOTHING,
    attributes_of,
    beneath,
    closure_of,
    constants_of,
    defaults_of,
    functions_in,
    is_lasting,
    is_made_here,
    meaning,
    origin_of,
    passes_on,
    path_of,
    things_in,
    value_text,
)
from taskgraph.fingerprints.modules import Module, imported_modules, module_of
from taskgraph.fingerprints.parts import Fingerprint, Part, digest_of
from taskgraph.fingerprints.source_files import is_local, source_of
from taskgraph.fingerprints.syntax import IMPORT, Canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from taskgraph.fingerprints.syntax import Chain

_DIGITS = 16
_NO_NAMES: Mapping[str, Any] = MappingProxyType({})
_THINGS = (FunctionType, type, ModuleType)


def fingerprint(f: Any, things: Iterable[Any] = ()) -> Fingerprint:
    """Return what a function does, and all in the project that it uses.

    Parameters
    ----------
    f : callable
        The function. It counts wherever it is; what it uses, if it is the project's.
    things : iterable
        Functions and classes that it is given, and so uses, too.

    Returns
    -------
    Fingerprint
        Without a digest for what is not written in Python.

    Examples
    --------
    >>> def f(x): return x + 1
    >>> def g(x):
    ...     # the same
    ...     return x + 1
    >>> fingerprint(f).digest == fingerprint(g).digest != fingerprint(len).digest
    True
    """
    root = next(_written_in_python(f), None)
    if root is None:
        return Fingerprint("")
    search = _Search(path_of(root))
    search.number(root, "", search.root_path)
    given: list[str] = []
    for thing in (f, *things):
        search.mention(thing, given)
    return search.run(given)


def _written_in_python(f: Any) -> Iterator[Any]:
    """Yield the functions and classes that a callable is made of, innermost first."""
    seen: set[int] = set()
    left = [(f, False)]
    while left:
        thing, opened = left.pop()
        if not opened:
            if id(thing) not in seen and not isinstance(
                thing, (*CONSTANTS, ModuleType)
            ):
                seen.add(id(thing))
                wrapped = attributes_of(thing).get("__wrapped__")
                left += [(thing, True), (wrapped, False)]
        elif isinstance(thing, FunctionType) or _has_methods(thing):
            yield thing
        elif not isinstance(thing, type):
            left += [(inner, False) for inner in reversed(list(beneath(thing)))]


def _has_methods(thing: Any) -> bool:
    members = vars(thing).values() if isinstance(thing, type) else ()
    return any(isinstance(member, FunctionType) for member in members)


@dataclass(slots=True)
class _Search:
    """A walk through all that a function uses."""

    root_path: str
    _compiled: bool = False
    _numbers: dict[Any, int] = field(default_factory=dict)
    _left: deque[tuple[Any, str, str]] = field(default_factory=deque)
    _kept: list[Any] = field(default_factory=list)
    _parts: list[Part] = field(default_factory=list)
    _lacking: list[str] = field(default_factory=list)
    _modules: dict[str, Module] = field(default_factory=dict)

    def run(self, edges: list[str]) -> Fingerprint:
        """Look into all parts; `edges` are those of the first one."""
        whole = blake3()
        while self._left:
            text = self._described(*self._left.popleft(), edges)
            whole.update("\0".join([text, *edges, "\n"]).encode(errors="surrogatepass"))
            edges = []
        digest = whole.hexdigest()[:_DIGITS]
        if self._compiled:
            digest = f"py{PYTHON}-{digest}"
        return Fingerprint(digest, tuple(self._parts), tuple(self._lacking))

    def number(self, thing: Any, name: str, path: str, owner: object = None) -> str:
        """Return the number of a part, which is looked into later.

        A constant has a name, which is its own in the module or function that owns it.
        """
        key = (name, id(owner)) if name else id(thing)
        if key not in self._numbers:
            self._numbers[key] = len(self._numbers)
            self._kept.append(thing)  # or another one gets its id
            self._left.append((thing, name, path))
        return f"#{self._numbers[key]}"

    def mention(self, thing: Any, edges: list[str]) -> None:
        """Note that a part uses a thing: what of it is the project's is a part, too."""
        seen: set[int] = set()
        left = deque(things_in(thing))
        while left:
            thing = left.popleft()
            if id(thing) in seen:
                continue
            seen.add(id(thing))
            edges += constants_of(thing)
            if isinstance(thing, ModuleType):
                self._mention_module(str(attributes_of(thing).get("__name__")), edges)
                continue
            known = thing if isinstance(thing, _THINGS) else type(thing)
            path = path_of(known)
            if id(known) in self._numbers or self._is_local(path):
                edges.append(self.number(known, "", path))
            if known is not thing or isinstance(thing, FunctionType):
                left.extend(things_in(list(beneath(thing))))

    def _mention_module(self, name: str, edges: list[str]) -> None:
        """Note that a part uses a whole module, as it is written."""
        module = module_of(name)
        if self._is_local(module.path):
            module = self._modules.setdefault(module.path, module)
            edges.append(self.number(module, "", module.path))

    def _is_local(self, path: str) -> bool:
        return bool(path) and (path == self.root_path or is_local(path))

    # what a part is

    def _described(self, thing: Any, name: str, path: str, edges: list[str]) -> str:
        """Return the text of a part; add what it uses to its edges."""
        if name:
            return self._constant(thing, name, path, edges)
        if isinstance(thing, FunctionType):
            return self._function(thing, path, edges)
        if isinstance(thing, Module):
            return self._module(thing, edges)
        return self._class(thing, path, edges)

    def _part(self, name: str, text: str, path: str) -> str:
        self._parts.append(Part("".join(name.split()), digest_of(text), path))
        return text

    def _function(self, function: FunctionType, path: str, edges: list[str]) -> str:
        space, code = function.__globals__, function.__code__
        title = f"{space.get('__name__')}.{code.co_qualname}"
        form = self._form(function, path)
        text = self._part(f"{title}()", form.text, path)
        around = closure_of(function)
        source = source_of(path)
        for name in source.reassigned & around.keys() if source else ():
            around[name] = NOTHING
        self._uses(form.names, space, edges, around, title)
        for name, value in defaults_of(function).items():
            self._value(value, f"{title}({name})", "", edges, owner=function)
        self.mention(attributes_of(function).get("__wrapped__"), edges)
        return text

    def _form(self, function: FunctionType, path: str) -> Canonical:
        source = source_of(path)
        form = source.of_code(function.__code__) if source is not None else None
        if form is None:
            self._compiled = True
            names = sorted({(name,) for name in names_in(function.__code__)})
            known = {**function.__globals__, **closure_of(function)}
            used = tuple(name for name in names if name[0] in known)
            return Canonical(code_text(function.__code__), used)
        return form

    def _class(self, kind: type, path: str, edges: list[str]) -> str:
        title = f"{kind.__module__}.{kind.__qualname__}"
        module = sys.modules.get(kind.__module__)
        source = source_of(path)
        line = vars(kind).get("__firstlineno__")
        form = source.of_class(kind.__qualname__, line) if source else None
        later = source.set_later(kind.__qualname__) if source else None
        if form is None:
            form, path = self._members(kind, edges), ""
        text = self._part(f"{title}:", form.text, path)
        self._uses(form.names, attributes_of(module), edges)
        if later is not None:
            edges.append(later.text)
            self._uses(later.names, attributes_of(module), edges)
        for base in kind.__bases__:
            self.mention(base, edges)
        return text

    def _members(self, kind: type, edges: list[str]) -> Canonical:
        """Return what a class has, where its source is not to be had."""
        self._compiled, text = True, []
        for name, member in sorted(vars(kind).items()):
            functions = [*beneath(member), member, getattr(member, "fget", None)]
            found = [one for one in functions if isinstance(one, FunctionType)]
            edges += [self.number(one, "", path_of(one)) for one in found]
            if not (found or name.startswith("__")):
                text.append(f"{name}={value_text(member)}")
        return Canonical(";".join(text), ())

    def _module(self, module: Module, edges: list[str]) -> str:
        """Return all of a module; what it imports is a part, too, loaded or not."""
        source = source_of(module.path)
        form = source.whole() if source is not None else Canonical("", ())
        for chain in form.names:
            if chain[0] == IMPORT:
                for name in imported_modules(chain, module.package):
                    self._mention_module(name, edges)
        return self._part(f"{module.name}.*", form.text, module.path)

    def _constant(self, value: Any, name: str, path: str, edges: list[str]) -> str:
        module, _, variable = name.rpartition(".")
        source = source_of(path) if path else None
        tells = is_lasting(value) and not (source and variable in source.reassigned)
        form = source.of_variable(variable) if source and not tells else None
        if form is None:
            self.mention(value, edges)
            path = path if is_lasting(value) else ""
            return self._part(name, value_text(value), path)
        for function in functions_in(value):
            self.mention(function, edges)
        space = attributes_of(sys.modules.get(module))
        names = [chain for chain in form.names if chain[0] != variable]
        self._uses(names, space, edges, inside=False)
        return self._part(name, form.text, path)

    # what it uses

    def _uses(
        self,
        names: Iterable[Chain],
        space: Mapping[str, Any],
        edges: list[str],
        closure: Mapping[str, Any] = _NO_NAMES,
        title: str = "",
        *,
        inside: bool = True,
    ) -> None:
        """Note what names mean; `inside` of a function imports happen when it runs."""
        for chain in names:
            if chain[0] == IMPORT and inside:
                # Whether it was imported before must not count.
                for module in imported_modules(chain, str(space.get("__package__"))):
                    self._mention_module(module, edges)
                continue
            found = meaning(chain, space, closure)
            if found.is_of_python:
                continue
            edges.append(".".join(found.chain))
            if not self._is_local(path_of(found.value)):
                edges.append(origin_of(found.value))
            name, path, owner = f"{title}.{found.chain[-1]}", "", closure
            if found.space is not None:
                name = f"{found.space.get('__name__')}.{found.chain[-1]}"
                path = str(found.space.get("__file__") or "")
                owner = found.space
            self._value(found.value, name, path, edges, owner=owner)

    def _value(
        self, value: Any, name: str, path: str, edges: list[str], *, owner: object
    ) -> None:
        """Note what a name means: a constant is a part of its own."""
        if value is NOTHING:
            edges.append("nothing")
            self._lacking.append(name.rpartition(".")[2])
        elif isinstance(value, _THINGS):
            self.mention(value, edges)
        else:
            if passes_on(value):
                self.mention(value, edges)
            if self._is_constant(value, path):
                path = path if self._is_local(path) else ""
                edges.append(self.number(value, name, path, owner))
                self._kept.append(owner)

    def _is_constant(self, value: Any, path: str) -> bool:
        """Return whether a value says something that what it is called does not."""
        if is_made_here(value) and self._is_local(path):
            return True
        if passes_on(value):
            return False
        return not callable(value) or self._is_local(path_of(type(value)))
