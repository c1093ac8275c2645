"""Examples of `jugfiles/examples` as the scripts that sphinx-gallery runs."""

import ast
import inspect
import re
import shutil
from pathlib import Path
from textwrap import dedent

from examples import _topics

import segkit

_SCRIPT = '''\
"""
{title}
{line}

{summary}
"""

{imports}
from showing import nuclei, show

# %%

{source}

show({name}(nuclei()))
'''


def write(folder):
    """Write a script for each example whose libraries are here, by topic."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    text = "Each function at work on a part of mahotas' nuclei."
    _headline(folder, "Gallery", text, "=")
    for topic in _topics.TOPICS:
        title = _topics.title_of(topic)
        part = folder / title.lower()
        part.mkdir()
        _headline(part, title, topic.__doc__.strip().splitlines()[0], "-")
        for function in _topics.examples_of(topic):
            if not _topics.missing_for(function):
                (part / f"{function.__name__}.py").write_text(_script(topic, function))


def in_order(part):
    """Return the place of a topic's folder among the others."""
    titles = [_topics.title_of(topic).lower() for topic in _topics.TOPICS]
    return titles.index(Path(part).name)


def _headline(folder, title, text, line):
    """Write what stands above a gallery: topics are below the whole, on its page."""
    (folder / "GALLERY_HEADER.rst").write_text(
        f"{title}\n{line * len(title)}\n\n{text}\n"
    )


def _script(topic, function):
    name = function.__name__
    shown = getattr(segkit, name, function)
    summary = re.sub(
        r"\s*\[\d+\]_", "", (inspect.getdoc(shown) or name).splitlines()[0]
    )
    return _SCRIPT.format(
        title=name,
        line="=" * len(name),
        summary=summary,
        imports=_imports(topic, function),
        source=dedent(inspect.getsource(function)).strip(),
        name=name,
    )


def _imports(topic, function):
    """Return what a function uses of its module: imports, and the helpers beside it."""
    used = {
        node.id
        for node in ast.walk(ast.parse(dedent(inspect.getsource(function))))
        if isinstance(node, ast.Name)
    }
    lines = []
    for node in ast.parse(inspect.getsource(topic)).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            node.names = [a for a in node.names if (a.asname or a.name) in used]
            if node.names:
                lines.append(ast.unparse(node))
    if beside := sorted(used & {name for name in vars(topic) if name.startswith("_")}):
        lines.append(f"from {topic.__name__} import {', '.join(beside)}")
    return "\n".join(lines)
