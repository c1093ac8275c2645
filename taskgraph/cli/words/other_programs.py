"""What other programs call things that `tg` has under another name."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from taskgraph.cli.words.configuration import OF_COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterable

_NEAR = 0.6
_COMMANDS = {
    "clean": "cleanup",
    "forget": "invalidate",
    "list": "status",
    "log": "logs",
    "ls": "status",
    "rerun": "retry",
    "run": "execute",
    "console": "shell",
    "sleep-until": "wait",
    "unlock": "locks",
    "webstatus": "status",
}
_NOT_HERE = {
    "install-skills": "there is nothing to install; `tg --help` lists the commands",
    "pack": "small results lie together as they are, so there is nothing to pack",
    "test-jug": "`tg doctor` tries a store out, and `tg demo` makes a small example",
}
_DIRECTIVE = 'a batch system is told its own options by --directive "--mem=4G"'
_FORGET = "`tg invalidate` forgets results, so that their tasks run again"
_KEPT = "`tg status` does not read the script, but what its last run kept in the store"
_FREE = "locks of dead workers free themselves, and `tg locks` has the others"
_OPTIONS = {
    "--account": _DIRECTIVE,
    "--aggressive-unload": "results are not kept in memory anyway",
    "--cache": _KEPT,
    "--cache-file": _KEPT,
    "--clear": _KEPT,
    "--cores": "did you mean '--jobs'?",
    "-c": "did you mean '--jobs'?",
    "--cpus-per-task": "did you mean '--jobs'?",
    "--config": "what comes after -- is for the script: `tg execute work.py -- --k 3`",
    "--delete-all-output": "results are in the store; `tg cleanup` and `tg invalidate`",
    "--failed-only": "`tg retry` lets failed tasks run again",
    "--force": _FORGET,
    "--forceall": _FORGET,
    "--forcerun": _FORGET,
    "-F": _FORGET,
    "-R": _FORGET,
    "--gres": _DIRECTIVE,
    "--jugdir": "stores are arguments of this command, without an option",
    "--keep-failed": "failed tasks stay so with --no-retry",
    "--keep-going": "a failure does not stop other tasks; --fail-fast lets it",
    "--keep-locks": "`tg cleanup` leaves locks as they are",
    "--locks-only": _FREE,
    "-k": "a failure does not stop other tasks; --fail-fast lets it",
    "--mem": _DIRECTIVE,
    "--nr-wait-cycles": "did you mean '--max-wait'?",
    "--partition": _DIRECTIVE,
    "--n-jobs": "did you mean '--jobs'?",
    "--omit-from": "did you mean '--name'? It takes functions that are run",
    "--qos": _DIRECTIVE,
    "--rerun-incomplete": "a result appears whole or not at all",
    "--short": "names are shown whole; --json is for programs, where there is one",
    "--snakefile": "the script is an argument, without an option",
    "--store": "stores are arguments of this command, without an option",
    "--summary": "`tg status` shows how far it is, by function",
    "--unlock": _FREE,
    "--until": "did you mean '--name'?",
    "--verbose": "`tg logs` shows what tasks printed, `tg errors` why some failed",
    "--will-cite": "nobody is asked to cite anything; leave it out",
    "--workers": "did you mean '--jobs'?",
    "--to": "stores are arguments of this command, without an option",
    "--wait-cycle-time": "nobody waits in cycles; did you mean '--max-wait'?",
}


def command_meant(word: str, known: Iterable[str]) -> str:
    """Return what to type instead of a command that there is not.

    Examples
    --------
    >>> command_meant("sleep-until", ["wait"]), command_meant("stats", ["status"])
    ("did you mean 'wait'?", "did you mean 'status'?")
    >>> command_meant("pack", [])
    'small results lie together as they are, so there is nothing to pack'
    >>> command_meant("script.py", ["execute"])
    'did you mean `tg execute script.py`?'
    >>> command_meant("dance", ["execute"]), command_meant("status", ["run"])
    ('choose one of execute', 'did you mean `tg status`?')
    """
    choices = sorted(known)
    if word.endswith(".py"):
        return f"did you mean `tg execute {word}`?"
    if word.endswith(".toml"):
        return f"did you mean `segkit run {word}`?"
    if word in _NOT_HERE:
        return _NOT_HERE[word]
    if word in OF_COMMANDS:
        return f"did you mean `tg {word}`?"
    near = difflib.get_close_matches(word, choices, 1, _NEAR)
    known_as = _COMMANDS.get(word)
    meant = known_as if known_as in choices else near[0] if near else None
    return f"did you mean {meant!r}?" if meant else f"choose one of {' '.join(choices)}"


def option_meant(option: str) -> str:
    """Return what to type instead of an option that there is not; empty if unknown.

    Examples
    --------
    >>> option_meant("--cores"), option_meant("--nonsense")
    ("did you mean '--jobs'?", '')
    """
    return _OPTIONS.get(option, "")
