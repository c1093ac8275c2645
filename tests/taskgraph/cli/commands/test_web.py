"""`tg web`: what it prints, refuses, and how it ends."""

import re
import signal
import socket
import subprocess
from contextlib import closing
from urllib.request import urlopen

import pytest


@pytest.fixture
def tg(forked_tg):
    return forked_tg


def test_a_port_in_use_is_told_with_the_code_of_a_mistake(tg):
    tg.jugfile("sums.py")
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        said = tg("web", "sums.py", "--port", port, code=2).stderr
    assert f"port {port} is in use" in said


def test_a_script_that_is_not_there_is_told(tg):
    assert "no.py" in tg("web", "no.py", code=2).stderr


def test_it_prints_its_address_serves_and_ends_with_ctrl_c(fresh_tg):
    tg = fresh_tg
    tg.jugfile("sums.py")
    pipe = subprocess.PIPE
    command = [tg.script, "web", "sums.py"]
    with subprocess.Popen(
        command, cwd=tg.folder, env=tg.env, stdout=pipe, stderr=pipe, text=True
    ) as process:
        address = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{20,}", address)
        with urlopen(address) as answer:
            assert "SameSite=Strict" in answer.headers["set-cookie"]
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in told
