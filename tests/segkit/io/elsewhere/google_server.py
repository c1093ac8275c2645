"""As much of Google Cloud Storage as volumes need: objects by both of its interfaces.

obstore speaks the one that is like S3's, tensorstore the one of JSON.
"""

import hashlib
import json
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, unquote, urlsplit

from .web_server import serving

_LISTED = (
    "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
    '<ETag>"{tag}"</ETag><Size>{size}</Size></Contents>'
)


class Handler(BaseHTTPRequestHandler):
    """Keeps objects in memory, those of the server."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        """Say nothing."""

    def do_GET(self):
        path, query = self._parts()
        if path.startswith("/storage/v1/b/"):
            _, _, _, _, bucket, _, name = path.split("/", 6)
            return self._object(f"{bucket}/{unquote(name)}")
        name = unquote(path).lstrip("/")
        if "list-type" in query:
            return self._list(name, query)
        return self._object(name)

    def do_POST(self):
        path, query = self._parts()
        bucket = path.split("/")[5]
        self._keep(f"{bucket}/{query['name']}")

    def do_PUT(self):
        self._keep(unquote(self._parts()[0]).lstrip("/"))

    def do_DELETE(self):
        self.server.objects.pop(unquote(self._parts()[0]).lstrip("/"), None)
        self._say(204)

    def _parts(self):
        parts = urlsplit(self.path)
        query = {k: v[0] for k, v in parse_qs(parts.query, True).items()}
        return parts.path, query

    def _keep(self, name):
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.objects[name] = data
        text = json.dumps({"name": name, "generation": "1", "size": str(len(data))})
        self._say(200, text.encode(), data)

    def _object(self, name):
        data = self.server.objects.get(name)
        if data is None:
            return self._say(404, b"<Error><Code>NoSuchKey</Code></Error>")
        return self._say(200, data, data)

    def _list(self, bucket, query):
        prefix, end = query.get("prefix", ""), query.get("delimiter", "")
        below = f"{bucket.rstrip('/')}/{prefix}"
        found, folders = [], set()
        for name, data in sorted(self.server.objects.items()):
            if not name.startswith(below):
                continue
            key = name.partition("/")[2]
            inner = name.removeprefix(below)
            if end and end in inner:
                folders.add(prefix + inner.partition(end)[0] + end)
            else:
                found.append(_LISTED.format(key=key, tag=_tag(data), size=len(data)))
        found += [
            f"<CommonPrefixes><Prefix>{one}</Prefix></CommonPrefixes>"
            for one in sorted(folders)
        ]
        text = f"<ListBucketResult>{''.join(found)}</ListBucketResult>"
        return self._say(200, text.encode())

    def _say(self, status, data=b"", about=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", f'"{_tag(about)}"')
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.send_header("x-goog-generation", "1")
        self.end_headers()
        self.wfile.write(data)


def _tag(data):
    return hashlib.md5(data).hexdigest()


def serving_google():
    """Serve while the block runs."""
    return serving(Handler)
