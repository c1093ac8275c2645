"""The store that the benchmark of the live page makes is one that workers leave."""

from __future__ import annotations

from backends.opening import open_backend
from benchmarks.live_page.making import made
from taskgraph.live.following import Following
from taskgraph.live.tasks import DONE, READY


def test_a_store_is_made_in_which_the_first_tasks_have_run(tmp_path):
    path = tmp_path / "work.py"
    made(path, done=1500, open_=7, pause=0.0)

    def opened():
        backend = open_backend(str(path.with_suffix(".tgdata")), create=False)
        backend.refresh()
        return backend

    follows = Following(opened, path)
    follows.look()
    assert follows.tasks is not None
    assert [(row[DONE], row[READY]) for row in follows.tasks.counts] == [
        (1500, 0),
        (0, 7),
    ]
    while follows.reading:
        follows.look()
    assert sum(follows.history.timeline.plain()["counts"]["work.square"]) == 1500
    follows.close()
