"""Listening, telling the address, ending; streams of what is newest."""

from __future__ import annotations

import gc
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
import webbrowser
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

import pytest
from starlette.routing import Route

from taskgraph.errors import UsageError
from taskgraph.pages import Latest, Site, events, json_answer, serve, serving, shell

PROGRAM = """
import sys
from starlette.routing import Route
from taskgraph.pages import Latest, Site, events, serve, shell

latest = Latest()
latest.publish("1")
async def first(request):
    return shell("x")
async def news(request):
    return events(latest, request)
site = Site([Route("/", first), Route("/events", news)], "x", framed=True)
serve(site, on_ready=lambda address: print(address, flush=True), on_end=latest.close)
print("ended")
"""


def site_of(latest: Latest) -> Site:
    async def news(request):
        return events(latest, request)

    return Site([Route("/events", news)], "x", framed=True)


def until(holds, seconds=20.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def test_a_port_in_use_is_told(tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} is in use; give another"):
            serve(Site([], "x"), port=port)


@pytest.mark.parametrize(
    ("host", "port", "said"),
    [
        ("no.such.host.invalid", 0, "there is no host"),
        ("127.0.0.1", 70000, "there is no port 70000"),
        ("192.0.2.1", 0, "no address of this machine"),
    ],
)
def test_where_nobody_can_listen_is_told(host, port, said):
    with pytest.raises(UsageError, match=said):
        serve(Site([], "x"), host=host, port=port)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_in_order_while_a_page_is_open(number):
    command = [sys.executable, "-c", PROGRAM]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        address = process.stdout.readline().strip()
        with urlopen(f"{address}events") as stream:
            assert stream.readline() == b"id: 1\n"
            process.send_signal(number)
            said, told = process.communicate(timeout=20)
    assert (process.returncode, said, told) == (0, "ended\n", "")


def test_a_page_gets_what_is_newest_and_never_waits_for_what_was_before():
    latest = Latest()
    latest.publish('{"number": 0}')
    with (
        serving(site_of(latest), on_end=latest.close) as served,
        urlopen(f"{served.address}events") as stream,
    ):
        assert stream.readline() == b"id: 1\n"
        assert stream.readline() == b'data: {"number": 0}\n'
        latest.publish('{"number": 0}')  # the same is no news
        latest.publish("a\nb")
        read = [stream.readline() for _ in range(4)]
        assert read[1:] == [b"id: 2\n", b"data: a\n", b"data: b\n"]


def test_a_page_that_does_not_read_keeps_nobody_waiting():
    latest = Latest()
    with (
        serving(site_of(latest), on_end=latest.close) as served,
        urlopen(f"{served.address}events") as asleep,
    ):
        until(lambda: latest.watchers == 1)
        for number in range(300):  # far more than sockets hold
            latest.publish(f"{number} {'x' * 100_000}")
            time.sleep(0.001)
        latest.publish("the last")
        with urlopen(f"{served.address}events") as awake:
            assert awake.readline() == b"id: 301\n"
        read = asleep.read(1000)
        assert read.startswith(b"id: ")


def test_a_page_that_does_not_read_leaves_no_connection_open_at_the_end():
    latest = Latest()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with serving(site_of(latest), on_end=latest.close) as served:
            asleep = urlopen(f"{served.address}events")
            until(lambda: latest.watchers == 1)
            for number in range(300):  # far more than sockets hold
                latest.publish(f"{number} {'x' * 100_000}")
                time.sleep(0.001)
        gc.collect()
    asleep.close()
    assert [str(one.message) for one in told if "transport" in str(one.message)] == []


def test_a_page_that_leaves_is_watching_no_more():
    latest = Latest()
    with serving(site_of(latest), on_end=latest.close) as served:
        stream = urlopen(f"{served.address}events")
        until(lambda: latest.watchers == 1)
        stream.close()
        latest.publish("news")
        until(lambda: latest.watchers == 0)


def test_the_browser_is_started_without_the_token_among_its_words(
    monkeypatch, tmp_path
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    opened, ended = [], threading.Event()

    def pretend(url):
        opened.append(url)
        file = Path(url.removeprefix("file://"))
        opened.append((file.read_text(), file.stat().st_mode & 0o77))
        ended.set()

    monkeypatch.setattr(webbrowser, "open", pretend)
    told = []

    def ready(address):
        told.append(address)
        assert ended.wait(20)
        raise KeyboardInterrupt

    serve(Site([], "x"), open_browser=True, on_ready=ready)
    url, (text, others) = opened
    assert told[0].partition("token=")[2] not in url
    assert told[0] in text
    assert others == 0
    assert list(tmp_path.iterdir()) == []


def test_plain_data_is_json_whatever_is_in_it():
    answer = json_answer({"a": [float("nan"), float("inf"), 1.5], "b": "\ud800"})
    assert answer.body == b'{"a":[null,null,1.5],"b":"\\ud800"}'


def test_a_shell_has_nothing_inline():
    body = shell("x", scripts=["a.js"], styles=["b.css"]).body.decode()
    assert "<style" not in body
    assert body.count("<script") == body.count("</script>") == body.count('src="static')
