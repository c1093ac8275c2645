"""A web server of this process for a folder: it knows ranges, and refuses paths."""

import base64
import gzip
import re
import socket
import threading
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Handler(SimpleHTTPRequestHandler):
    """Serves files, or parts of them; below ``private`` for who knows the password.

    Below ``pages`` it answers with a page whatever it does not have.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        """Say nothing."""

    def do_GET(self):
        """Serve a file, note that it was asked for."""
        self.server.asked.append(self.path)
        if "/forbidden/" in self.path:
            return self._say(403)
        if "/broken/" in self.path:
            return self._say(500)
        known = f"Basic {base64.b64encode(b'me:secret').decode()}"
        if "/private/" in self.path and self.headers.get("Authorization") != known:
            return self._say(401)
        path = Path(self.translate_path(self.path))
        if not path.is_file() and "/pages/" in self.path:
            return self._say(200, b"<!doctype html><title>Not found</title>")
        if not path.is_file():
            return self._say(404)
        return self._send(path.read_bytes())

    def _send(self, data):
        if "/packed/" in self.path:  # as buckets do with what was stored so
            encoded = {"Content-Encoding": "gzip"}
            return self._say(200, gzip.compress(data), encoded)
        part = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        whole = len(data)
        if part is None:
            return self._say(200, data)
        if part[1]:
            first, last = int(part[1]), int(part[2] or whole - 1)
        else:
            first, last = max(0, whole - int(part[2])), whole - 1
        last = min(last, whole - 1)
        headers = {"Content-Range": f"bytes {first}-{last}/{whole}"}
        return self._say(206, data[first : last + 1], headers)

    def _say(self, status, data=b"", headers=()):
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
        self.server.sent += len(data)


class Server(ThreadingHTTPServer):
    """Knows what it was asked for."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, handler):
        self.asked = []
        self._connections = []
        self.sent = 0
        super().__init__(("127.0.0.1", 0), handler)

    def get_request(self):
        """Know who is connected: they keep their lines, each with a thread of ours."""
        connection, address = super().get_request()
        self._connections.append(connection)
        return connection, address

    def hang_up(self):
        """End all threads: other tests of this process fork it."""
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def serving(handler):
    """Serve while the block runs."""
    with Server(handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
            server.hang_up()


def serving_folder(folder):
    """Serve a folder while the block runs."""
    return serving(partial(Handler, directory=str(folder)))
