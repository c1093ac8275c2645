"""Volumes through a local web server: ``python benchmarks/stores/volumes.py``.

Beside tensorstore in a process of its own without us, and beside zarr with obstore. The
page is warm and the network has no latency: what remains is the work for each chunk.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.append(str(Path(__file__).parent.parent))  # what all benchmarks use

import numpy as np
from reporting import Row, parser, show

import segkit

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

FORMATS = {"raw.precomputed": 1, "labels.precomputed": 4, "grey.zarr": 1}
"""And how many times as many bytes their voxels have."""
_PEERS = {
    "raw.precomputed": ("tensorstore",),
    "labels.precomputed": ("tensorstore",),
    "grey.zarr": ("tensorstore", "zarr"),
}
_SERVE = """
import sys
from functools import partial
from tests.segkit.io.elsewhere.web_server import Handler, Server
server = Server(partial(Handler, directory=sys.argv[1]))
print(server.url, flush=True)
server.serve_forever()
"""


def reader(kind: str, address: str) -> Callable[[tuple[slice, ...]], Any]:
    """Return what reads boxes of a volume, by a library or by ours."""
    if kind == "ours":
        return segkit.open_image(address).read
    if kind == "zarr":
        import zarr
        from obstore.store import HTTPStore
        from zarr.storage import ObjectStore

        options: Any = {"allow_http": True}
        store = HTTPStore.from_url(address, client_options=options)
        array = zarr.open_array(ObjectStore(store, read_only=True), path="0", mode="r")
        return lambda box: np.asarray(array[box])
    import tensorstore

    if address.endswith(".zarr"):
        spec = {"driver": "zarr3", "kvstore": f"{address}/0/"}
        opened = tensorstore.open(spec).result()
        return lambda box: np.asarray(opened[box])
    spec = {"driver": "neuroglancer_precomputed", "kvstore": f"{address}/"}
    turned = tensorstore.open(spec).result().T[0]
    return lambda box: np.asarray(turned[box])


def measured(kind: str, address: str, size: int, repeats: int) -> tuple[float, float]:
    """Return seconds for a box of 64 voxels a side, and for the whole volume."""
    read = reader(kind, address)
    whole = (slice(0, size // 4), slice(0, size), slice(0, size))
    small = tuple(slice(10, min(74, part.stop)) for part in whole)
    read(small)
    seconds = []
    for box in (small, whole):
        found = []
        for _ in range(repeats):
            began = time.perf_counter()
            read(box)
            found.append(time.perf_counter() - began)
        seconds.append(min(found))
    return seconds[0], seconds[1]


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder by another process while the block runs."""
    command = [sys.executable, "-c", _SERVE, str(folder)]
    checkout = Path(__file__).parent.parent.parent  # the web server of the tests
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=checkout) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().decode().strip()
        finally:
            process.kill()


def write(folder: Path, size: int) -> int:
    """Write the volumes; return the bytes of their grey values."""
    shape = (size // 4, size, size)
    ramp = np.indices(shape, np.uint16, sparse=True)
    noise = np.random.default_rng(0).integers(0, 60, shape, np.uint16)
    grey = sum(ramp) * np.uint16(3) + noise
    about: dict[str, Any] = {"axes": "zyx", "chunks": 64}
    segkit.save(folder / "raw.precomputed", grey, **about)
    segkit.save(folder / "grey.zarr", grey, **about)
    labels = (grey // 200).astype(np.uint64)
    segkit.save(folder / "labels.precomputed", labels, labels=True, **about)
    return grey.nbytes


def elsewhere(kind: str, address: str, given: argparse.Namespace) -> list[float]:
    """Return what a process of its own measures: no library has another's threads."""
    words = ["--measure", kind, address, "--size", str(given.size)]
    command = [sys.executable, __file__, *words, "--repeats", str(given.repeats)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: list[float] = json.loads(done.stdout)
    return found


def rows(given: argparse.Namespace) -> Iterator[Row]:
    """Yield all figures."""
    with tempfile.TemporaryDirectory() as name:
        size = write(Path(name), given.size)
        with serving(Path(name)) as url:
            for volume, factor in FORMATS.items():
                address = f"{url}/{volume}"
                small, whole = elsewhere("ours", address, given)
                for peer in _PEERS[volume]:
                    theirs = elsewhere(peer, address, given)
                    yield Row(f"{volume}: 64³ voxels", small, "s", peer, theirs[0])
                    rates = (factor * size / 1e6 / one for one in (whole, theirs[1]))
                    ours, other = rates
                    yield Row(f"{volume}: all", ours, "MB/s", peer, other)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--size", type=int, default=512, help="voxels of y and x")
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--measure", nargs=2, help="used by itself")
    given = options.parse_args()
    if given.measure:
        print(json.dumps(measured(*given.measure, given.size, given.repeats)))
        return
    show(rows(given), given)


if __name__ == "__main__":
    main()
