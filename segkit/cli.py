"""The `segkit` command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from segkit.cli_options import of_pipeline, pipeline_options
from taskgraph.extending import (
    Program,
    RunOptions,
    given_options,
    is_first,
    note,
    retry_failures,
    run_loaded,
    run_options,
    run_program,
    say,
    store_option,
    store_url,
    submit_options,
    tell_address,
    tell_of_others,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.workflows.pipeline_jugfile import PipelineJugfile
    from segkit.workflows.plan_report import PlannedStage
    from taskgraph import Report


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(
    None, "-V", "--version", package_name="taskgraph-segkit", prog_name="segkit"
)
def segkit() -> None:
    """Segment images and volumes larger than memory, exactly across tiles."""


@segkit.command("run", short_help="Run the steps of a file over images, or a plate.")
@pipeline_options
@click.option("--dry-run", is_flag=True, help="Show the plan and run nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@store_option
@run_options
def run_command(
    jugfile: Path, images: tuple[str, ...], store: str | None, **given: Any
) -> int:
    """Run the steps of PIPELINE (.toml or .json) over IMAGES, or over one plate.

    Every block of every step is a task that is run once: start it again after an
    interruption or a change, and only what is missing is run. Start it several times
    with one store, by hand, in jobs of Slurm or Grid Engine, or as `mpiexec -n 8
    segkit run ...`, and the workers share the work.

    PIPELINE is data: its steps are those of segkit. One that runs functions of others
    (package.module:name), or replaces files outside of --out, needs --trust.

    \b
    Exit code: 0 all done, 1 tasks failed or blocked, 2 usage, pipeline or image error,
    3 gave up waiting for others, 4 the store failed, 5 a limit of time or tasks came
    and work is left, 128+N stopped by signal N.
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    from segkit.workflows.plates.plate_jugfile import jugfile_of

    options = given_options(given)
    if given["block"] is not None and given["block"] < 1:
        raise click.UsageError("--block takes a number of voxels, 1 or more")
    source = jugfile_of(jugfile, images, **of_pipeline(given))
    url = store_url(jugfile, store)
    if given["dry_run"]:
        return _show_plan(source, url, as_json=given["as_json"]) if is_first() else 0
    code, report = run_pipeline(source, url, options)
    if is_first() and given["as_json"]:
        _print_json(source, code, report)
    return code


@segkit.command("submit", short_help="Start many workers by a batch system.")
@pipeline_options
@submit_options
@store_option
@run_options
@click.pass_context
def submit_command(
    context: click.Context, /, jugfile: Path, store: str | None, **given: Any
) -> int:
    """Submit an array of jobs, each of which is a `segkit run` of PIPELINE over IMAGES.

    The batch system of this machine is found by itself. Jobs end before their time is
    over, and are queued again if work is left. Job script and logs are kept beside the
    pipeline; `tg jobs PIPELINE` lists them, `tg cancel PIPELINE` ends them.
    """
    from segkit.workflows.plates.plate_jugfile import jugfile_of
    from taskgraph import open_store
    from taskgraph.extending import (
        OWN_OPTIONS,
        given_store,
        ready_tasks,
        require_going_on,
        submit,
        words_given,
    )

    images = given["images"]
    source = jugfile_of(jugfile, images, **of_pipeline(given))
    source.require_usable()
    source.make_out()
    results = open_store(store_url(jugfile, store))
    require_going_on(results.backend, given)
    words = words_given(context, OWN_OPTIONS)
    command = ["segkit", "run", *words, "--", str(jugfile), *images]
    return submit(
        *(jugfile, command, given, given_store(context)),
        lambda: ready_tasks(source.load(results)),
    )


@segkit.command("explore", short_help="Try steps on an image in a browser.")
@click.argument("image", required=False)
@click.argument("pipeline", required=False, type=click.Path(path_type=Path))
@click.option(
    "--preset",
    help="Steps to begin with: threshold, local, nuclei, cells, "
    "random_walker or watershed.",
)
@click.option("--reference", metavar="LABELS", help="Labels to compare with.")
@click.option(
    "--axes",
    metavar="LETTERS",
    help="What the axes of IMAGE are, for a file that does not say: zyx for a volume.",
)
@click.option(
    "-o",
    "--out",
    default=".",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder for what a run over all of IMAGE saves.",
)
@click.option(
    "-j",
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1),
    help="Processes that run over all of IMAGE.",
)
@click.option(
    "--cache",
    default=512,
    show_default=True,
    type=click.IntRange(0),
    metavar="MB",
    help="Memory for results that may be asked for again.",
)
@click.option(
    "--trust", is_flag=True, help="Let PIPELINE run any function that it names."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", default=0, help="0 takes any that is free.")
@click.option("--open", "open_browser", is_flag=True, help="Open it in the browser.")
def explore_command(
    image: str | None, pipeline: Path | None, host: str, port: int, **given: Any
) -> int:
    """Explore IMAGE in a browser: each step a row, each parameter a slider.

    PIPELINE (.toml or .json) has the steps to begin with, and is where they are saved;
    without it there are some, saved as pipeline.toml. IMAGE may be left out if PIPELINE
    loads it. Open the address that is printed; Ctrl-C ends it.
    """
    from segkit.explorer.opening import require_web

    require_web()
    from segkit.explorer.exploring import explorer_of
    from taskgraph.extending import serve

    if image is None:
        raise click.UsageError("name an image, or a pipeline that loads one")
    if pipeline is None and image.endswith((".toml", ".json")):
        pipeline, image = Path(image), None
    open_browser = given.pop("open_browser")
    explorer = explorer_of(image, pipeline, **given)
    serve(
        explorer.site(),
        host=host,
        port=port,
        open_browser=open_browser,
        on_ready=tell_address,
        on_end=explorer.close,
    )
    return 0


def run_pipeline(
    source: PipelineJugfile, store: str, options: RunOptions
) -> tuple[int, Report]:
    """Run all tasks of a pipeline by workers, sharing them with all others.

    Returns
    -------
    int
        Exit code, as that of `tg execute`.
    Report
        How many tasks are done.
    """
    from segkit.workflows.telling import (
        failures,
        left_over,
        told_of,
        unsaved,
        warm_up,
    )
    from taskgraph import open_store
    from taskgraph.extending import report_of, told_gone

    source.require_usable()
    source.make_out()
    results = open_store(store)
    began = results.backend.claim([]).token
    loaded = source.load(results)
    told = told_gone(results, source.path, source.arguments)
    if told and is_first():
        note(told)
    left = left_over(source, loaded) if is_first() and not options.quiet else ""
    forgotten = unsaved(source)
    if forgotten and is_first() and not options.quiet:
        note(forgotten)
    retry_failures(loaded, options, began)
    tell_of_others(loaded, options)
    if report_of(loaded).open:
        warm_up(source)
    code, report = run_loaded(source, loaded, source.path, options)
    if source.incomplete(report):  # the tables of a plate, without what failed
        code, report = run_loaded(source, source.load(results), source.path, options)
    lines = told_of(source, left) if is_first() and not options.quiet else []
    for line in lines:
        note(line)
    if report.failed and not options.quiet:
        for line in failures(source, report):
            note(line)
    return code or int(bool(source.refused)), report


def _print_json(source: PipelineJugfile, code: int, report: Report) -> None:
    import json

    from segkit.workflows.telling import written_elsewhere
    from taskgraph.extending import files_of

    saved = [task for one in source.outputs for task in one.saved]
    saving = [task.key for task in [*saved, *source.more]]
    found = {
        "exit_code": code,
        "done": report.done,
        "failed": report.failed,
        "blocked": report.blocked,
        "open": report.open,
        "saved": [
            file.path
            for _, file in files_of(report.store, saving)
            if Path(file.path.partition("::")[0]).exists()
        ]
        + written_elsewhere(source),
    }
    say(json.dumps(found, indent=1))


def _show_plan(source: PipelineJugfile, store: str, *, as_json: bool) -> int:
    import json
    from dataclasses import asdict

    from segkit.workflows.plan_report import planned

    stages = planned(source, store)
    if as_json:
        say(json.dumps([asdict(stage) for stage in stages], indent=1))
        return 0
    for line in _rows_of(stages):
        say(line)
    return 0


def _rows_of(stages: Sequence[PlannedStage]) -> list[str]:
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
    run_program(segkit, "segkit", usage_errors=_usage_errors)


def _usage_errors() -> tuple[type[Exception], ...]:
    from segkit.io import ImageError
    from segkit.pipeline.steps import PipelineError

    files = FileNotFoundError, FileExistsError, PermissionError
    return PipelineError, ImageError, *files
