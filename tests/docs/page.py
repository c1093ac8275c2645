"""One page of the documentation, run as by a reader: `python -m tests.docs.page PAGE`.

Blocks run in their order, in the folder where this is started. What a block is comes
from its language, and from a comment before it, which readers do not see:

- ``python`` that begins with ``# name.py`` is written to that file, other runs here;
- ``console`` has commands behind ``$``, each of which has to succeed;
- ``sh`` runs as a whole, ``toml`` with ``# name.toml`` is written;
- ``<!-- before: COMMANDS -->`` runs in a shell first;
- ``<!-- not run: REASON -->`` says why a block is only looked at for its syntax.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

_PART = re.compile(
    r"^<!-- (?P<kind>before|not run): (?P<text>.*?) -->"
    r"|^(?P<fence>`{3,})(?P<language>\w*)\n(?P<body>.*?)^(?P=fence)$",
    re.DOTALL | re.MULTILINE,
)
_FILE = re.compile(r"# ([\w./-]+\.(?:py|toml))\n")
RUN = ("python", "console", "sh", "toml")
SHOWN = ("", "text", "markdown", "mermaid")
"""Languages of blocks that nobody types."""


@dataclass(frozen=True)
class Block:
    """What is typed, where it stands, and what comes before it."""

    line: int
    language: str
    body: str
    before: tuple[str, ...] = ()
    not_run: str = ""


def blocks_of(text: str) -> list[Block]:
    """Return the blocks of a page, in their order."""
    found, before, reason = [], [], ""
    for part in _PART.finditer(text):
        if part["kind"] == "before":
            before.append(part["text"])
        elif part["kind"]:
            reason = " ".join(part["text"].split())
        else:
            line = text.count("\n", 0, part.start()) + 1
            block = Block(line, part["language"], part["body"], tuple(before), reason)
            found.append(block)
            before, reason = [], ""
    return found


def commands_of(console: str) -> list[str]:
    """Return what follows the prompts, with lines that go on by a backslash."""
    joined = re.sub(r"\\\n", " ", console)
    return [line[2:] for line in joined.splitlines() if line.startswith("$ ")]


def checked(block: Block) -> None:
    """Look at the syntax of a block only."""
    if block.language == "python":
        ast.parse(block.body)
    elif block.language == "toml":
        tomllib.loads(block.body)
    elif block.language in {"sh", "console"}:
        script = block.body
        if block.language == "console":
            script = "\n".join(commands_of(script))
        subprocess.run(["bash", "-n", "-c", script], check=True)


def run(block: Block, names: dict[str, object]) -> None:
    """Do what a block says; raise if that fails."""
    for script in block.before:
        _shell(script)
    if block.not_run:
        return checked(block)
    if (file := _FILE.match(block.body)) and block.language in {"python", "toml"}:
        Path(file[1]).parent.mkdir(parents=True, exist_ok=True)
        Path(file[1]).write_text(block.body)
    elif block.language == "python":
        exec(compile(block.body, f"line {block.line}", "exec"), names)
    elif block.language == "toml":
        checked(block)
    elif block.language == "console":
        for command in commands_of(block.body):
            _shell(command)
    elif block.language == "sh":
        _shell(block.body)
    elif block.language not in SHOWN:
        raise ValueError(f"no block is of {block.language!r}: {', '.join(RUN)}")
    return None


def _shell(script: str) -> None:
    print("+", script.strip(), flush=True)  # noqa: T201 - what a failure is read by
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        check=True,
        env=os.environ | {"PATH": path},
        stdin=subprocess.DEVNULL,
    )


def main() -> None:
    """Run the page that is named."""
    names: dict[str, object] = {"__name__": "__console__"}
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - as the prompt has it
    for block in blocks_of(Path(sys.argv[1]).read_text()):
        try:
            run(block, names)
        except BaseException:
            print(f"{sys.argv[1]}, line {block.line}:\n{block.body}")  # noqa: T201
            raise


if __name__ == "__main__":
    main()
