"""Small projects of two modules, written out in one style or another, and loaded."""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

MODULES = ("work", "helpers")
_numbers = itertools.count()


def load(folder: Path, **sources: str) -> ModuleType:
    """Write modules to a new folder and load them; return the last one."""
    home = folder / f"project{next(_numbers)}"
    home.mkdir()
    importlib.invalidate_caches()
    for name, text in sources.items():
        path = home / f"{name}.py"
        path.write_text(text)
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Function:
    """What one function of a project does.

    `kind` is one of def, lambda, class, decorated, partial; `calls` are others.
    """

    kind: str = "def"
    literal: int = 1
    default: int = 2
    constant: int = 3
    listed: int = 4
    calls: tuple[int, ...] = ()


@dataclass(frozen=True)
class Style:
    """How a project is written down; none of it changes what its functions do."""

    comments: bool = False
    docstrings: bool = False
    hints: bool = False
    brackets: bool = False
    backwards: bool = False
    local: str = "total"
    elsewhere: frozenset[int] = field(default_factory=frozenset)


def written(functions: tuple[Function, ...], style: Style = Style()) -> dict[str, str]:
    """Return the sources of a project by module; ``work.f0`` is the first function."""
    numbers = list(range(len(functions)))[:: -1 if style.backwards else 1]
    here = [n for n in numbers if n == 0 or n not in style.elsewhere]
    there = [n for n in numbers if n not in here]
    texts = {n: _function(n, functions[n], style) for n in numbers}
    twice = "def twice(f):\n    @functools.wraps(f)\n    def wrapper(x):\n"
    twice += "        return f(f(x))\n    return wrapper\n"
    helpers = "import functools\n" + twice + "".join(texts[n] for n in there)
    taken = "".join(f", f{n}" for n in there)
    work = f"import functools, helpers\nfrom helpers import twice{taken}\n"
    work += "".join(texts[n] for n in here)
    # What is moved away may call what has stayed.
    work += "".join(f"helpers.f{n} = f{n}\n" for n in here)
    return {"helpers": helpers, "work": work}


def _function(n: int, f: Function, style: Style) -> str:
    hint = ": float" if style.hints else ""
    end = " -> float" if style.hints else ""
    doc = f'    "Number {n}."\n' if style.docstrings else ""
    note = "    # why\n\n" if style.comments else ""
    value = f"x * {f.literal} + k + C{n} + L{n}[0]"
    value = f"(({value}))" if style.brackets else value
    calls = "".join(f" + f{c}(x)" for c in f.calls)
    constants = f"C{n} = {f.constant}\nL{n} = [{f.listed}]\n"
    if f.kind == "lambda":
        return f"{constants}f{n} = lambda x, k={f.default}: {value}{calls}\n"
    body = f"{doc}{note}    {style.local}{hint} = {value}\n"
    body += f"    return {style.local}{calls}\n"
    if f.kind == "class":
        inner = "".join(f"    {line}\n" for line in body.splitlines())
        text = f"class f{n}:\n    def __init__(self, x{hint}, k={f.default}):\n{inner}"
        return constants + text.replace("return ", "self.y = ")
    if f.kind == "partial":
        text = f"def _f{n}(k, x{hint}){end}:\n{body}"
        return f"{constants}{text}f{n} = functools.partial(_f{n}, {f.default})\n"
    above = "@twice\n" if f.kind == "decorated" else ""
    return f"{constants}{above}def f{n}(x{hint}, k={f.default}){end}:\n{body}"
