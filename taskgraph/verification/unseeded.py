"""Which random numbers without a seed a task draws, watched while it runs."""

from __future__ import annotations

import contextlib
import importlib
import os
import random
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

OF_NUMPY = "a generator of numpy without a seed, as default_rng()"
GLOBAL_OF_NUMPY = "the global generator of numpy.random"
GLOBAL = "the global generator of random"
OWN_OF_PYTHON = "random.Random() without a seed"
SYSTEM = "random bytes of the system (uuid4, secrets, os.urandom)"
MADE = (OF_NUMPY, OWN_OF_PYTHON)
"""What a script may make when it is read, for its tasks to draw from."""


class Watch:
    """Notes, while the block runs, what is drawn that nobody can draw again.

    It replaces functions of this process meanwhile: for a process of its own.

    Attributes
    ----------
    found : list of str
        What was drawn, in words; each once.

    Examples
    --------
    >>> with Watch() as watch:
    ...     _ = random.Random().random()
    >>> watch.found
    ['random.Random() without a seed']
    """

    def __init__(self) -> None:
        self.found: list[str] = []
        self._undo: list[Callable[[], None]] = []
        self._within = False

    def __enter__(self) -> Watch:
        bits: Any = None
        with contextlib.suppress(ImportError):
            bits = importlib.import_module("numpy.random.bit_generator")
        self._states = _states()
        if bits is not None and hasattr(bits, "randbits"):
            self._replace(bits, "randbits", OF_NUMPY)
        self._replace(os, "urandom", SYSTEM)
        self._replace(random, "_urandom", SYSTEM)
        self._replace_seed()
        return self

    def __exit__(self, *exception: object) -> None:
        for undo in reversed(self._undo):
            undo()
        for name, state in _states().items():
            if self._states.get(name) != state:
                self._note(name)

    def _note(self, what: str) -> None:
        if what not in self.found:
            self.found.append(what)

    def _replace(self, owner: Any, name: str, what: str) -> None:
        before = getattr(owner, name)

        def noted(*args: Any) -> Any:
            outer, self._within = self._within, True
            try:
                if not outer:
                    self._note(what)
                return before(*args)
            finally:
                self._within = outer

        setattr(owner, name, noted)
        self._undo.append(lambda: setattr(owner, name, before))

    def _replace_seed(self) -> None:
        before = random.Random.seed

        def seed(one: random.Random, a: Any = None, version: int = 2) -> None:
            if a is None and not isinstance(one, random.SystemRandom):
                self._note(OWN_OF_PYTHON)
            before(one, a, version)

        setattr(random.Random, "seed", seed)  # noqa: B010 - to be watched, types or not
        self._undo.append(lambda: setattr(random.Random, "seed", before))


def _states() -> dict[str, object]:
    """Return the states of the generators that all code of a process shares."""
    found: dict[str, object] = {GLOBAL: random.getstate()}
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        name, keys, *rest = numpy.get_state(legacy=True)
        found[GLOBAL_OF_NUMPY] = (name, keys.tobytes(), *rest)
    return found
