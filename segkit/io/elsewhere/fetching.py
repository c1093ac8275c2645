"""What the fetcher does: a process of its own that reads and writes what is elsewhere.

The libraries that speak to buckets and web servers (obstore for whole objects,
tensorstore for boxes of voxels) have threads, and no fork of a process that has used
them can use them again; workers are forks. So they are loaded here and nowhere else:
see `hiring`.

A request is a tuple: what to do, and with what; voxels are in memory whose descriptor
comes after it. The answer is ``("ok", value)``, or ``("failed", kind, word)`` as
`failures` tells them.
"""

from __future__ import annotations

import gzip
import json
import mmap
import os
import socket
import threading
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache, partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from segkit.io.elsewhere.failures import told
from segkit.io.elsewhere.short_blocks import require_whole_blocks
from segkit.io.elsewhere.zipped import Zipped

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Where: TypeAlias = tuple[tuple[str, str], ...]
"""A place as sorted pairs: scheme, host, and what was set of it."""
Form: TypeAlias = tuple[bool, bool]
"""Whether axes are turned round, and then the first one, a channel, is left out."""
_GZIP = b"\x1f\x8b"
_SECONDS = 60
_TRIES = 3
_KEPT = 64
"""Arrays that are kept open; each costs the metadata that it read."""
_AT_ONCE = 1000
"""Objects that are removed by one call."""
_RETRIES = {"max_retries": _TRIES, "initial_delay": "100ms", "max_delay": "2s"}


def _headers(host: str) -> dict[str, str]:
    """Return what a web server is told of who asks, by ``~/.netrc``."""
    from base64 import b64encode
    from netrc import NetrcParseError, netrc

    with suppress(OSError, NetrcParseError):
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        found = netrc(os.environ.get("NETRC")).authenticators(name)
        if found is not None:
            pair = f"{found[0]}:{found[2] or ''}".encode()
            return {"Authorization": f"Basic {b64encode(pair).decode()}"}
    return {}


@lru_cache(maxsize=_KEPT)
def _objects(where: Where) -> Any:
    """Return the objects of a place, by their whole paths."""
    from obstore.store import GCSStore, HTTPStore, S3Store

    told_of = dict(where)
    scheme, host = told_of.pop("scheme"), told_of.pop("host")
    seconds = timedelta(seconds=_SECONDS)
    client: dict[str, Any] = {
        "allow_http": told_of.pop("allow_http", "true" if scheme == "http" else "")
        == "true",
        "timeout": seconds,
        "connect_timeout": seconds / 6,
    }
    retries: Any = {"max_retries": _TRIES}
    if scheme in ("http", "https"):
        client["default_headers"] = _headers(host)
        options: Any = client
        return HTTPStore.from_url(
            f"{scheme}://{host}", client_options=options, retry_config=retries
        )
    if scheme == "gs":
        if "endpoint" in told_of:
            told_of = {"service_account_key": _of_emulator(told_of["endpoint"])}
        kind: Any = GCSStore
    else:
        kind = S3Store
    return kind(host, config=told_of, client_options=client, retry_config=retries)


def _of_emulator(url: str) -> str:
    """Return the key of an account of an emulator, which asks for none."""
    account = {"gcs_base_url": url, "disable_oauth": True}
    return json.dumps(
        {**account, "client_email": "", "private_key": "", "private_key_id": ""}
    )


def _get(where: Where, path: str) -> tuple[bytes, str] | None:
    """Return the bytes of an object and what tells it from an earlier one."""
    import obstore

    try:
        found = obstore.get(_objects(where), path)
    except FileNotFoundError:
        return None
    meta = found.meta
    data = bytes(found.bytes())
    if data.startswith(_GZIP):  # with `Content-Encoding`, which obstore does not heed
        data = gzip.decompress(data)
    return data, meta["e_tag"] or str(meta["last_modified"])


def _list(where: Where, prefix: str) -> list[tuple[str, int, str]]:
    """Return name below the prefix, size and version of each object."""
    import obstore

    return [
        (meta["path"], meta["size"], meta["e_tag"] or str(meta["last_modified"]))
        for page in obstore.list(_objects(where), prefix)
        for meta in page
    ]


def _folders(where: Where, prefix: str) -> list[str]:
    """Return the names of what looks like folders directly below a prefix."""
    import obstore

    found = obstore.list_with_delimiter(_objects(where), prefix)
    return [str(one).rpartition("/")[2] for one in found["common_prefixes"]]


def _siblings(where: Where, path: str) -> list[str]:
    """Return the paths of objects in a path's folder that begin as it does."""
    import obstore

    folder = path.rpartition("/")[0]
    found = obstore.list_with_delimiter(_objects(where), f"{folder}/" if folder else "")
    return [meta["path"] for meta in found["objects"] if meta["path"].startswith(path)]


def _put(where: Where, path: str, data: bytes) -> None:
    import obstore

    obstore.put(_objects(where), path, data)


def _remove(where: Where, paths: list[str]) -> None:
    import obstore

    for start in range(0, len(paths), _AT_ONCE):
        with suppress(FileNotFoundError):
            obstore.delete(_objects(where), paths[start : start + _AT_ONCE])


def kvstore(where: Where, path: str) -> dict[str, Any]:
    """Return where tensorstore finds the objects below a path.

    Examples
    --------
    >>> kvstore((("host", "/"), ("scheme", "file")), "/data/brain")
    {'driver': 'file', 'path': '/data/brain/'}
    """
    told_of = dict(where)
    scheme, host = told_of["scheme"], told_of["host"]
    if scheme == "file":
        return {"driver": "file", "path": f"{path}/"}
    if scheme in ("http", "https"):
        headers = [f"{name}: {value}" for name, value in _headers(host).items()]
        found = {
            "driver": "http",
            "base_url": f"{scheme}://{host}",
            "path": f"/{path}/",
        }
        return {**found, "headers": headers} if headers else found
    if scheme == "gs":
        if "endpoint" in told_of:  # of an emulator: one for the whole process
            os.environ["TENSORSTORE_GCS_HTTP_URL"] = told_of["endpoint"]
            os.environ["GOOGLE_AUTH_TOKEN_FOR_TESTING"] = "emulator"
        return {"driver": "gcs", "bucket": host, "path": f"{path}/"}
    spec: dict[str, Any] = {"driver": "s3", "bucket": host, "path": f"{path}/"}
    if "endpoint" in told_of:
        spec["endpoint"] = told_of["endpoint"]
    if "region" in told_of:
        spec["aws_region"] = told_of["region"]
    if told_of.get("skip_signature") == "true":
        spec["aws_credentials"] = {"type": "anonymous"}
    return spec


@lru_cache(maxsize=1)
def _context() -> Any:
    import tensorstore

    processors = os.environ.get("TG_CPUS", "")
    limit = int(processors) if processors.isdigit() else len(os.sched_getaffinity(0))
    return tensorstore.Context(
        {
            "data_copy_concurrency": {"limit": max(1, limit)},
            **{f"{kind}_request_retries": _RETRIES for kind in ("http", "s3", "gcs")},
        }
    )


_opened: dict[str, Any] = {}
_opening = threading.Lock()


def _array(
    where: Where, path: str, spec: dict[str, Any], form: Form, documents: object
) -> Any:
    """Return an opened array of voxels, whose first one has the index 0.

    Its axes are as they are asked for, so that voxels are moved once. It is opened anew
    for other documents: they say what its metadata are.
    """
    import tensorstore

    name = repr((where, path, spec, form, documents))
    with _opening:
        if name in _opened:
            return _opened[name]
    whole = {**spec, "open": True}
    zipped = whole.pop("zipped", None)
    located = {**whole, "kvstore": kvstore(where, path)}
    array: Any = tensorstore.open(located, context=_context()).result()
    shown = partial(_shown, form=form)
    if zipped is None:
        array = shown(array)
    else:
        array = Zipped(array, Path(path), zipped, whole, shown)
    with _opening:
        if len(_opened) >= _KEPT:
            _opened.pop(next(iter(_opened)))
        _opened[name] = array
    return array


def _shown(array: Any, *, form: Form) -> Any:
    """Return a view of an array with its axes as they are asked for, and from 0 on."""
    import tensorstore

    array = array[tensorstore.d[:].translate_to[0]]
    turned, squeezed = form
    array = array.T if turned else array
    return array[0] if squeezed else array


def _describe(*which: Any) -> dict[str, Any]:
    """Return shape, type and unit of writing of an array."""
    array = _array(*which)
    return {
        "shape": tuple(array.shape),
        "dtype": array.dtype.numpy_dtype.str,
        "chunks": tuple(array.chunk_layout.write_chunk.shape or array.shape),
        "name": array.dtype.name,
    }


def _box(box: tuple[tuple[int, int], ...]) -> tuple[slice, ...]:
    return tuple(slice(start, stop) for start, stop in box)


_CALLS: dict[str, Callable[..., Any]] = {
    "get": _get,
    "list": _list,
    "folders": _folders,
    "put": _put,
    "remove": _remove,
    "describe": _describe,
    "siblings": _siblings,
    "pid": os.getpid,
}


def _read(*request: Any) -> None:
    """Read voxels into memory of who asks."""
    import tensorstore

    *which, box, shape, dtype, memory = request
    voxels = _mapped(memory, shape, dtype)
    array, target = _array(*which), tensorstore.array(voxels, copy=False)
    target.write(array[_box(box)]).result()
    where, path, spec, *_ = which
    if spec["driver"] == "n5" and not spec.get("fill_missing_data_reads"):
        sizes = array.chunk_layout.read_chunk.shape
        require_whole_blocks(kvstore(where, path), sizes, box, voxels, _context())


def _write(*request: Any) -> None:
    """Write voxels from memory of who asks."""
    *which, box, shape, dtype, memory = request
    voxels = _mapped(memory, shape, dtype)
    _array(*which)[_box(box)].write(voxels).result()


def _mapped(memory: int, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """Return the array that lies in memory which another process handed on."""
    return np.frombuffer(mmap.mmap(memory, 0), dtype).reshape(shape)


_WITH_MEMORY = {"read": _read, "write": _write}


def _answer(line: socket.socket, messages: Connection) -> None:
    """Do what is asked, and say what came of it."""
    what, *arguments = messages.recv()
    memory = None
    if what in _WITH_MEMORY:
        _, (memory,), _, _ = socket.recv_fds(line, 1, 1)
        arguments.append(memory)
    try:
        value = {**_CALLS, **_WITH_MEMORY}[what](*arguments)
    except Exception as error:  # noqa: BLE001 - it is told to who asked
        messages.send(("failed", *told(error)))
    else:
        messages.send(("ok", value))
    finally:
        if memory is not None:
            os.close(memory)


def _serve(descriptor: int) -> None:
    with (
        suppress(EOFError, OSError, ValueError),
        socket.socket(fileno=descriptor) as line,
        Connection(os.dup(descriptor)) as messages,
    ):
        while True:
            _answer(line, messages)


def main(descriptor: int) -> None:
    """Serve who comes by a socket, each with a socket that it sends, until it ends."""
    with socket.socket(fileno=descriptor) as hiring:
        while True:
            _, found, _, _ = socket.recv_fds(hiring, 1, 1)
            if not found:
                os._exit(0)  # the owner is gone: nobody waits for what is under way
            threading.Thread(target=_serve, args=(found[0],), daemon=True).start()
