"""A pipeline run over the whole image, as `segkit run` does it, and how far it is."""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from segkit.pipeline.file import write_pipeline
from segkit.pipeline.pipeline import Pipeline
from segkit.pipeline.steps import PipelineError, Step
from segkit.workflows import PipelineJugfile
from taskgraph import open_store
from taskgraph.extending import report_of, store_url

if TYPE_CHECKING:
    from collections.abc import Sequence

_LINES = 20
"""Of what a run has said, so many are told at its end."""


@dataclass(slots=True)
class WholeRun:
    """Saves a pipeline, and runs it over the whole image in processes of its own.

    Attributes
    ----------
    pipeline : Path
        Where it is saved.
    image : Path
        What it runs over.
    out : Path
        Folder for what it saves.
    workers : int
        How many processes run it.
    trusted : bool
        Whether it may run functions that are none of segkit's.
    fresh : bool
        Whether it is yet to be saved under a name that was free.
    """

    pipeline: Path
    image: Path
    out: Path
    workers: int = 1
    trusted: bool = False
    fresh: bool = False
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _said: IO[bytes] | None = field(default=None, repr=False)

    def target(self) -> dict[str, str]:
        """Return where the pipeline is saved, and the command that runs it."""
        return {"pipeline": str(self.pipeline), "command": shlex.join(self.command())}

    def command(self) -> list[str]:
        """Return the words of the command that runs the pipeline."""
        trust = ["--trust"] if self.trusted else []
        words = [_word(self.pipeline), _word(self.image), "-o", str(self.out)]
        return ["segkit", "run", *words, "-j", str(self.workers), *trust]

    def save(self, steps: Sequence[Step]) -> dict[str, Any]:
        """Save steps as the pipeline, and say where.

        Raises
        ------
        PipelineError
            If they are no pipeline.
        """
        if self.fresh and self.pipeline.exists():  # somebody else's, saved meanwhile
            self.pipeline = free_name(self.pipeline.parent)
        write_pipeline(self.pipeline, Pipeline(*steps).steps)
        self.fresh = False
        return self.target()

    def start(self) -> None:
        """Begin to run what was saved; results are kept beside it, in a store.

        Raises
        ------
        PipelineError
            If it runs already.
        """
        if self._process is not None and self._process.poll() is None:
            raise PipelineError("it runs already; see how far it is below")
        self.stop()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - as long as it runs
        words = [sys.executable, "-m", "segkit", *self.command()[1:]]
        self._process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=self._said, stderr=self._said
        )

    def stop(self) -> None:
        """End what runs; what is done is kept."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait()
        if self._said is not None:
            self._said.close()
            self._said = None

    def progress(self) -> dict[str, Any]:
        """Return how many tasks are done, and what was said at the end."""
        if self._process is None:
            return {}
        code = self._process.poll()
        found: dict[str, Any] = {"running": code is None, "code": code}
        if code is not None:
            found["said"] = self._last_lines()
        return {**found, **self._counts()}

    def _counts(self) -> dict[str, int]:
        """Return how many tasks there are, by what the store knows."""
        try:
            jugfile = PipelineJugfile(
                self.pipeline, (str(self.image),), self.out, trust=self.trusted
            )
            url = store_url(self.pipeline, None)
            if not Path(url).exists():
                return {}
            report = report_of(jugfile.load(open_store(url)))
        except (OSError, ValueError):  # told by the run itself
            return {}
        return {
            "done": report.done,
            "failed": report.failed + report.blocked,
            "open": report.open,
        }

    def _last_lines(self) -> list[str]:
        if self._said is None:
            return []
        self._said.seek(0)
        return self._said.read().decode(errors="replace").splitlines()[-_LINES:]


def _word(path: Path) -> str:
    """Return a path as a word of a command, which is no option of it."""
    text = str(path)
    return f"./{text}" if text.startswith("-") else text


def free_name(folder: Path) -> Path:
    """Return a path for a new pipeline: ``pipeline.toml``, or the next that is free.

    Examples
    --------
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "pipeline.toml").touch()
    >>> free_name(folder).name
    'pipeline-2.toml'
    """
    path, number = folder / "pipeline.toml", 1
    while path.exists():
        number += 1
        path = folder / f"pipeline-{number}.toml"
    return path
