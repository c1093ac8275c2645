"""The `segkit` command."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.workflows.running import Ended, PipelineJugfile, PlannedStage


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


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(
    None, "-V", "--version", package_name="taskgraph-segkit", prog_name="segkit"
)
def segkit() -> None:
    """Segment images and volumes larger than memory, exactly across tiles."""


@segkit.command("run")
@click.argument("pipeline", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1)
@click.option(
    "-o",
    "--out",
    default=".",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder for the files that the pipeline saves.",
)
@click.option("-j", "--jobs", default=1, show_default=True, help="Workers to start.")
@click.option(
    "--store",
    metavar="URL",
    envvar="TG_STORE",
    help="Where results are kept: a directory or URL "
    "[default: the pipeline's name with .tgdata].",
)
@click.option(
    "--tile",
    type=_Sizes(),
    metavar="N,N,N",
    help="Tiles for a pipeline that names none.",
)
@click.option("--block", type=int, metavar="VOXELS", help="Voxels that a task takes.")
@click.option(
    "--known-by",
    type=click.Choice(["stamp", "content"]),
    default="stamp",
    show_default=True,
    help="Notice a changed image by path, size and time, or by its content.",
)
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@click.option("--dry-run", is_flag=True, help="Show the plan and run nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@click.option("--fail-fast", is_flag=True, help="Start no new task after a failure.")
@click.option("--retry", is_flag=True, help="Run tasks again that failed before.")
@click.option("--debug", is_flag=True, help="Run in this process; let errors through.")
@click.option(
    "--lease",
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="Silence after which a worker counts as dead.",
)
@click.option(
    "--max-wait",
    default=1800.0,
    show_default=True,
    metavar="SECONDS",
    help="Give up when no other worker is alive and nothing can be run for so long.",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress and no summary.")
def run_command(pipeline: Path, images: tuple[str, ...], **given: Any) -> int:
    """Run the steps of PIPELINE (.toml or .json) over IMAGES.

    Every block of every step is a task that is run once: start it again after an
    interruption or a change, and only what is missing is run. Start it several times
    with one store, by hand, in jobs of Slurm or Grid Engine, or as `mpiexec -n 8
    segkit run ...`, and the workers share the work.

    \b
    Exit code: 0 all done, 1 tasks failed or blocked, 2 usage, pipeline or image error,
    3 gave up waiting for others, 4 the store failed, 128+N stopped by signal N.
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    from segkit.workflows.running import PipelineJugfile
    from segkit.workflows.telling import default_store

    _require_sensible(given)
    source = PipelineJugfile(
        pipeline,
        images=images,
        out=given["out"],
        tile=given["tile"],
        block=given["block"],
        known_by=given["known_by"],
        overwrite=given["overwrite"],
    )
    store = given["store"] or default_store(pipeline)
    if given["dry_run"]:
        return _show_plan(source, store, as_json=given["as_json"])
    return _run(source, store, given)


def _require_sensible(given: dict[str, Any]) -> None:
    if given["jobs"] < 1:
        raise click.UsageError("-j takes the number of workers, 1 or more")
    if given["lease"] <= 0 or given["max_wait"] < 0:
        raise click.UsageError("--lease and --max-wait take seconds, more than 0")
    if given["block"] is not None and given["block"] < 1:
        raise click.UsageError("--block takes a number of voxels, 1 or more")


def _run(source: PipelineJugfile, store: str, given: dict[str, Any]) -> int:
    from segkit.workflows.running import Way, failures, run

    names = ("jobs", "retry", "lease", "quiet", "fail_fast", "debug", "max_wait")
    ended = run(source, store, Way(**{name: given[name] for name in names}))
    if not given["quiet"]:
        causes = failures(source, ended.report) if ended.report.failed else []
        for line in [*causes, *ended.lines]:
            _note(line)
    if given["as_json"]:
        _print_json(source, ended)
    return ended.code


def _print_json(source: PipelineJugfile, ended: Ended) -> None:
    import json

    report = ended.report
    found = {
        "exit_code": ended.code,
        "done": report.done,
        "failed": report.failed,
        "blocked": report.blocked,
        "open": report.open,
        "saved": [str(file) for one in source.outputs for file in one.files],
    }
    click.echo(json.dumps(found, indent=1))


def _show_plan(source: PipelineJugfile, store: str, *, as_json: bool) -> int:
    import json
    from dataclasses import asdict

    from segkit.workflows.running import planned

    stages = planned(source, store)
    if as_json:
        click.echo(json.dumps([asdict(stage) for stage in stages], indent=1))
        return 0
    for line in _table(stages):
        click.echo(line)
    return 0


def _table(stages: Sequence[PlannedStage]) -> list[str]:
    rows = [("image", "stage", "steps", "tasks", "done", "memory")]
    rows += [
        (s.image, s.kind, s.steps, str(s.tasks), str(s.done), _size(s.memory))
        for s in stages
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place > 2 else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _size(count: int) -> str:
    return f"{count / 1e6:.0f} MB" if count else "-"


def main() -> None:
    """Run `segkit`; errors of the user and of the store end in one sentence."""
    try:
        code: Any = segkit(standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Abort:
        _end("stopped", 130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Exception as error:
        found = _exit_code(error)
        if found is None:
            raise
        _end(str(error), found)
    else:
        sys.exit(code if isinstance(code, int) else 0)


def _exit_code(error: Exception) -> int | None:
    """Return the exit code for an error, None for one that nobody foresaw."""
    from segkit.workflows.telling import exit_code_of

    return exit_code_of(error)


def _note(sentence: str) -> None:
    click.echo(f"segkit: {sentence}", err=True)


def _end(sentence: str, code: int) -> None:
    _note(sentence)
    sys.exit(code)
