"""Who is let in: the token, hosts, origins, what acts."""

from __future__ import annotations

from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from taskgraph.pages import Site, json_answer, serving, shell

PORT = "{port}"


async def first(request):
    return shell("Cells <of> a & b", scripts=["pages/dom.js"])


async def secret(request):
    return PlainTextResponse("a secret")


async def changed(request):
    return json_answer({"changed": True})


ROUTES = [
    Route("/", first),
    Route("/secret", secret),
    Route("/change", changed, methods=["POST"]),
]


class Client:
    """What a browser sends, and no more."""

    def __init__(self, address: str) -> None:
        self.parts = urlsplit(address)
        self.cookie = self.place = ""

    def ask(self, path, method="GET", **headers):
        connection = HTTPConnection("127.0.0.1", self.parts.port, timeout=10)
        given = {"Host": self.parts.netloc}
        if self.cookie:
            given["Cookie"] = self.cookie
        for name, value in headers.items():
            given[name.replace("_", "-")] = value.replace(PORT, str(self.parts.port))
        connection.request(method, path, headers=given)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, body

    def enter(self):
        """Open the printed address as it is."""
        status, headers, body = self.ask(f"/?{self.parts.query}")
        assert status == 200
        self.cookie = headers["set-cookie"].partition(";")[0]
        self.place = headers["set-cookie"].partition("Path=")[2].partition(";")[0]
        return headers, body

    def post(self, **headers):
        return self.ask(f"{self.place}change", "POST", **headers)


@pytest.fixture(scope="module")
def address():
    with serving(Site(ROUTES, "Cells")) as served:
        yield served.address


@pytest.fixture
def stranger(address):
    client = Client(address)
    client.enter()
    client.cookie = ""  # the place alone, as another user might guess it
    return client


@pytest.fixture
def owner(address):
    client = Client(address)
    client.enter()
    return client


def test_the_printed_address_lets_in_and_leaves_no_token_in_the_address(address):
    client = Client(address)
    headers, body = client.enter()
    cookie = headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert f"url={client.place}" in body
    assert client.parts.query.partition("=")[2] not in body
    assert client.ask(f"{client.place}secret")[::2] == (200, "a secret")


@pytest.mark.parametrize(
    "others",
    [
        "{}; token=theirs",
        "token=theirs; {}",
        "a name=x; {}",
        'open="x; {}',
        "a[b=1,2 3; {}; =; ;;",
        "$Version=1; {{}}=1; {}",
        "token; {}",
    ],
)
def test_cookies_of_other_ports_keep_nobody_out(owner, others):
    owner.cookie = others.format(owner.cookie)
    assert owner.ask(f"{owner.place}secret")[::2] == (200, "a secret")
    owner.cookie = others.format("token=wrong")
    assert owner.ask(f"{owner.place}secret")[0] == 403


def test_what_the_address_says_besides_is_kept(address):
    client = Client(address)
    _, _, body = client.ask(f"/?{client.parts.query}&theme=dark&x=%22%3E%3Cscript%3E")
    assert "theme=dark" in body
    assert "<script" not in body


@pytest.mark.parametrize("path", ["", "secret", "static/pages/dom.js", "acting", "no"])
def test_nothing_is_shown_without_the_token(stranger, path):
    status, _, body = stranger.ask(f"{stranger.place}{path}")
    assert status == 403
    assert "the address that was printed" in body


@pytest.mark.parametrize(
    "path", ["/", "/secret", "/?token=", "/?token=x", "//", "/%00"]
)
def test_nothing_is_known_outside_of_its_place(stranger, path):
    assert stranger.ask(path)[0] == 403


@pytest.mark.parametrize(
    "cookie", ["token=", "token=é", "token", ";;;=", "a=b; token=x"]
)
def test_a_wrong_cookie_is_as_none(owner, cookie):
    owner.cookie = cookie.encode().decode("latin-1")
    assert owner.ask(f"{owner.place}secret")[0] == 403


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1.evil.example",
        "",
        "[::1",
        "a b",
    ],
)
def test_a_foreign_name_that_points_here_is_refused(owner, host):
    status, _, body = owner.ask(f"{owner.place}secret", Host=host)
    assert (status, "secret" in body) == (403 if host != "" else status, False)
    assert status in (400, 403)


@pytest.mark.parametrize(
    "host", ["localhost:{port}", "127.0.0.1:9", "[::1]:{port}", "a.localhost:80"]
)
def test_tunnels_and_other_names_of_this_machine_are_taken(owner, host):
    assert owner.ask(f"{owner.place}secret", Host=host)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:9"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"},
        {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "cors"},
        {"Sec_Fetch_Site": "cross-site"},
    ],
)
def test_other_origins_can_neither_read_nor_act(owner, headers):
    assert owner.ask(f"{owner.place}secret", **headers)[0] == 403
    assert owner.post(**headers)[0] == 403


def test_a_link_may_be_followed_from_elsewhere(owner):
    headers = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}
    assert owner.ask(f"{owner.place}", **headers)[0] == 200
    assert owner.post(Origin="http://127.0.0.1:{port}", **headers)[0] == 403


def test_acting_takes_the_pages_origin_and_its_second_token(owner):
    _, _, body = owner.ask(f"{owner.place}acting")
    token = body.split('"')[3]
    own = {"Origin": "http://127.0.0.1:{port}"}
    assert owner.post(**own, x_token=token)[0] == 200
    assert owner.post(**own)[0] == 403
    assert owner.post(**own, x_token="x")[0] == 403
    assert owner.post(x_token=token)[0] == 403
    assert owner.ask(f"{owner.place}change")[0] == 405


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"])
def test_other_methods_are_refused(owner, method):
    assert owner.ask(f"{owner.place}secret", method)[0] == 403


@pytest.mark.parametrize(
    "path", ["", "secret", "static/pages/style.css", "no", "acting"]
)
def test_every_answer_forbids_what_is_not_needed(owner, path):
    _, headers, _ = owner.ask(f"{owner.place}{path}")
    policy = headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path",
    ["../access.py", "..%2f..%2faccess.py", "pages/../../site.py", "/etc/passwd"],
)
def test_only_files_of_the_pages_are_served(owner, path):
    assert owner.ask(f"{owner.place}static/{path}")[0] in (403, 404)


def test_a_title_is_text(owner):
    assert "<title>Cells &lt;of&gt; a &amp; b</title>" in owner.ask(owner.place)[2]


def test_the_path_of_a_framed_site_is_its_token():
    with serving(Site(ROUTES, "Cells", framed=True)) as served:
        client = Client(served.address)
        status, headers, body = client.ask(f"{client.parts.path}secret")
        assert (status, body) == (200, "a secret")
        assert "frame-ancestors" not in headers["content-security-policy"]
        assert "set-cookie" not in headers
        assert client.ask("/secret")[0] == 403
        assert client.ask(f"/x{client.parts.path}secret")[0] == 403


def test_no_two_servers_have_a_token_or_a_place_in_common():
    with serving(Site(ROUTES, "a")) as one, serving(Site(ROUTES, "b")) as other:
        first, second = Client(one.address), Client(other.address)
        first.enter()
        second.enter()
        assert first.place != second.place
        assert second.ask(f"{first.place}secret", Cookie=first.cookie)[0] == 403
        assert second.ask(f"{second.place}secret", Cookie=first.cookie)[0] == 403
