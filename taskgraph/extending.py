"""What another package may build on, beside the public names of `taskgraph`.

A package that writes tasks of its own, or has a command of its own that runs them,
takes what it needs from here and from `taskgraph`, and from nowhere else: the modules
behind may move and change. Each name loads its module on first use.

To write tasks down:

- `Recording`: the tasks of one script in the order they were written down.
- `recorded_in`: let tasks that are written down in a block join a recording.
- `current_recording`: the recording that new tasks join now, if there is one.
- `is_recording`: whether there is one, or a task is running.
- `content_of`: the digest of a file, remembered for all processes.
- `Encoder`, `digest`: how arguments become keys, for what has to be known by content.

To be like a jugfile, so that workers and commands take it:

- `Graph`: tasks by key, each after all that it needs.
- `Loaded`: what a ``load(results)`` has to return.
- `keep_graph`: keep the graph in the store, for `tg status` and the others.
- `report_of`: how far it is by what the store knows now.
- `files_of`: which files its tasks have written.
- `files_of_last_run`: those of tasks that a jugfile had, and has no more.
- `told_gone`: what to tell of those that are gone or changed since the last run.

To have a command that runs it:

- `Program`, `run_program`: a group of commands, and how it prints and ends.
- `jugfile_argument`: the argument JUGFILE and the option ``--store``, together.
- `store_option`, `store_url`: the option ``--store``, and the default for it.
- `run_options`, `given_options`, `RunOptions`: the options of `tg execute`, and what
  was given of them.
- `is_first`: whether this process is the one, of all that `mpiexec` started, that tells
  what is told once.
- `run_loaded`, `retry_failures`: run what was loaded; let what failed run again.
- `tell_of_others`: what other stores have of it (``--also``).
- `submit_options`, `words_given`, `given_store`, `OWN_OPTIONS`: the options of `tg
  submit`, and what of them goes to the jobs.
- `submit`, `ready_tasks`, `require_going_on`: submit jobs; how many would find work;
  whether they would end at once.

To show pages in a browser (with the extra ``web``):

- `Site`, `serve`, `serving`: what is shown, until Ctrl-C or beside what else runs.
- `shell`, `json_answer`: a page that its scripts fill; plain data.
- `Latest`, `events`: what is newest, sent to each page as it changes.

To tell the user:

- `note`: something beside the result.
- `latex_table`: a table of LaTeX that compiles, whatever its cells say.
- `say`: print the result; a terminal obeys nothing in it.
- `tell_address`: print where a page is, at once, and tell how it ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

_HOMES = {
    "Encoder": "taskgraph.identity.hashing",
    "Latest": "taskgraph.pages",
    "Graph": "taskgraph.tasks.graph",
    "Loaded": "taskgraph.tasks.jugfile",
    "OWN_OPTIONS": "taskgraph.cli.batch.options",
    "Program": "taskgraph.cli.program",
    "Recording": "taskgraph.tasks.recording",
    "Site": "taskgraph.pages",
    "RunOptions": "taskgraph.execution.options",
    "content_of": "taskgraph.files.file_contents",
    "current_recording": "taskgraph.tasks.recording",
    "digest": "taskgraph.identity.call_keys",
    "events": "taskgraph.pages",
    "files_of": "taskgraph.upkeep.gone_files",
    "files_of_last_run": "taskgraph.upkeep.gone_files",
    "given_options": "taskgraph.cli.words.run_options",
    "given_store": "taskgraph.cli.batch.options",
    "is_first": "taskgraph.cli.words.run_options",
    "is_recording": "taskgraph.tasks.recording",
    "jugfile_argument": "taskgraph.cli.arguments",
    "json_answer": "taskgraph.pages",
    "keep_graph": "taskgraph.upkeep.kept_jugfile",
    "latex_table": "taskgraph.displays.latex",
    "note": "taskgraph.cli.sentences",
    "ready_tasks": "taskgraph.cli.batch.readiness",
    "recorded_in": "taskgraph.tasks.recording",
    "report_of": "taskgraph.report",
    "require_going_on": "taskgraph.cli.batch.submitting",
    "retry_failures": "taskgraph.cli.running",
    "tell_of_others": "taskgraph.cli.running",
    "run_loaded": "taskgraph.cli.running",
    "run_options": "taskgraph.cli.words.run_options",
    "run_program": "taskgraph.cli.program",
    "say": "taskgraph.cli.printing",
    "tell_address": "taskgraph.cli.sentences",
    "serve": "taskgraph.pages",
    "serving": "taskgraph.pages",
    "shell": "taskgraph.pages",
    "store_option": "taskgraph.cli.arguments",
    "store_url": "taskgraph.cli.stores",
    "submit": "taskgraph.cli.batch.submitting",
    "submit_options": "taskgraph.cli.batch.options",
    "told_gone": "taskgraph.upkeep.gone_files",
    "words_given": "taskgraph.cli.batch.options",
}
__all__ = list(_HOMES)

if TYPE_CHECKING:  # the same list for type checkers
    from taskgraph.cli.arguments import (
        jugfile_argument as jugfile_argument,
        store_option as store_option,
    )
    from taskgraph.cli.batch.options import (
        OWN_OPTIONS as OWN_OPTIONS,
        given_store as given_store,
        submit_options as submit_options,
        words_given as words_given,
    )
    from taskgraph.cli.batch.readiness import ready_tasks as ready_tasks
    from taskgraph.cli.batch.submitting import (
        require_going_on as require_going_on,
        submit as submit,
    )
    from taskgraph.cli.printing import say as say
    from taskgraph.cli.program import Program as Program, run_program as run_program
    from taskgraph.cli.running import (
        retry_failures as retry_failures,
        run_loaded as run_loaded,
        tell_of_others as tell_of_others,
    )
    from taskgraph.cli.sentences import note as note, tell_address as tell_address
    from taskgraph.cli.stores import store_url as store_url
    from taskgraph.cli.words.run_options import (
        given_options as given_options,
        is_first as is_first,
        run_options as run_options,
    )
    from taskgraph.displays.latex import latex_table as latex_table
    from taskgraph.execution.options import RunOptions as RunOptions
    from taskgraph.files.file_contents import content_of as content_of
    from taskgraph.identity.call_keys import digest as digest
    from taskgraph.identity.hashing import Encoder as Encoder
    from taskgraph.pages import (
        Latest as Latest,
        Site as Site,
        events as events,
        json_answer as json_answer,
        serve as serve,
        serving as serving,
        shell as shell,
    )
    from taskgraph.report import report_of as report_of
    from taskgraph.tasks.graph import Graph as Graph
    from taskgraph.tasks.jugfile import Loaded as Loaded
    from taskgraph.tasks.recording import (
        Recording as Recording,
        current_recording as current_recording,
        is_recording as is_recording,
        recorded_in as recorded_in,
    )
    from taskgraph.upkeep.gone_files import (
        files_of as files_of,
        files_of_last_run as files_of_last_run,
        told_gone as told_gone,
    )
    from taskgraph.upkeep.kept_jugfile import keep_graph as keep_graph
else:

    def __getattr__(name: str) -> object:
        """Return what has that name, loading its module."""
        from importlib import import_module

        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)

    def __dir__() -> list[str]:
        return __all__
