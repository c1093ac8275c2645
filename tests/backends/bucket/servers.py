"""Object stores on this machine: moto (S3), and Azurite (Azure) where it is installed.

Each is a server process that listens on this machine only and keeps all in memory. moto
is installed with the rest; Azurite is no Python: `python -m
tests.backends.bucket.servers` installs it into a folder that later runs find.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING

from tests.npm import install, installed, node

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

    import pytest

AZURITE = "3.37.0"
BUCKET = "bucket"
_ACCOUNT = "devstoreaccount1"
# The key that Microsoft's documentation gives to everybody who runs the emulator.
_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/"
    "K1SZFPTOtr/KBHBeksoGMGw=="
)
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "somebody",
    "AWS_SECRET_ACCESS_KEY": "something",
    "AZURE_STORAGE_ACCOUNT_KEY": _KEY,
}


_THEIRS = "AWS_", "AZURE_", "GOOGLE_"


def let_in(patch: pytest.MonkeyPatch, *environments: MutableMapping[str, str]) -> None:
    """Let environments have the credentials of the servers here, and no others."""
    for environment in environments:
        for name in list(environment):
            if name.startswith(_THEIRS):
                patch.delitem(environment, name)
        for name, value in CREDENTIALS.items():
            patch.setitem(environment, name, value)


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    scheme: str
    port: int
    process: subprocess.Popen[bytes]

    def url(self, prefix: str, *, bucket: str = BUCKET, port: int = 0) -> str:
        """Return the URL of a store; of one behind a proxy with its port."""
        host = f"http://127.0.0.1:{port or self.port}"
        if self.scheme == "s3":
            query = f"region=us-east-1&endpoint={host}"
        else:
            query = f"account={_ACCOUNT}&endpoint={host}/{_ACCOUNT}"
        return f"{self.scheme}://{bucket}/{prefix}?allow_http=true&{query}"

    def make_bucket(self, name: str = BUCKET) -> None:
        """Make a bucket."""
        if self.scheme == "s3":
            url, headers = f"http://127.0.0.1:{self.port}/{name}", {}
        else:
            path = f"/{_ACCOUNT}/{name}"
            url = f"http://127.0.0.1:{self.port}{path}?restype=container"
            headers = _signed(path)
        request = urllib.request.Request(url, method="PUT", headers=headers, data=b"")
        urllib.request.urlopen(request).close()


def _signed(path: str) -> dict[str, str]:
    """Return the headers of an empty PUT of a container, signed as Azure wants them."""
    about = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
    lines = "".join(f"{name}:{value}\n" for name, value in about.items())
    kind = "application/x-www-form-urlencoded"
    text = f"PUT\n\n\n\n\n{kind}\n\n\n\n\n\n\n{lines}/{_ACCOUNT}{path}"
    text += "\nrestype:container"
    mac = hmac.new(base64.b64decode(_KEY), text.encode(), hashlib.sha256)
    signature = base64.b64encode(mac.digest()).decode()
    return {
        **about,
        "Authorization": f"SharedKey {_ACCOUNT}:{signature}",
        "Content-Type": kind,
    }


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def running(scheme: str, said: Path = Path(os.devnull)) -> Iterator[Server]:
    """Run the server of a scheme while the block runs; its bucket is there.

    What it says goes to a file.
    """
    port = free_port()
    command = _moto(port) if scheme == "s3" else _azurite(port)
    with (
        said.open("wb") as file,
        subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT) as process,
    ):
        try:
            _wait_for(process, port)
            server = Server(scheme, port, process)
            server.make_bucket()
            yield server
        finally:
            process.kill()


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"{process.args!r:.200} does not listen")


def _moto(port: int) -> list[str]:
    server = Path(__file__).with_name("moto_server.py")
    return [sys.executable, str(server), "-H", "127.0.0.1", "-p", str(port)]


def _azurite(port: int) -> list[str]:
    program = azurite()
    assert program is not None, "run `python -m tests.backends.bucket.servers` first"
    return [
        *(node(), str(program), "--silent", "--inMemoryPersistence"),
        *("--blobHost", "127.0.0.1", "--blobPort", str(port)),
        *("--skipApiVersionCheck", "--disableTelemetry"),
    ]


def azurite() -> Path | None:
    """Return the program of Azurite if it is installed, and Node is."""
    found = installed("azurite", AZURITE) / "dist/src/blob/main.js"
    return found if found.exists() and node() else None


if __name__ == "__main__":
    install("azurite", AZURITE)
