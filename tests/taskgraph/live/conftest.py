"""A live page as it is served, and a client that has its token."""

from __future__ import annotations

import json
import re
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

import pytest

from backends.opening import open_backend
from taskgraph.live.page import LivePage
from taskgraph.live.routes import site_of
from taskgraph.pages import serving


class Client:
    """Asks a page as its scripts do."""

    def __init__(self, address: str) -> None:
        self.origin = address.partition("/?")[0]
        self._open = build_opener(HTTPCookieProcessor(CookieJar())).open
        html = self._open(address).read().decode()
        self.base = self.origin + re.search(r'url=([^"]+)"', html)[1]
        self.token = self.get("acting")["token"]

    def answer(self, path, **query):
        """Return status, headers, body."""
        return self._asked(Request(f"{self.base}{path}?{urlencode(query)}"))

    def get(self, path, **query):
        """Return JSON."""
        return json.loads(self.answer(path, **query)[2])

    def post(self, path, **body):
        """Return status and JSON."""
        return self.post_raw(path, json.dumps(body).encode())

    def post_raw(self, path, data):
        """Return the same of a body as it is."""
        headers = {"x-token": self.token, "Origin": self.origin}
        status, _, text = self._asked(Request(self.base + path, data, headers))
        return status, json.loads(text)

    def _asked(self, request):
        try:
            with self._open(request) as answer:
                return answer.status, answer.headers, answer.read()
        except HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    def key(self, function, place=0):
        """Return the key of a task of a function."""
        return self.get("tasks", function=function)["rows"][place]["key"]


@pytest.fixture
def shown():
    """Return what shows a jugfile: its client and its page."""
    ends = []

    def show(jugfile, **more):
        def opened():
            backend = open_backend(str(jugfile.with_suffix(".tgdata")), create=False)
            backend.refresh()
            return backend

        page = LivePage(opened, jugfile, **more)
        page.start()
        page.looked_at()
        served = serving(site_of(page), on_end=page.latest.close)
        client = Client(served.__enter__().address)
        ends.append((served, page))
        return client, page

    yield show
    for served, page in ends:
        served.__exit__(None, None, None)
        page.close()
