"""Pages of the reference: public names by folder, commands by group."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

from taskgraph.cli import GROUPS

OF_EXTRAS = {
    "partitions": "Partitions into regions",
    "features": "Features of regions",
    "learning": "Learning from regions and pixels",
}
ROOT = Path(__file__).parents[2]
_IMPORTED = re.compile(r"^from \.([\w.]+) import \($(.*?)^\)", re.DOTALL | re.MULTILINE)
_NAME = re.compile(r"(\w+) as \1,")


def write(folder):
    """Write what is of names and commands into the folder of the reference."""
    folder.mkdir(exist_ok=True)
    for package in ("taskgraph", "segkit"):
        (folder / f"{package}.rst").write_text(_names_of(package))
    (folder / "pipeline.rst").write_text(_face("segkit.pipeline", "Steps of pipelines"))
    for part, title in OF_EXTRAS.items():
        (folder / f"{part}.rst").write_text(_face(f"segkit.{part}", title))
    (folder / "testing.rst").write_text(_face("taskgraph.testing", "Testing jugfiles"))
    (folder / "commands.md").write_text(_commands())


def _headline(text, line="="):
    return f"{text}\n{line * len(text)}\n\n"


def _listed(module, names):
    template = "function.rst" if module == "segkit" else "base.rst"
    lines = [f".. currentmodule:: {module}\n", ".. autosummary::"]
    lines += [f"   :toctree: {module}", f"   :template: {template}", ""]
    return "\n".join([*lines, *(f"   {name}" for name in names)]) + "\n\n"


def _names_of(package):
    face = (ROOT / package / "__init__.pyi").read_text()
    parts = {}
    for module, names in _IMPORTED.findall(face):
        parts.setdefault(module.partition(".")[0], []).extend(_NAME.findall(names))
    text = _headline(package)
    first = importlib.import_module(package).__doc__.strip().splitlines()[0]
    text += first + "\n\n"
    for part, names in parts.items():
        text += _headline(part.replace("_", " ").capitalize(), "-")
        text += _listed(package, names)
    return text


def _face(module, title):
    names = sorted(
        name
        for name in importlib.import_module(module).__all__
        if not name.startswith("_")
    )
    return _headline(title) + _listed(module, names)


def _commands():
    text = "# Commands\n\n"
    for title, summaries in GROUPS.values():
        text += f"## {title}\n\n"
        for name in summaries:
            text += (
                f"### `tg {name}`\n\n```text\n{_help('taskgraph.cli', name)}\n```\n\n"
            )
    text += f"## segkit\n\n```text\n{_help('segkit.cli')}\n```\n"
    for name in ("run", "submit", "explore"):
        text += f"\n### `segkit {name}`\n\n```text\n{_help('segkit.cli', name)}\n```\n"
    return text


def _help(module, *words):
    code = f"from {module} import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *words, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "90", "PATH": "", "TERM": "dumb"},
    )
    program = module.partition(".")[0].replace("taskgraph", "tg")
    return done.stdout.replace("Usage: -c", f"Usage: {program}").strip()
