"""The explorer's page: what each of its requests is answered with."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route

from segkit.explorer.computing import StaleError
from segkit.io.errors import ImageError
from segkit.pipeline.steps import PipelineError
from taskgraph.extending import Site, json_answer, shell

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request as Asked

    from segkit.explorer.exploration import Exploration, Stale
    from segkit.explorer.running import WholeRun

_STATIC = Path(__file__).parent / "static"
_CHANNELS = 1000
"""Of how many views of pages the newest request is known."""
_QUICK = ("/describe", "/new", "/toml", "/save", "/run")
"""Paths of what computes nothing of the image."""
_LARGEST = 1 << 22
"""Bytes of a request, at most."""


class Newest:
    """Which request of each view is the newest: all others are dropped.

    Examples
    --------
    >>> newest = Newest()
    >>> first = newest.is_stale("xy", 1)
    >>> second = newest.is_stale("xy", 2)
    >>> first(), second()
    (True, False)
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._lock = Lock()

    def is_stale(self, channel: str, number: int) -> Stale:
        """Return what says whether a request, which has come now, is out of date."""
        with self._lock:
            known = self._numbers.pop(channel, number)
            self._numbers[channel] = max(known, number)
            while len(self._numbers) > _CHANNELS:
                del self._numbers[next(iter(self._numbers))]
        return lambda: self._numbers.get(channel, number) > number


class Explorer:
    """Answers the requests of pages about one image, one at a time.

    What takes long, the whole of a large image, is computed behind the others; what
    computes nothing, such as to save steps, does not wait for them.

    Parameters
    ----------
    exploration : Exploration
        The image.
    run : WholeRun or None
        What runs the pipeline over the whole image; None if it lies in no file.
    """

    def __init__(self, exploration: Exploration, run: WholeRun | None) -> None:
        self._exploration, self._run = exploration, run
        self._newest = Newest()
        # Threads of the server's loop.
        self._worker = ThreadPoolExecutor(1, "asyncio_explorer")
        self._behind = ThreadPoolExecutor(1, "asyncio_explorer_whole")
        self._quick = ThreadPoolExecutor(1, "asyncio_explorer_quick")

    def site(self, *, framed: bool = False) -> Site:
        """Return what is served."""
        title = f"Explore {self._exploration.opened.name}"

        async def page(_: Asked) -> Response:
            return shell(
                title, scripts=["explorer/page.js"], styles=["explorer/explorer.css"]
            )

        async def start(_: Asked) -> Response:
            plain = self._exploration.start()
            run = self._run.target() if self._run else None
            return json_answer({**plain, "run": run})

        async def progress(_: Asked) -> Response:
            return json_answer(self._run.progress() if self._run else {})

        posts = [
            Route(f"/{name}", partial(self._answer, call), methods=["POST"])
            for name, call in self._calls().items()
        ]
        gets = [("/", page), ("/start", start), ("/progress", progress)]
        routes = [*(Route(path, call) for path, call in gets), *posts]
        return Site(routes, title, {"explorer": _STATIC}, framed=framed)

    def close(self) -> None:
        """Let nothing be computed any more, and end what runs."""
        for worker in (self._worker, self._behind, self._quick):
            worker.shutdown(wait=False, cancel_futures=True)
        if self._run:
            self._run.stop()

    def _calls(self) -> dict[str, Callable[[Any, Stale], Any]]:
        """Return what is done for each path; bytes are sent as they are."""
        ours = self._exploration

        def of_step(answer: Callable[..., Any], plain: Any, stale: Stale) -> Any:
            return answer(ours.request(plain), int(plain.get("place", 0)), stale)

        def of_view(answer: Callable[..., Any], plain: Any, stale: Stale) -> Any:
            return answer(ours.request(plain), stale)

        return {
            "view": partial(of_view, ours.view),
            "table": partial(of_view, ours.table),
            "scores": partial(of_view, ours.scores),
            "histogram": partial(of_step, ours.histogram),
            "thresholds": partial(of_step, ours.thresholds),
            "voxel": lambda plain, _: {"value": ours.voxel(plain.get("at"))},
            "describe": lambda plain, _: ours.described(ours.request(plain)),
            "new": lambda plain, _: ours.new(str(plain.get("name"))),
            "toml": lambda plain, _: {"text": ours.text(ours.request(plain))},
            "save": lambda plain, _: self._save(plain),
            "run": lambda plain, _: self._start_run(plain),
        }

    async def _answer(
        self, call: Callable[[Any, Stale], Any], asked: Asked
    ) -> Response:
        """Answer one request, unless a newer one of its view has come meanwhile."""
        try:
            body = await asked.body()
            if len(body) > _LARGEST:
                return json_answer({"error": "this is too much to be asked"}, 413)
            plain = await asked.json()
            if not isinstance(plain, dict):
                raise PipelineError("a page asks by an object of JSON")
            channel, number = str(plain.get("channel", "")), plain.get("number", 0)
            stale = (
                self._newest.is_stale(channel, int(number))
                if channel
                else (lambda: False)
            )
            found = await self._computed(asked.url.path, call, plain, stale)
        except StaleError:
            return Response(status_code=204)
        except _EndedError:
            return json_answer({"error": "the server of this page has ended"}, 503)
        except Exception as error:  # noqa: BLE001 - whatever it is, the page says it
            return _told(error)
        if isinstance(found, bytes):
            return Response(found, media_type="application/octet-stream")
        return json_answer(found)

    async def _computed(
        self, path: str, call: Callable[[Any, Stale], Any], plain: Any, stale: Stale
    ) -> Any:
        """Return what a request is answered with, computed in one of the threads."""
        worker = self._behind if plain.get("whole") else self._worker
        worker = self._quick if path.endswith(_QUICK) else worker
        try:
            waited = asyncio.wrap_future(worker.submit(call, plain, stale))
        except RuntimeError as error:  # nothing is computed any more
            raise _EndedError from error
        return await waited

    def _save(self, plain: Any) -> dict[str, Any]:
        run = self._require_run()
        steps = self._exploration.saved_steps(self._exploration.request(plain))
        return run.save(steps)

    def _start_run(self, plain: Any) -> dict[str, Any]:
        saved = self._save(plain)
        self._require_run().start()
        return saved

    def _require_run(self) -> WholeRun:
        if self._run is None:
            raise PipelineError(
                "the image lies in no file, and has no folder to save in; copy the"
                " steps, or explore a file"
            )
        return self._run


class _EndedError(Exception):
    """The server ends, and computes nothing any more."""


def _told(error: Exception) -> Response:
    """Return what the page says of an error: by status 500, that the fault is ours."""
    if isinstance(error, RecursionError):
        said = "this is nested too deeply"
    elif isinstance(error, OverflowError):
        said = f"a number is too large: {error}"
    elif isinstance(error, MemoryError):
        said = "this takes more memory than there is; zoom in"
    elif isinstance(
        error, PipelineError | ImageError | OSError | ValueError | TypeError
    ):
        said = str(error)
    else:
        return json_answer({"error": f"{type(error).__name__}: {error}"}, 500)
    return json_answer({"error": said}, 422)
