"""The routes of the live page."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from backends.errors import BackendError
from taskgraph.errors import TaskgraphError, UsageError
from taskgraph.live.acting import acted
from taskgraph.live.answers import (
    failures_answer,
    graph_answer,
    task_answer,
    tasks_answer,
)
from taskgraph.pages import Site, events, json_answer, shell
from taskgraph.results.codec import is_plain, stored_size

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from taskgraph.live.page import LivePage

_STATIC = Path(__file__).parent / "static"
_SANDBOX = (
    "sandbox; default-src 'none'; img-src data:; media-src data:; font-src data:; "
    "style-src 'unsafe-inline'; frame-ancestors 'self'"
)
"""For HTML that a value made of itself: a page without scripts, and of no origin."""
_DRAWING = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
_THREADS = 8
"""Of each kind of answers; Starlette has forty."""
_FOUND, _MISSING, _REFUSED, _GONE = 200, 404, 400, 503


def site_of(page: LivePage) -> Site:
    """Return the site of a live page."""
    title = f"{page.following.jugfile.name}: tasks"

    async def first(request: Request) -> Response:  # noqa: ARG001 - Starlette's
        return shell(title, scripts=["live/page.js"], styles=["live/live.css"])

    async def news(request: Request) -> Response:
        page.look_soon()
        return events(page.latest, request)

    gets: dict[str, Callable[[LivePage, Mapping[str, str]], Response]] = {
        "/history": _history,
        "/tasks": _tasks,
        "/task": _task,
        "/failures": _failures,
        "/graph": _graph,
        "/undoable": _undoable,
        "/value/picture": _picture,
        "/value/rows": _rows,
        "/value/csv": _csv,
        "/value/drawing": _drawing,
        "/value/page": _own_page,
    }
    threads = _Threads()
    posts = {"/value/open": _open, "/act": _act}
    routes = [
        Route("/", first),
        Route("/events", news),
        *(
            Route(path, _reading(page, threads, path, answer))
            for path, answer in gets.items()
        ),
        *(
            Route(path, _acting(page, threads, path, answer), methods=["POST"])
            for path, answer in posts.items()
        ),
    ]
    return Site(routes, title, static={"live": _STATIC})


def _reading(
    page: LivePage, threads: _Threads, path: str, answer: Callable[..., Response]
) -> Any:
    async def endpoint(request: Request) -> Response:
        query = dict(request.query_params)
        return await threads.run(path, _answered, page, answer, page, query)

    return endpoint


class _Threads:
    """Where answers are made: who waits for a value is in nobody's way but of his kind.

    Values that are read by pickle are one kind, all others are another.
    """

    def __init__(self) -> None:
        self._places: dict[str, asyncio.Semaphore] = {}

    async def run(self, path: str, *work: Any) -> Response:
        """Call a function with arguments, the last of which is what is asked for."""
        kind = "value" if path.startswith("/value/") else ""
        kind = "pickle" if kind and work[-1].get("unpickle") else kind
        async with self._places.setdefault(kind, asyncio.Semaphore(_THREADS)):
            return await run_in_threadpool(*work)


def _acting(
    page: LivePage, threads: _Threads, path: str, answer: Callable[..., Response]
) -> Any:
    async def endpoint(request: Request) -> Response:
        try:
            asked = json.loads(await request.body())
        except (ValueError, RecursionError):
            asked = None
        if not isinstance(asked, dict):
            return json_answer({"error": "this is no JSON"}, _REFUSED)
        return await threads.run(path, _answered, page, answer, page, asked)

    return endpoint


def _answered(page: LivePage, answer: Callable[..., Response], *given: Any) -> Response:
    """Return an answer; what goes wrong is a sentence."""
    page.looked_at()
    try:
        return answer(*given)
    except LookupError as error:
        why = error.args[0] if error.args else "there is no such thing"
        return json_answer({"error": str(why)}, _MISSING)
    except (BackendError, OSError) as error:
        return json_answer({"error": page.sentence(str(error))}, _GONE)
    except (TaskgraphError, ValueError) as error:
        return json_answer({"error": page.sentence(str(error))}, _REFUSED)


def _history(page: LivePage, query: Mapping[str, str]) -> Response:  # noqa: ARG001
    with page.following.lock:
        return json_answer(page.graph()[1].timeline.plain())


def _tasks(page: LivePage, query: Mapping[str, str]) -> Response:
    text = query.get("text", "").strip()
    if text:
        _go_on(page, text)
    with page.following.lock:
        return json_answer(tasks_answer(page, query))


def _go_on(page: LivePage, text: str) -> None:
    """Let a search go on for a while; nobody else waits for it."""
    import time

    with page.following.lock:
        search = page.search(text)
    end = time.monotonic() + 0.25
    while not search.finished and time.monotonic() < end:
        with page.following.lock:
            search.go_on()


def _task(page: LivePage, query: Mapping[str, str]) -> Response:
    with page.following.lock:
        return json_answer(task_answer(page, _key(query)))


def _failures(page: LivePage, query: Mapping[str, str]) -> Response:  # noqa: ARG001
    with page.following.lock:
        return json_answer(failures_answer(page))


def _graph(page: LivePage, query: Mapping[str, str]) -> Response:  # noqa: ARG001
    with page.following.lock:
        return json_answer(graph_answer(page))


def _undoable(page: LivePage, query: Mapping[str, str]) -> Response:  # noqa: ARG001
    with page.following.lock:
        found = page.results().backend.discards()[-20:]
    rows = [
        {"number": d.position, "time": d.time, "why": d.reason, "results": len(d.keys)}
        for d in reversed(found)
    ]
    return json_answer(rows)


def _open(page: LivePage, asked: Mapping[str, Any]) -> Response:
    """Load a value: at once if it is plain, else if that is asked for in words."""
    key = _key(asked)
    with page.following.lock:
        results = page.results()
        payload = results.payload(key)
        plain = is_plain(payload, results.backend.blobs.open)
    size = stored_size(payload)
    if not plain and not asked.get("unpickle"):
        return json_answer({"kind": "pickle", "size": size})
    about = page.open(key, payload, plain=plain)
    return json_answer(about | {"size": size, "pickle": not plain})


def _picture(page: LivePage, query: Mapping[str, str]) -> Response:
    plane = int(query.get("plane") or 0)
    path = query.get("part", "")
    key = _key(query)
    data, kind = page.shown(key).ask("picture", key, path, plane)
    return Response(data, media_type=kind)


def _rows(page: LivePage, query: Mapping[str, str]) -> Response:
    key = _key(query)
    rows = page.shown(key).ask(
        "rows",
        key,
        query.get("part", ""),
        int(query.get("start") or 0),
        int(query.get("count") or 100),
        query.get("by", ""),
        bool(query.get("down")),
    )
    return json_answer(rows)


def _csv(page: LivePage, query: Mapping[str, str]) -> Response:
    key = _key(query)
    data = page.shown(key).ask("csv", key, query.get("part", ""))
    name = f"{key.hex()[:12]}.csv"
    return Response(
        data,
        headers={"content-disposition": f'attachment; filename="{name}"'},
        media_type="text/csv",
    )


def _drawing(page: LivePage, query: Mapping[str, str]) -> Response:
    key = _key(query)
    drawn = page.shown(key).ask("markup", key, query.get("part", ""))
    policy = {"content-security-policy": _DRAWING}
    return Response(drawn, headers=policy, media_type="image/svg+xml")


def _own_page(page: LivePage, query: Mapping[str, str]) -> Response:
    key = _key(query)
    source = page.shown(key).ask("markup", key, query.get("part", ""))
    policy = {"content-security-policy": _SANDBOX}
    data = source.encode(errors="backslashreplace")
    return Response(data, headers=policy, media_type="text/html")


def _act(page: LivePage, asked: Mapping[str, Any]) -> Response:
    if page.act is None:
        raise UsageError("this page only shows; start `tg web --allow-actions` to act")
    done = acted(page.act, asked)
    page.look()
    return json_answer(done)


def _key(query: Mapping[str, Any]) -> bytes:
    return bytes.fromhex(str(query.get("key", "")))
