"""A volume to write and read, its spacing, a box of it; files of other programs."""

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
