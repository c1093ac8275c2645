"""What jug itself wrote is found under the digests made here, and read as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import taskgraph
from taskgraph.jugstores.digests import JugDigests
from taskgraph.jugstores.files import Folder
from taskgraph.unsafe import NoHash

jug = pytest.importorskip("jug")
from jug.backends.file_store import file_store  # noqa: E402 - only if it is there
from jug.hash import hash_one  # noqa: E402 - as above
from jug.unsafe import NoHash as NoHashOfJug  # noqa: E402 - as above

VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1 << 80, 1.5, float("inf"), 2j, "", "äö", b"", b"x"),
    *([], [1, [2, "a"]], (), (1, (2,)), {}, {"a": 1, 2: [3]}, set(), {1, "b", (2,)}),
    *(frozenset({"x", "y"}), {"n": {"m": {1}}}, range(3), slice(1, None), Path("a/b")),
    *(np.arange(6).reshape(2, 3), np.arange(6).reshape(2, 3).T, np.arange(9)[::2]),
    *(
        np.zeros((0, 3)),
        np.float32(2),
        np.array(3),
        np.array(["a", None], dtype=object),
    ),
    *(np.asfortranarray(np.ones((3, 2))), np.array(["ab", "c"]), int, divmod),
]
RESULTS: list[Any] = [
    *(None, 0, "text" * 99, {"a": [1, {2}]}, np.arange(1000), np.array(3)),
    np.array([{"a": 1}, None], dtype=object),
]


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_a_value_has_the_digest_that_jug_gives_it(value: Any) -> None:
    assert JugDigests().of_value(value) == hash_one(value).decode()


def _calls(of: Any, no_hash: Any) -> list[Any]:
    first = of.Task(divmod, 7, 2)
    part = of.Task(pow, first[0], 2)
    inside = of.Task(sorted, [first, {"a": part[1:][0]}], key=(first[-1],))
    index = of.Task(len, part[first])
    return [first, part, inside, index, of.Task(len, [no_hash(3), part])]


def test_tasks_and_their_parts_have_the_digests_that_jug_gives_them() -> None:
    ours, theirs = _calls(taskgraph, NoHash), _calls(jug, NoHashOfJug)
    digests = JugDigests()
    assert [digests.of(task) for task in ours] == [t.hash().decode() for t in theirs]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("compress", [False, True])
def test_results_are_read_as_jug_wrote_them(
    tmp_path: Path, packed: bool, compress: bool
) -> None:
    theirs = file_store(str(tmp_path), compress_numpy=compress)
    names = [f"{number:040x}" for number in range(len(RESULTS))]
    for name, result in zip(names, RESULTS, strict=True):
        theirs.dump(result, name.encode())
    if packed:
        assert theirs.update_pack() > 0
    ours = Folder(tmp_path)
    assert all(map(ours.has, names))
    assert not ours.has("f" * 40)
    for name, result in zip(names, RESULTS, strict=True):
        np.testing.assert_equal(ours.load(name), result)
