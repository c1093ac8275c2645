"""A volume to write and read, its spacing, a box of it; files of other programs."""

import struct

import numpy as np
import tifffile

from segkit.tiling.boxes import Box

VOLUME = np.random.default_rng(0).integers(0, 60000, (5, 70, 90)).astype(np.uint16)
SPACING = (2.0, 0.3, 0.25)
BOX = Box((1, 13, 20), (4, 64, 81))


def write_lsm(path, volume, steps):
    """Write a Zeiss LSM file of planes and their thumbnails, steps in meters."""
    fields = [(n, k if k[0] in "<>" else f"<{k}") for n, k in tifffile.TIFF.CZ_LSMINFO]
    info = np.zeros(1, fields)
    info["MagicNumber"], info["StructureSize"] = 67127628, info.itemsize
    planes, height, width = volume.shape
    lengths = {"X": width, "Y": height, "Z": planes, "Channels": 1, "Time": 1}
    for name, length in lengths.items():
        info[f"Dimension{name}"] = length
    for name, step in steps.items():
        info[f"VoxelSize{name}"] = step
    tag = (34412, "B", info.nbytes, info.tobytes(), True)
    with tifffile.TiffWriter(path, byteorder="<") as writer:
        for number, plane in enumerate(volume):
            writer.write(plane, metadata=None, extratags=[] if number else [tag])
            writer.write(plane[::4, ::4], metadata=None, subfiletype=1)
    return path


def write_stk(path, volume, step, depth):
    """Write a MetaMorph stack: one directory, its planes one after the other."""
    planes, height, width = volume.shape
    pixels = volume.astype("u1").tobytes()
    said = len(pixels) + 8  # where what is said of the planes begins
    said += said % 2
    between = struct.pack("<6I", int(depth * 1000), 1000, 0, 0, 0, 0) * planes
    size = said + len(between)  # of a pixel: a fraction, and its unit
    fraction = struct.pack("<2I", int(step * 1000), 1000)
    values = fraction + struct.pack("<I3s", 3, b"um\0") + b"\0"
    pairs = size + len(values)
    calibrated = [(4, size), (5, size), (6, size + len(fraction)), (3, 1)]
    tags = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (277, 3, 1, 1),
        (278, 4, 1, height),
        (279, 4, 1, height * width),
        (33628, 4, len(calibrated), pairs),
        (33629, 5, planes, said),
    ]
    directory = pairs + 8 * len(calibrated)
    file = struct.pack("<2sHI", b"II", 42, directory) + pixels
    file = file.ljust(said, b"\0") + between + values
    file += b"".join(struct.pack("<2I", *pair) for pair in calibrated)
    file += struct.pack("<H", len(tags))
    file += b"".join(struct.pack("<2H2I", *tag) for tag in tags) + bytes(4)
    path.write_bytes(file)
    return path
