"""A plate run by a call, as `segkit run` does it by a command."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.io.elsewhere.address import local_path
from segkit.names import known_as
from segkit.pipeline.pipeline import Pipeline
from segkit.pipeline.steps import PipelineError
from segkit.workflows.plates.plate_jugfile import PlateJugfile
from segkit.workflows.telling import failures, told_of, warm_up
from taskgraph.extending import store_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.arrays import Table
    from segkit.workflows.inputs import KnownBy
    from segkit.workflows.pipelines import Outputs
    from taskgraph import Report


@known_as("segkit.workflows")
@dataclass(frozen=True, slots=True)
class PlateResult:
    """What was made of a plate.

    Attributes
    ----------
    objects : dict of str to ndarray
        A row for each object, with its well, row, column and field (and ``t``) before
        its properties; empty if the pipeline measures nothing.
    wells : dict of str to ndarray
        A row for each well; empty of a plate whose fields are in none.
    conditions : dict of str to ndarray
        A row for each condition, of what its wells come to; empty if nothing is said of
        wells.
    left_out : dict of str to str
        Which fields are not in the tables, and why.
    notes : tuple of str
        What the command tells beside that.
    files : tuple of Path
        The files of the tables.
    """

    objects: Table = field(repr=False)
    wells: Table = field(repr=False)
    left_out: dict[str, str]
    notes: tuple[str, ...]
    files: tuple[Path, ...]
    conditions: Table = field(default_factory=dict, repr=False)


@known_as("segkit.workflows")
def run_plate(
    pipeline: Pipeline | str | Path,
    plate: str | Path,
    *,
    pattern: str | None = None,
    layout: str | Path | None = None,
    by: Sequence[str] = (),
    out: str | Path = ".",
    axes: str | None = None,
    channels: Sequence[str] | None = None,
    tile: int | Sequence[int] | None = None,
    store: Any = None,
    workers: int = 1,
    known_by: KnownBy = "stamp",
    overwrite: bool = False,
    trust: bool = False,
) -> PlateResult:
    """Run a pipeline over each field of a plate; return the tables of all of them.

    It does what ``segkit run PIPELINE PLATE`` does: each field is tasks of its own,
    whose results stay in the store, so that another call computes only what is missing
    or was touched. A field that cannot be opened, is damaged or does not fit is left
    out and told; the others go on.

    Parameters
    ----------
    pipeline : Pipeline or path
        Steps, or their file.
    plate : path
        An OME-Zarr plate, or the folder of images that `pattern` speaks of.
    pattern : str, optional
        How files are named in the folder: ``"{well}_s{field}_w{channel}.tif"``.
    layout : path, optional
        A CSV file with a row for each well: ``well`` (or ``row`` and ``column``) and
        what was done to it, such as ``treatment``, ``dose``, ``replicate``.
    by : sequence of str, optional
        Which of these columns make a condition; by default all but those that number
        repetitions. Or groups of the pattern: ``"{drug}/{well}_s{field}.tif"``.
    out : path
        Folder for the tables, ``PLATE-objects.csv``, ``PLATE-wells.csv`` and
        ``PLATE-conditions.csv``, and for what the pipeline saves of each field,
        ``{name}``.
    axes, channels : optional
        Of the images, for files that do not say.
    tile : int or sequence of int, optional
        Tiles for a pipeline that names none.
    store : str, path, Backend or Results, optional
        Where results stay: beside the file of the pipeline by default, as for the
        command; of a `Pipeline` in memory, and gone when the call returns.
    workers : int
        Processes. Results in memory are made in this one.
    known_by : {'stamp', 'content'}
        Whether a changed image is known by path, size and time, or by what is in it.
    overwrite : bool
        Replace files that others wrote.
    trust : bool
        Whether the file of a pipeline may run any functions that it names.

    Returns
    -------
    PlateResult
        The tables, what is left out of them, and what is to be told.

    Raises
    ------
    PipelineError
        If the pipeline does not fit, or nothing could be made of any field.
    ImageError, OSError
        If there is no such plate, names of files are ambiguous, or the layout does not
        fit: it lacks a well, lists one twice, or has an empty cell.

    Examples
    --------
    >>> import pathlib, tempfile, numpy as np, segkit
    >>> from segkit.pipeline import Pipeline, binarize, label, regionprops
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> (folder / "scan").mkdir()
    >>> field = np.zeros((32, 32), np.uint8)
    >>> field[4:9, 4:9] = field[20:28, 12:20] = 200
    >>> for well in ("B02", "B03"):
    ...     _ = segkit.save(folder / "scan" / f"{well}_s1.tif", field)
    >>> steps = Pipeline(binarize("otsu"), label(), regionprops(properties=["area"]))
    >>> made = run_plate(
    ...     steps, folder / "scan", pattern="{well}_s{field}.tif", out=folder / "out"
    ... )
    >>> made.objects["well"].tolist(), made.objects["area"].tolist()
    (['B02', 'B02', 'B03', 'B03'], [25.0, 64.0, 25.0, 64.0])
    >>> made.wells["objects"].tolist(), made.left_out
    ([2, 2], {})
    """
    steps = pipeline if isinstance(pipeline, Pipeline) else None
    path = Path("the pipeline" if isinstance(pipeline, Pipeline) else pipeline)
    source = PlateJugfile(
        path,
        [local_path(plate)],
        out=Path(out),
        axes=axes,
        tile=None if tile is None else tuple(np.atleast_1d(tile).tolist()),
        known_by=known_by,
        overwrite=overwrite,
        trust=trust,
        channels=None if channels is None else tuple(channels),
        given=steps,
        pattern=pattern,
        layout=None if layout is None else Path(layout),
        by=(by,) if isinstance(by, str) else tuple(by),
    )
    source.require_usable()
    source.make_out()
    return _result(source, _run(source, store, workers))


def _run(source: PlateJugfile, store: Any, workers: int) -> Report:
    """Run all tasks; those of the tables once more, without fields that failed."""
    import taskgraph

    in_file = source.given is None
    if store is None:
        store = store_url(source.path, None) if in_file else "memory://"
    workers = 0 if store == "memory://" else workers
    results = taskgraph.open_store(store) if isinstance(store, (str, Path)) else store
    while True:
        loaded = source.load(results)
        if in_file:
            source.keep(loaded)
        warm_up(source)
        tasks = list(loaded.graph.tasks)
        report = taskgraph.run(tasks, store=results, workers=workers, check=False)
        if not source.incomplete(report):
            return report


def _result(source: PlateJugfile, report: Report) -> PlateResult:
    lines = failures(source, report)
    if not all(table.can_load() for table in source.tables):
        raise PipelineError(
            f"{source.plate.path}: no field could be computed: {'; '.join(lines)}"
        )
    left_out = dict(source.refused)
    by_name = dict(zip(source.names(), source.outputs, strict=True))
    for name in sorted(source.left_out):
        left_out[name] = _why(by_name[name], report)
    tables = [table.value() for table in source.tables]
    objects, wells, conditions = (*tables, {}, {}, {})[:3]
    notes = (*told_of(source, ""), *lines)
    files = tuple(source.more_files)
    return PlateResult(objects, wells, left_out, notes, files, conditions)


def _why(made: Outputs, report: Report) -> str:
    """Return why tasks of a field failed."""
    keys = {task.key for some in made.tasks for task in some}
    failed = keys.intersection(report.store.backend.failures())
    records = [report.store.record(key) for key in sorted(failed)]
    told = [one.failure for one in records if one is not None and one.failure]
    return "; ".join(f"{one.error}: {one.message}" for one in told[:1]) or "failed"
