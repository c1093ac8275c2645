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
FOR_NAMES = (OWN_OF_PYTHON, SYSTEM)
"""Of these `tempfile`, and numba's cache, draw the names of files."""
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
        self._seeded: set[str] = set()
        self._made: Any = None

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
        self._replace_shared_seed(GLOBAL, random)
        if (shared := sys.modules.get("numpy.random")) is not None:
            self._replace_shared_seed(GLOBAL_OF_NUMPY, shared)
            self._replace_twister(shared.mtrand)
        return self

    def __exit__(self, *exception: object) -> None:
        for undo in reversed(self._undo):
            undo()
        self._decide()
        for name in (GLOBAL, GLOBAL_OF_NUMPY):
            self._note_drawn(name)

    def _note_drawn(self, name: str) -> None:
        """Note a shared generator if it was used since it was last given a seed."""
        if name not in self._seeded and _states().get(name) != self._states.get(name):
            self._note(name)

    def _decide(self) -> None:
        """Note the last twister that numpy made, if it got no seed since."""
        if self._made is not None and self._made.seed_seq is not None:
            self._note(OF_NUMPY)
        self._made = None

    def _note(self, what: str) -> None:
        if what not in self.found:
            self.found.append(what)

    def _replace(self, owner: Any, name: str, what: str) -> None:
        before = getattr(owner, name)

        def noted(*args: Any) -> Any:
            if not self._within:
                self._note(what)
            return self._quietly(before, *args)

        setattr(owner, name, noted)
        self._undo.append(lambda: setattr(owner, name, before))

    def _quietly(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a function, and note nothing of what it draws."""
        outer, self._within = self._within, True
        try:
            return function(*args, **kwargs)
        finally:
            self._within = outer

    def _replace_seed(self) -> None:
        before = random.Random.seed

        def seed(one: random.Random, a: Any = None, version: int = 2) -> None:
            if a is None and not isinstance(one, random.SystemRandom):
                self._note(OWN_OF_PYTHON)
            before(one, a, version)

        setattr(random.Random, "seed", seed)  # noqa: B010 - to be watched, types or not
        self._undo.append(lambda: setattr(random.Random, "seed", before))

    def _replace_shared_seed(self, name: str, module: Any) -> None:
        before = module.seed

        def seed(*args: Any, **kwargs: Any) -> None:
            self._note_drawn(name)
            self._quietly(before, *args, **kwargs)
            if any(given is not None for given in (*args, *kwargs.values())):
                self._seeded.add(name)
            else:
                self._note(name)

        module.seed = seed
        self._undo.append(lambda: setattr(module, "seed", before))

    def _replace_twister(self, module: Any) -> None:
        """Wait with what ``RandomState(3)`` makes: it gets its seed after that."""
        name = "_MT19937"
        before: Any = getattr(module, name, None)
        if before is None:
            return

        class Deciding(type):
            def __call__(cls, *args: Any) -> Any:
                self._decide()
                made = self._quietly(before, *args)
                self._made = None if args else made
                return made

            def __instancecheck__(cls, instance: object) -> bool:
                return isinstance(instance, before)

        setattr(module, name, Deciding("MT19937", (), {}))
        self._undo.append(lambda: setattr(module, name, before))


def _states() -> dict[str, object]:
    """Return the states of the generators that all code of a process shares."""
    found: dict[str, object] = {GLOBAL: random.getstate()}
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        name, keys, *rest = numpy.get_state(legacy=True)
        found[GLOBAL_OF_NUMPY] = (name, keys.tobytes(), *rest)
    return found
