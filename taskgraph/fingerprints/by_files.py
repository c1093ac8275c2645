"""Whether code is still what it was, by its files alone: nothing is imported or run."""

from __future__ import annotations

import ast
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from taskgraph.fingerprints.parts import digest_of, recorded
from taskgraph.fingerprints.source_files import source_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgraph.fingerprints.source_files import Source


class AtAGlance:
    """Compares the parts of recorded codes with what stands in files now.

    What cannot be told by a file counts as unchanged: what a name that is worked out
    means, and what is not in any of the files.

    Parameters
    ----------
    files : iterable of path
        A script first, and the modules of the project that it imports.
    """

    def __init__(self, files: Iterable[str | Path]) -> None:
        self._files = [Path(file) for file in files if Path(file).suffix == ".py"]
        self._known: dict[tuple[str, str], bool] = {}

    def changed(self, text: str) -> list[str] | None:
        """Return which parts of a recorded code are others now, itself left out.

        None if none is; empty if it is the function itself, too.
        """
        _, parts = recorded(text)
        others = [part for part in parts.items() if not self._is_same(*part)]
        if not others:
            return None
        own = next(iter(parts))
        return [] if own in dict(others) else [name for name, _ in others]

    def _is_same(self, name: str, digest: str) -> bool:
        known = self._known.get((name, digest))
        if known is None:
            known = self._known[name, digest] = self._looks_same(name, digest)
        return known

    def _looks_same(self, name: str, digest: str) -> bool:
        path, inner = self._home(name)
        source = source_of(str(path)) if path is not None else None
        if source is None or (inner.endswith(")") and not inner.endswith("()")):
            return True
        if inner == "*":
            return digest_of(source.whole().text) == digest
        if not inner.endswith(("()", ":")):
            return _is_same_value(source, inner, digest)
        qualname = inner.removesuffix("()").removesuffix(":")
        if _has(source, qualname, digest):
            return True
        others = (source_of(str(file)) for file in self._files if file != path)
        return any(_has(other, qualname, digest) for other in others if other)

    def _home(self, name: str) -> tuple[Path | None, str]:
        """Return the file of a part, and what it is called there."""
        module, inner = name, ""
        while "." in module:
            module, _, last = module.rpartition(".")
            inner = f"{last}.{inner}" if inner else last
            for file in self._files:
                if _is_of(file, module):
                    return file, inner
            for script in self._files[:1]:  # a pipeline has none
                beside = Path(script.parent, *module.split("."))
                for file in (beside.with_suffix(".py"), beside / "__init__.py"):
                    if file.is_file():
                        return file, inner
        return None, inner


def _is_of(file: Path, module: str) -> bool:
    """Return whether a file has a module, which may be a package's."""
    parts = module.split(".")
    stem = [] if file.name == "__init__.py" else [file.stem.replace(".", "_")]
    names = (*file.parent.parts, *stem)
    return list(names[-len(parts) :]) == parts


def _has(source: Source, qualname: str, digest: str) -> bool:
    return any(digest_of(f.text) == digest for f in source.of_name(qualname))


def _is_same_value(source: Source, name: str, digest: str) -> bool:
    """Return whether a variable of a module has its value, as far as a file tells."""
    from taskgraph.fingerprints.meanings import value_text

    form = source.of_variable(name)
    if form is None or digest_of(form.text) == digest:
        return True
    for statement in source.tree.body:
        targets = getattr(statement, "targets", [getattr(statement, "target", None)])
        if any(isinstance(t, ast.Name) and t.id == name for t in targets):
            with suppress(ValueError, TypeError, SyntaxError, RecursionError):
                value = ast.literal_eval(statement.value)  # type: ignore[attr-defined] # it has one
                if digest_of(value_text(value)) != digest:
                    return False
    return True
