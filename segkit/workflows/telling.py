"""What `segkit run` tells its user: where results are, what to do, an exit code."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from segkit.pipeline import PipelineError

if TYPE_CHECKING:
    from pathlib import Path


def default_store(pipeline: Path) -> str:
    """Return where the results of a pipeline are kept unless another place is named."""
    return str(pipeline.with_suffix(".tgdata"))


def advice(pipeline: Path, store: str) -> str:
    """Return commands that can be copied: which pipeline and store they are about.

    Examples
    --------
    >>> from pathlib import Path
    >>> print(advice(Path("cells.toml"), "cells.tgdata"))
    `tg errors cells.toml` shows why; mend it, then `tg retry cells.toml` and the same
    `segkit run` again (or add --retry to it)
    """
    words = [str(pipeline)]
    if store != default_store(pipeline):
        words = ["--store", store, *words]
    named = shlex.join(words)
    return (
        f"`tg errors {named}` shows why; mend it, then `tg retry {named}` and the same"
        " `segkit run` again (or add --retry to it)"
    )


def exit_code_of(error: Exception) -> int | None:
    """Return the exit code for an error, None for one that nobody foresaw."""
    from backends.errors import BackendError, OpenError
    from segkit.io import ImageError
    from taskgraph.errors import GaveUpError, TaskgraphError

    if isinstance(error, GaveUpError):
        return 3
    usage = (PipelineError, ImageError, TaskgraphError, OpenError)
    if isinstance(error, (*usage, FileNotFoundError, PermissionError)):
        return 2
    return 4 if isinstance(error, BackendError) else None
