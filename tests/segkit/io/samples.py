"""A volume to write and read, its spacing, and a box of it."""

import numpy as np

from segkit.tiling.boxes import Box

VOLUME = np.random.default_rng(0).integers(0, 60000, (5, 70, 90)).astype(np.uint16)
SPACING = (2.0, 0.3, 0.25)
BOX = Box((1, 13, 20), (4, 64, 81))
