"""Serve shell commands on the console of a UML node (runs there as PID 1).

A request is one line of JSON {id, cmd, timeout}; a reply is one line, "@@" and JSON
{id, rc, out, err}. Replies come in the order in which the commands end. Reply 0 says
that the node is ready.
"""

import json
import os
import subprocess
import threading
from typing import Any

POWER_OFF = 0x4321FEDC  # reboot(2)
OUTPUT_LIMIT = 200_000
ERROR_LIMIT = 4_000

_writing = threading.Lock()


def reply(console: int, message: dict[str, Any]) -> None:
    """Write one reply, whole, whatever the other threads do."""
    data = b"@@" + json.dumps(message).encode() + b"\n"
    with _writing:
        while data:
            data = data[os.write(console, data) :]


def execute(console: int, request: dict[str, Any]) -> None:
    """Run one request under bash and reply with its outcome."""
    rc, out, err = -1, "", ""
    try:
        done = subprocess.run(
            ["bash", "-c", request["cmd"]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=request["timeout"],
            check=False,
        )
        rc, out, err = done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired as expired:
        rc, out, err = 124, (expired.stdout or b"").decode(errors="replace"), "timeout"
    except Exception as error:  # noqa: BLE001 - whatever it was, the caller must get an answer
        err = repr(error)
    message = {
        "id": request["id"],
        "rc": rc,
        "out": out[-OUTPUT_LIMIT:],
        "err": err[-ERROR_LIMIT:],
    }
    reply(console, message)


def power_off() -> None:
    """Stop the node: the program that started it is gone."""
    import ctypes

    ctypes.CDLL(None).reboot(POWER_OFF)


def serve() -> None:
    """Read requests until the console is closed."""
    console = os.open("/dev/console", os.O_RDWR)
    reply(console, {"id": 0, "rc": 0, "out": "ready", "err": ""})
    buffer = b""
    while True:
        try:
            data = os.read(console, 4096)
        except OSError:
            data = b""
        if not data:
            return power_off()
        *lines, buffer = (buffer + data).split(b"\n")
        for line in filter(bytes.strip, lines):
            threading.Thread(
                target=execute, args=(console, json.loads(line)), daemon=True
            ).start()


if __name__ == "__main__":
    serve()
