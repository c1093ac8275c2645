"""Keys and stored results stay what they are when files of the code move."""

from __future__ import annotations

import io
import pickle
import shutil
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import msgpack
import pytest

import segkit.names
import taskgraph.names
from backends.interface import Row
from taskgraph import open_store
from taskgraph.execution.at_once import run_at_once
from taskgraph.identity.hashing import Encoder
from taskgraph.results import plain
from taskgraph.results.codec import PLAIN
from taskgraph.tasks.graph import Graph
from taskgraph.tasks.jugfile import Jugfile, Loaded

HERE = Path(__file__).parent
PUBLIC = ("segkit", "segkit.io", "segkit.pipeline", "segkit.workflows", "taskgraph")
NAMES = ("segkit.names", "taskgraph.names")


@pytest.fixture
def golden(tmp_path: Path) -> Loaded:
    shutil.unpack_archive(HERE / "store.zip", tmp_path / "store")
    results = open_store(tmp_path / "store", create=False)
    loaded = Jugfile(HERE / "jugfile.py").load(results)
    results.backend.poll()
    return loaded


def test_keys_are_the_golden_ones(golden: Loaded) -> None:
    found = [f"{task.key.hex()} {task.name}" for task in golden.graph.tasks]
    assert found == (HERE / "keys.txt").read_text().splitlines()


def test_the_golden_store_has_every_result(golden: Loaded) -> None:
    failures = golden.results.backend.failures()
    assert not failures
    assert set(golden.graph.keys()) == set(golden.results.backend.keys())


@pytest.mark.filterwarnings("ignore:reference holds 0 and 1 only")  # it is a mask
def test_golden_results_are_what_is_computed_now(golden: Loaded) -> None:
    now = open_store("memory://")
    encode = Encoder().encode
    for task in golden.graph.tasks:
        before = golden.results.load(task.key)
        task.recording.results = now
        after = run_at_once(now, task)
        task.recording.results = golden.results
        if not hasattr(after, "source"):  # an image: its reader has no stable hash
            assert encode(before) == encode(after), task


class _Names(pickle.Unpickler):
    """Notes the names that a pickle holds."""

    def __init__(self, data: bytes, buffers: list[Any]) -> None:
        super().__init__(io.BytesIO(data), buffers=buffers)
        self.found: set[tuple[str, str]] = set()

    def find_class(self, module: str, name: str) -> Any:
        self.found.add((module, name))
        return super().find_class(module, name)


def _plain_names(data: bytes, found: set[tuple[str, str]]) -> None:
    """Note the names that a structure without pickle holds."""

    def note(code: int, packed: bytes) -> int:
        inner = msgpack.unpackb(packed, ext_hook=note, strict_map_key=False)
        if code in (plain.INSTANCE, plain.NAMED_TUPLE):
            found.add((inner[0], inner[1]))
        return 0

    msgpack.unpackb(data, ext_hook=note, strict_map_key=False)


def _stored_names(loaded: Loaded) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for task in loaded.graph.tasks:
        payload = loaded.results.payload(task.key)
        assert payload[:1] in (b"P", b"B")
        data, refs = payload[1:], []
        if payload[:1] == b"B":
            refs, data = msgpack.unpackb(data)
        blobs = [loaded.results.backend.blobs.open(ref[0])[ref[2] :] for ref in refs]
        if bytes(data[:1]) == PLAIN:
            _plain_names(bytes(data[1:]), found)
            continue
        reader = _Names(bytes(data), blobs)
        reader.load()
        found |= reader.found
    return found


def test_stored_results_name_no_file_of_the_code(golden: Loaded) -> None:
    found = _stored_names(golden)
    own = {
        pair for pair in found if pair[0].partition(".")[0] in ("segkit", "taskgraph")
    }
    assert len(own) >= 30
    assert {module for module, _ in own} <= {*PUBLIC, *NAMES}


@pytest.mark.parametrize("face", [*PUBLIC, *NAMES])
def test_a_public_name_is_that_of_its_class_or_function(face: str) -> None:
    module = import_module(face)
    names = module.HOMES if face in NAMES else module.__all__
    for name in names:
        thing = getattr(module, name)
        if isinstance(thing, ModuleType) or not hasattr(thing, "__qualname__"):
            continue  # a constant
        assert thing.__qualname__ == name
        shared = getattr(import_module(thing.__module__), name)
        assert shared is thing, f"{face}.{name} is known by {thing.__module__}"
        advice = f'{name} is known by its file; put @known_as("{face}") above it'
        assert thing.__module__ in {*PUBLIC, *NAMES}, advice


def test_what_is_listed_is_where_the_list_says() -> None:
    for names in (segkit.names, taskgraph.names):
        for name, home in names.HOMES.items():
            file = sys.modules[home] if home in sys.modules else import_module(home)
            thing = getattr(file, name)
            assert thing.__module__ == names.__name__, name
            with pytest.raises(AttributeError, match="no_such_name"):
                names.no_such_name  # noqa: B018 - asking is the test


def test_functions_of_segkit_are_tasks_of_their_public_names(golden: Loaded) -> None:
    names = {task.name for task in Graph(golden.graph.tasks).tasks}
    assert {"segkit.label", "segkit.label_tile", "segkit.workflows.label_tile"} <= names
    assert Row.RESULT == 0  # rows of the golden store are read by number
