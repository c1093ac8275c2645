"""Options of `segkit run` and `submit`: a pipeline, its images, and how."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

F = TypeVar("F", bound="Callable[..., Any]")


class _Sizes(click.ParamType[tuple[int, ...]]):
    """Numbers with commas between them, one or one per axis."""

    name = "sizes"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, ...]:
        """Return the numbers."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(int(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is no size; write 64 or 10,64,64", param, ctx)


class _Names(click.ParamType[tuple[str, ...]]):
    """Names with commas between them."""

    name = "names"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, ...]:
        """Return the names."""
        if isinstance(value, tuple):
            return value
        names = tuple(part.strip() for part in str(value).split(","))
        if not all(names):
            self.fail(f"{value!r} lacks a name; write DAPI,GFP", param, ctx)
        return names


def of_pipeline(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a pipeline is told beside its images."""
    names = ["out", "axes", "tile", "block", "known_by", "overwrite", "trust"]
    names += ["channels", "pattern", "layout", "by"]
    return {name: given[name] for name in names}


def pipeline_options(function: F) -> F:
    """Add a pipeline, its images, and what is done with them."""
    for option in reversed(_PIPELINE_OPTIONS):
        function = option(function)
    return function


_PIPELINE_OPTIONS: list[Callable[[Any], Any]] = [
    click.argument("jugfile", metavar="PIPELINE", type=click.Path(path_type=Path)),
    click.argument("images", nargs=-1),
    click.option(
        "-o",
        "--out",
        default=".",
        show_default=True,
        type=click.Path(path_type=Path),
        help="Folder for the files that the pipeline saves.",
    ),
    click.option(
        "--axes",
        metavar="LETTERS",
        help="What the axes of IMAGES are, from the first to the last as they lie in "
        "the file, for files that do not say: zyx for a volume.",
    ),
    click.option(
        "--channels",
        type=_Names(),
        metavar="NAME,NAME",
        help="Names of the channels of IMAGES, for files that do not say: DAPI,GFP.",
    ),
    click.option(
        "--pattern",
        metavar="PATTERN",
        help="IMAGES is the folder of a plate, whose files are named so: "
        "'{well}_s{field}_w{channel}.tif'; also {row}, {column}, {t}, {z}, and * for "
        "anything.",
    ),
    click.option(
        "--layout",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="What was done to each well of a plate, as CSV: well,treatment,dose. Its "
        "columns are in all tables, and conditions are compared by well.",
    ),
    click.option(
        "--by",
        type=_Names(),
        metavar="NAME,NAME",
        help="Columns of --layout that make a condition, by default all but such as "
        "replicate; or groups of --pattern: '{drug}/{well}_s{field}.tif'.",
    ),
    click.option(
        "--tile",
        type=_Sizes(),
        metavar="N,N,N",
        help="Tiles for a pipeline that names none.",
    ),
    click.option(
        "--block", type=int, metavar="VOXELS", help="Voxels that a task takes."
    ),
    click.option(
        "--known-by",
        type=click.Choice(["stamp", "content"]),
        default="stamp",
        show_default=True,
        help="Notice a changed image by path, size and time, or by its content, which "
        "is read at each start, but lets images move.",
    ),
    click.option("--overwrite", is_flag=True, help="Replace files that exist."),
    click.option(
        "--trust",
        is_flag=True,
        help="Let PIPELINE run any function that it names, as a script may.",
    ),
]
