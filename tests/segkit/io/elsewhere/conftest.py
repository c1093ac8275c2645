"""Places elsewhere, on this machine: a web server, and two kinds of buckets."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.backends.bucket.servers import let_in, running

from .google_server import serving_google
from .web_server import serving_folder


@pytest.fixture(scope="package")
def buckets():
    """moto and a server like Google's, and an environment that leads to both.

    It is one for all tests of this folder, as the process that reads is.
    """
    with (
        pytest.MonkeyPatch.context() as patch,
        running("s3") as amazon,
        serving_google() as google,
    ):
        let_in(patch, os.environ)
        patch.setenv("STORAGE_EMULATOR_HOST", google.url)
        google.objects = {}
        yield amazon


@pytest.fixture(autouse=True)
def environment(buckets):
    """Let all tests have the same, so that none has to start another fetcher."""


@pytest.fixture
def s3(buckets, request):
    """A function that returns an address below one that no other test has."""
    below = re.sub(r"[^\w.-]", "-", request.node.name)
    return lambda name: buckets.url(f"{below}/{name}")


@pytest.fixture
def gs(request):
    """A function that returns an address in a bucket of Google's."""
    below = re.sub(r"[^\w.-]", "-", request.node.name)
    return lambda name: f"gs://lab/{below}/{name}"


@pytest.fixture
def web(tmp_path):
    """A web server for ``web`` in the folder of the test."""
    folder = tmp_path / "web"
    folder.mkdir()
    with serving_folder(folder) as server:
        server.folder = folder
        yield server


@pytest.fixture(scope="package")
def written(tmp_path_factory):
    """A folder of volumes that other programs wrote, and the web server of it."""
    folder = tmp_path_factory.mktemp("written")
    program = Path(__file__).with_name("peer.py")
    subprocess.run([sys.executable, str(program), str(folder)], check=True)
    with serving_folder(folder) as server:
        server.folder = folder
        yield server
