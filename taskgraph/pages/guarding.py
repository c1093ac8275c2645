"""The rim of a site: each request is let in or refused, each answer has its headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import Response
from starlette.routing import Mount, Route

from taskgraph.pages.access import NO_TOKEN, landing
from taskgraph.pages.site import json_answer

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from taskgraph.pages.access import Access
    from taskgraph.pages.site import Site

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
_HEADERS = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def application(site: Site, access: Access) -> ASGIApp:
    """Return a site as an application of ASGI that asks for the token."""

    async def acting(request: Request) -> Response:  # noqa: ARG001 - Starlette's
        return json_answer({"token": access.acting})

    routes = [*site.routes, site.file_route(), Route("/acting", acting)]
    inner = Starlette(routes=[Mount(access.place.rstrip("/"), routes=routes)])
    return _Guard(inner, access)


class _Guard:
    """Lets requests in that may be answered; sets the headers of all answers."""

    def __init__(self, inner: ASGIApp, access: Access) -> None:
        self._inner, self._access = inner, access
        ancestors = "" if access.framed else "; frame-ancestors 'none'"
        self._headers = _HEADERS | {"content-security-policy": _POLICY + ancestors}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self._refused(scope)
        await (refused or self._inner)(scope, receive, answer)

    def _refused(self, scope: Scope) -> Response | None:
        headers = dict(Headers(scope=scope))
        why = self._access.refusal(scope["method"], scope["path"], headers)
        if why == NO_TOKEN and scope["path"] == "/" and scope["method"] == "GET":
            query = dict(QueryParams(scope["query_string"]))
            if (where := landing(query, self._access)) is not None:
                return _arrival(where, self._access.cookie())
        return Response(f"{why}\n", 403, media_type="text/plain") if why else None


def _arrival(where: str, cookie: str) -> Response:
    """Return what leads on to the site, with the token in a cookie, not the address.

    It is a page, and no redirection: a browser that came from elsewhere (a link in a
    notebook, a file) would not bring a strict cookie where it is redirected to.
    """
    from html import escape

    to = escape(where)
    return Response(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Opening</title>'
        '<link rel="icon" href="data:,">'
        f'<meta http-equiv="refresh" content="0;url={to}"><a href="{to}">Go on</a>',
        headers={"set-cookie": cookie},
        media_type="text/html",
    )
