"""A pipeline file and its images, as `tg execute` takes a jugfile."""

from __future__ import annotations

import shlex
import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from segkit.io import open_image
from segkit.io.errors import ImageError, ImageRequestError, SpacingWarning
from segkit.names import known_as
from segkit.pipeline.pipeline import Pipeline, loading
from segkit.pipeline.several_images import require_each_once
from segkit.pipeline.spacings import common_unit
from segkit.pipeline.stage_work import (
    image_name,
    loaded_path,
    save_paths,
)
from segkit.pipeline.steps import PipelineError
from segkit.workflows.pipelines import pipeline_tasks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segkit.workflows.inputs import KnownBy
    from segkit.workflows.pipelines import Outputs
    from taskgraph import Report, Results, Task
    from taskgraph.extending import Loaded, Recording
_NAMED = 5
"""Images of a kind, and kinds, that an error names."""


@known_as("segkit.workflows")
@dataclass(slots=True)
class PipelineJugfile:
    """A pipeline file and its images, loaded as a jugfile is.

    Attributes
    ----------
    path : Path
        The pipeline.
    images : sequence of str
        What to run it over; none takes the path that it loads itself.
    out : Path
        Folder for the files that it saves.
    axes : str or None
        Those of the images, in the place of what the pipeline's `load` says.
    tile, block, known_by, overwrite, trust
        As `pipeline_tasks` takes them.
    channels : tuple of str or None
        Names of the images' channels, in the place of what the pipeline's `load` says.
    given : Pipeline or None
        The pipeline, if it is in no file; then `path` is what messages call it.
    outputs : list of Outputs
        Of each image, once it was loaded.
    more, more_files : list
        Tasks, and the files that they write, of all images together.
    refused : dict of str to str
        What is left out, as it could not be opened, and why; of a plate.
    """

    path: Path
    images: Sequence[str] = ()
    out: Path = Path()
    axes: str | None = None
    tile: tuple[int, ...] | None = None
    block: int | None = None
    known_by: KnownBy = "stamp"
    overwrite: bool = False
    trust: bool = False
    channels: tuple[str, ...] | None = None
    given: Pipeline | None = None
    outputs: list[Outputs] = field(default_factory=list)
    more: list[Task] = field(default_factory=list)
    more_files: list[Path] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def arguments(self) -> tuple[str, ...]:
        """What `segkit run` was given after the pipeline; tells runs of it apart."""
        words = [*map(str, self.images), "-o", str(self.out)]
        if self.axes is not None:
            words += ["--axes", self.axes]
        if self.channels is not None:
            words += ["--channels", ",".join(self.channels)]
        if self.tile is not None:
            words += ["--tile", ",".join(map(str, self.tile))]
        if self.block is not None:
            words += ["--block", str(self.block)]
        if self.known_by != "stamp":
            words += ["--known-by", self.known_by]
        words += ["--overwrite"] * self.overwrite + ["--trust"] * self.trust
        return tuple(words)

    def names(self) -> list[str]:
        """Return what the images are called."""
        return [*self.images] or ["the image"]

    def groups(self) -> list[tuple[str, list[Outputs]]]:
        """Return the tasks of images that are told together, and what these are."""
        from segkit.workflows.reserving import file_of

        names = [file_of(path).name.partition("?")[0] for path in self.images] or [""]
        return [(name, [one]) for name, one in zip(names, self.outputs, strict=True)]

    def notes(self) -> list[str]:
        """Return what is to be told before a run."""
        return []

    def incomplete(self, report: Report) -> bool:  # noqa: ARG002 - of plates
        """Say whether there is more to run, once a run has ended."""
        return False

    def require_usable(self) -> None:
        """Look at all that is given, before a store is made for it.

        Nothing is made; see `make_out`.

        Raises
        ------
        PipelineError
            If the file is no pipeline, or its files cannot be written; if a file is
            given twice, through links too.
        OSError
            If an image is not there or must not be read.
        """
        from segkit.io.opening import require_readable

        pipeline = self.pipeline()
        images = self.images or (_loaded(pipeline),)
        for image in images:
            require_readable(image)
        require_each_once((image, None) for image in images)
        save_paths(pipeline.steps, self.out, [*map(image_name, images)])

    def make_out(self) -> None:
        """Make the folder for what the pipeline saves, if it saves anything.

        Raises
        ------
        PipelineError
            If it cannot be made.
        """
        from segkit.io.elsewhere.address import is_address
        from segkit.io.publishing import make_folder

        if is_address(self.out):
            raise PipelineError(
                "-o is a folder on this machine; name an address in a step of the"
                " pipeline instead: save('s3://bucket/{name}.zarr')"
            )
        if any(step.saves for step in self.pipeline().steps):
            try:
                make_folder(self.out)
            except OSError as error:
                raise PipelineError(f"-o {self.out}: {error.strerror}") from error

    def load(self, results: Results, _pause: object = None) -> Loaded:
        """Write the tasks of all images down.

        Raises
        ------
        PipelineError
            If the file is no pipeline, it does not fit an image, or two images would
            be written to one file; if an image is given twice, by whatever names, or
            bounds would be of several units; if several images cannot be taken.
        ImageError
            If one cannot be taken.
        """
        from taskgraph.extending import Graph, Loaded

        pipeline = self.pipeline()
        written = self._write_down(pipeline, results)
        opened = [one.source.image for one in self.outputs]
        images = [*zip(self.images, opened, strict=False)]
        require_each_once(images)
        unit = common_unit(pipeline.steps, images)
        if unit is not None:
            written = self._write_down(pipeline, results, unit)
        inputs = written.encoder.files
        return Loaded(Graph(written.tasks), {}, results, inputs=inputs)

    def pipeline(self) -> Pipeline:
        """Return the pipeline, which opens images with the axes that are given."""
        pipeline = self.given or Pipeline.load(self.path, trust=self.trust)
        options = {"axes": self.axes, "channels": self.channels}
        said = {name: value for name, value in options.items() if value is not None}
        return loading(pipeline, said) if said else pipeline

    def _write_down(
        self, pipeline: Pipeline, results: Results, unit: str | None = None
    ) -> Recording[Task]:
        """Return the tasks of all images, with lengths measured in one unit."""
        from taskgraph.extending import Recording, recorded_in

        recording: Recording[Task] = Recording(results)
        self.outputs, refused = [], list[ImageError]()
        with recorded_in(recording), warned_once():
            for image in self.images or (None,):
                try:
                    self.outputs.append(self._outputs(pipeline, image, unit))
                except ImageError as error:
                    refused.append(error)
        if refused:
            raise together(refused)
        return recording

    def _outputs(
        self, pipeline: Pipeline, image: str | None, unit: str | None
    ) -> Outputs:
        """Write the tasks of one image down; of several, an error names it."""
        if self.axes is not None and image is not None:
            _require_order(image, self.axes)
        tile = self.tile
        try:
            return pipeline_tasks(
                pipeline,
                image,
                out=self.out,
                tile=tile[0] if tile and len(tile) == 1 else tile,
                block=self.block,
                known_by=self.known_by,
                overwrite=self.overwrite,
                unit=unit,
            )
        except ImageRequestError as error:
            apart = "" if image is None or self.axes else _one_by_one(image)
            if not apart:
                raise
            raise type(error)(
                error.path, f"{apart.lstrip()}: {error.message}"
            ) from error
        except PipelineError as error:
            advice = "" if image is None or self.axes else _one_by_one(image)
            if len(self.images) < 2 and not advice:
                raise
            raise PipelineError(f"{image}{advice}: {error}") from error

    def keep(self, loaded: Loaded) -> None:
        """Keep the graph in the store: `tg status pipeline.toml` shows it."""
        from taskgraph.extending import keep_graph

        keep_graph(loaded, self.path, self.arguments)


def _one_by_one(image: str) -> str:
    """Return how pictures of a folder are given one by one; empty if it is none."""
    from segkit.io.pictures.folder import BESIDE_PICTURES

    path = Path(image)
    files = path.glob("[!.]*.[A-Za-z]*") if path.is_dir() else ()
    found = {file.suffix for file in files if file.is_file()}
    kinds = sorted(kind for kind in found if kind.lower() not in BESIDE_PICTURES)
    if not kinds:
        return ""
    folder = shlex.quote(str(path))  # to be copied into a shell
    each = " ".join(f"{folder}/*{kind}" for kind in kinds[:_NAMED])
    return (
        f" is a folder, and that is one image: for a result of each picture, give"
        f" {each}; if it is a plate, say by --pattern how its files are named. As one"
        " image"
    )


def _require_order(image: str, axes: str) -> None:
    """Raise `PipelineError` if axes are those that a file states, in another order.

    They name the axes as they lie in the file, and move no voxel.
    """
    with suppress(ImageError):  # without axes it may not open
        stated = open_image(image)
        if stated.stated and stated.axes != axes and {*stated.axes} == {*axes}:
            raise _renamed(image, axes, stated.axes)


def _renamed(image: str, axes: str, stated: str) -> PipelineError:
    return PipelineError(
        f"{image}: states its axes, {stated!r}; --axes {axes} would call them"
        " otherwise and move no voxel. Leave --axes out; if the file is wrong, save a"
        f" copy: segkit.save(copy, segkit.open_image({image!r}, axes={axes!r}))"
    )


def together(refused: Sequence[ImageError]) -> Exception:
    """Return one error that names all images that cannot be taken, up to some."""
    if len(refused) == 1:
        return refused[0]
    named: dict[str, list[str]] = {}
    for error in refused:
        named.setdefault(error.message, []).append(error.path)
    parts = [
        f"{', '.join(paths[:_NAMED])}{_more(paths)}: {message}"
        for message, paths in [*named.items()][:_NAMED]
    ]
    told = "; ".join(parts) + _more([*named])
    return PipelineError(f"{len(refused)} images cannot be taken: {told}")


def _more(several: Sequence[str]) -> str:
    left = len(several) - _NAMED
    return f" and {left} more" if left > 0 else ""


def _loaded(pipeline: Pipeline) -> str:
    """Return the path that a pipeline loads itself."""
    path = loaded_path(pipeline.steps)
    if path is None:
        raise PipelineError("no image: give one, or a path to load(...)")
    return path


@contextmanager
def warned_once() -> Iterator[None]:
    """Warn once of steps that cannot be, not for each of many images that state them.

    Examples
    --------
    >>> always = warnings.catch_warnings(record=True, action="always")
    >>> with always as told, warned_once():
    ...     for name in ("a.tif", "b.tif"):
    ...         warnings.warn(f"{name}: states a step of 0 along 'z'", SpacingWarning)
    >>> [str(one.message) for one in told]
    ["a.tif, b.tif (2 images): states a step of 0 along 'z'"]
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    causes: dict[str, dict[str, None]] = {}
    for one in caught:
        if issubclass(one.category, SpacingWarning):
            path, _, why = str(one.message).partition(": ")
            causes.setdefault(why, {})[path] = None
        else:
            where = one.filename, one.lineno
            warnings.warn_explicit(one.message, one.category, *where)
    for why, paths in causes.items():
        count = f" ({len(paths)} images)" if len(paths) > 1 else ""
        warnings.warn(f"{named([*paths])}{count}: {why}", SpacingWarning, stacklevel=3)


def named(several: Sequence[str], between: str = ", ") -> str:
    """Return some of several names, and how many there are more."""
    return between.join(several[:_NAMED]) + _more(several)
