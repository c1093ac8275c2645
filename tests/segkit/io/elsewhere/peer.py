"""Volumes as tensorstore and zarr themselves write them: ``python peer.py FOLDER``.

In a process of its own, as tensorstore's threads survive no fork of a test's process.
"""

import json
import sys
from pathlib import Path

import numpy as np

SHAPE = (20, 33, 47)
"""Of z, y, x."""


def grey(dtype=np.uint16, count=900):
    """Return voxels of chance, in the order z, y, x."""
    return np.random.default_rng(7).integers(0, count, SHAPE).astype(dtype)


def labels():
    """Return objects of large numbers, some of them neighbours."""
    blocks = np.indices(SHAPE) // 5
    return ((blocks[0] * 97 + blocks[1] * 13 + blocks[2]) % 31).astype(np.uint64) << 33


SHARDING = {
    "@type": "neuroglancer_uint64_sharded_v1",
    "preshift_bits": 1,
    "minishard_bits": 2,
    "shard_bits": 1,
    "hash": "murmurhash3_x86_128",
    "data_encoding": "gzip",
    "minishard_index_encoding": "gzip",
}
PRECOMPUTED = {
    "raw": ("image", grey(), {}),
    "png": ("image", grey(np.uint8, 200), {"encoding": "png"}),
    "jpeg": (
        "image",
        np.indices(SHAPE).sum(0, dtype=np.uint8),
        {"encoding": "jpeg", "jpeg_quality": 95},
    ),
    "segmentation": (
        "segmentation",
        labels(),
        {
            "encoding": "compressed_segmentation",
            "compressed_segmentation_block_size": [8, 8, 8],
        },
    ),
    "sharded": ("image", grey(), {"sharding": SHARDING}),
}
N5 = {
    "raw": {},
    "gzip": {},
    "zstd": {},
    "bzip2": {},
    "xz": {},
    "blosc": {"cname": "lz4", "clevel": 5, "shuffle": 1},
}


def write_precomputed(folder):
    """Write one volume for each way to encode chunks, and one of two scales."""
    for name, (kind, array, scale) in PRECOMPUTED.items():
        _precomputed(folder / name, kind, array, [8, 8, 40], scale)
    array = grey()
    _precomputed(folder / "scales", "image", array, [8, 8, 40], {})
    coarse = np.ascontiguousarray(array[:, ::2, ::2])
    _precomputed(folder / "scales", "image", coarse, [16, 16, 40], {})
    channels = np.stack([array, array + 1])
    _precomputed(folder / "channels", "image", channels, [8, 8, 40], {})


def _precomputed(path, kind, array, resolution, scale):
    import tensorstore

    whole = array if array.ndim == 4 else array[None]
    spec = {
        "driver": "neuroglancer_precomputed",
        "kvstore": f"file://{path}/",
        "multiscale_metadata": {
            "type": kind,
            "data_type": str(array.dtype),
            "num_channels": whole.shape[0],
        },
        "scale_metadata": {
            "size": list(whole.shape[:0:-1]),
            "resolution": resolution,
            "voxel_offset": [3, 2, 1],
            "chunk_size": [16, 16, 8],
            "encoding": "raw",
            **scale,
        },
    }
    tensorstore.open(spec, create=True).result()[...].write(whole.T).result()


def write_n5(folder):
    """Write one dataset for each compression, and a group of two scales."""
    array = grey()
    for name, more in N5.items():
        compression = {"compression": {"type": name, **more}}
        _n5(folder / f"{name}.n5" / "raw", array, compression)
    resolution = {"pixelResolution": {"dimensions": [8, 8, 40], "unit": "nm"}}
    _n5(folder / "scales.n5" / "s0", array, {**resolution})
    factors = {**resolution, "downsamplingFactors": [2, 2, 1]}
    _n5(folder / "scales.n5" / "s1", array[:, ::2, ::2], factors)
    for name in (*(f"{name}.n5" for name in N5), "scales.n5"):
        root = folder / name / "attributes.json"
        root.write_text(json.dumps({"n5": "2.0.0"}))


def _n5(path, array, more):
    import tensorstore

    metadata = {
        "dimensions": list(array.shape[::-1]),
        "blockSize": [16, 16, 8],
        "dataType": str(array.dtype),
        **more,
    }
    metadata.setdefault("compression", {"type": "gzip"})
    spec = {"driver": "n5", "kvstore": f"file://{path}/", "metadata": metadata}
    tensorstore.open(spec, create=True).result()[...].write(array.T).result()


def write_zarr(folder):
    """Write arrays of both versions, in shards and in Fortran's order, too."""
    import zarr

    array = grey()
    for name, options in {
        "two.zarr": {"zarr_format": 2, "order": "F"},
        "three.zarr": {"zarr_format": 3},
        "shards.zarr": {"zarr_format": 3, "shards": (16, 32, 32)},
    }.items():
        made = zarr.create_array(
            str(folder / name),
            shape=SHAPE,
            chunks=(8, 16, 16),
            dtype=array.dtype,
            **options,
        )
        made[...] = array


if __name__ == "__main__":
    where = Path(sys.argv[1])
    write_precomputed(where)
    write_n5(where)
    write_zarr(where)
