"""Passwords are used and shown nowhere; connections may be encrypted."""

import gc
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import suppress

import pytest

from backends import UnavailableError
from backends.opening import open_backend
from backends.redis.address import parse_address
from backends.testing.deeds import A, publish

from ...machine import IN_CI
from ...taskgraph.rough import SUM, tg
from .rooms import refusal

SECRET = "s3/cr:t@#?"
QUOTED = "s3%2Fcr%3At%40%23%3F"


# passwords


@pytest.fixture
def guarded(own_server):
    return own_server("--requirepass", SECRET)


@pytest.fixture(autouse=True)
def no_password_is_known(monkeypatch):
    from os import environ

    for name in [x for x in environ if x.startswith("_TASKGRAPH_PASSWORD")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("REDISCLI_AUTH", raising=False)
    before = set(environ)
    yield
    for name in set(environ) - before:
        monkeypatch.delenv(name)


def test_the_server_wants_a_password(guarded):
    said = refusal(guarded.url("s"))
    assert "wants a password" in said
    assert "REDISCLI_AUTH" in said


@pytest.mark.parametrize("user", ["", "anna"])
def test_the_password_is_another(guarded, user):
    said = refusal(f"redis://{user}:mistyped@127.0.0.1:{guarded.port}")
    assert "refuses name or password" in said
    assert "mistyped" not in said


@pytest.mark.parametrize("way", ["URL", "query", "variable"])
def test_the_password_is_used_and_not_shown(guarded, monkeypatch, way):
    url = guarded.url("s")
    if way == "URL":
        url = url.replace("//", f"//:{QUOTED}@")
    if way == "query":
        url += f"&password={QUOTED}"
    if way == "variable":
        monkeypatch.setenv("REDISCLI_AUTH", SECRET)
    backend = open_backend(url)
    assert publish(backend, A) == 1
    assert backend.url == guarded.url("s")


def test_who_opened_it_once_and_all_it_starts_open_it_by_what_is_shown(guarded):
    shown = open_backend(guarded.url("s").replace("//", f"//:{QUOTED}@")).url
    assert QUOTED not in shown
    open_backend(shown).claim([A])
    program = (
        "import sys; from backends.opening import open_backend as o\n"
        "b = o(sys.argv[1]); b.poll(); print(len(b.locks()))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program, shown],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "1"


def test_a_password_among_the_arguments_is_seen_by_nobody(guarded):
    program = (
        "import sys; from backends.opening import open_backend as o\n"
        "o(sys.argv[1]); print(open('/proc/self/cmdline').read(), sys.argv[1])"
    )
    url = guarded.url("s").replace("//", f"//:{QUOTED}@")
    found = subprocess.run(
        [sys.executable, "-c", program, url], capture_output=True, text=True, check=True
    )
    shown, _, own = found.stdout.rpartition(" ")
    assert QUOTED not in shown
    assert "***" in shown
    assert QUOTED in own  # whoever asks his own process has it still


@pytest.mark.parametrize("option", ["--store={}", "--also={}?sentinel_password=hush"])
def test_a_program_hides_passwords_before_it_does_anything_else(option):
    """To import what opens a store takes a second, or ten on a busy machine."""
    program = (
        "import click, sys; from taskgraph.cli.program import run_program\n"
        "@click.command(context_settings={'ignore_unknown_options': True})\n"
        "@click.argument('words', nargs=-1)\n"
        "def said(words):\n"
        "    print(open('/proc/self/cmdline').read(), words, 'redis' in sys.modules)\n"
        "run_program(said, 'tg')"
    )
    url = option.format("redis+sentinel://anna:hush@host/service")
    found = subprocess.run(
        [sys.executable, "-c", program, url], capture_output=True, text=True, check=True
    )
    shown, _, own = found.stdout.rpartition("(")
    assert "hush" not in shown
    assert "anna:****@host" in shown
    assert "hush" in own
    assert own.endswith("False\n")


def test_what_is_known_of_an_address_does_not_show_the_password_either():
    address = parse_address(
        "rediss://:hush@host?ssl_password=hush&sentinel_password=hush"
    )
    assert "hush" not in repr(address)
    assert address.password == "hush"


def test_a_sentence_that_says_what_to_type_leaves_the_password_out(guarded, tmp_path):
    (tmp_path / "job.py").write_text(SUM)
    url = guarded.url("s").replace("//", f"//:{QUOTED}@")
    said = tg(tmp_path, "status", "job.py", "--store", url, code=None)
    shown = said.stdout + said.stderr
    assert "tg execute job.py --store" in shown
    assert QUOTED not in shown
    assert SECRET not in shown


@pytest.mark.parametrize(
    "url",
    [
        "redis://:se/cret@host",
        "redis://:se?cret@host",
        "redis://:se#cret@host",
        "redis://:se:cret@host",
        "rediss://user:secret@host:port",
        "redis+sentinel://:secret@host",
        "redis+cluster://:secret@host/3",
        "redis://:secret@host?patience=long&password=secret",
        "unix://:secret@",
        "redsi://:secret@host",
        "redis+socket://:secret@host",
        "redis:secret@host",
    ],
)
def test_a_url_that_is_none_does_not_show_its_password_either(url):
    said = refusal(url)
    assert "cret" not in said


# TLS


@pytest.fixture
def certificate(tmp_path):
    if shutil.which("openssl") is None and not IN_CI:
        pytest.skip("needs openssl (apt-get install openssl)")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = [
        *("openssl", "req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"),
        *("-pkeyopt", "ec_paramgen_curve:prime256v1"),
        *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
        *("-keyout", str(key), "-out", str(certificate)),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


@pytest.fixture
def tls_port(server, certificate):
    """Return the port of what speaks TLS in front of a server."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    listener = socket.create_server(("127.0.0.1", 0))
    threads = []

    def serve(raw):
        with (
            suppress(OSError),
            raw,
            context.wrap_socket(raw, server_side=True) as client,
            socket.create_connection(("127.0.0.1", server.port)) as upstream,
        ):
            raw.close()
            client.settimeout(5)
            back = threading.Thread(target=forward, args=(upstream, client))
            back.start()
            forward(client, upstream)
            back.join()

    def accept():
        with suppress(OSError):
            while True:
                threads.append(
                    threading.Thread(target=serve, args=listener.accept()[:1])
                )
                threads[-1].start()

    threads.append(threading.Thread(target=accept))
    threads[0].start()
    yield listener.getsockname()[1]
    gc.collect()  # whoever is connected still, is not for much longer
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for thread in threads:
        thread.join()


def forward(source, target):
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


def test_a_server_is_spoken_to_in_tls(tls_port, certificate, store):
    url = f"rediss://localhost:{tls_port}?store={store}"
    backend = open_backend(f"{url}&ssl_ca_certs={certificate[0]}")
    assert list(backend.claim([A]).keys) == [A]
    said = refusal(url, UnavailableError)
    assert "certificate cannot be verified" in said
    assert "ssl_ca_certs=" in said


def test_a_server_does_not_speak_tls(server):
    said = refusal(
        f"rediss://127.0.0.1:{server.port}?socket_timeout=0.5", UnavailableError
    )
    assert "speaks TLS and the other does not" in said


def test_a_server_wants_tls(tls_port):
    said = refusal(f"redis://127.0.0.1:{tls_port}?socket_timeout=2", UnavailableError)
    assert "wants TLS" in said or "speaks TLS" in said
