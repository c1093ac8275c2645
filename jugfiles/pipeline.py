"""Segment dark cells in volumes, block by block, and count them; a worked example.

    tg execute jugfiles/pipeline.py -j 2
    tg value jugfiles/pipeline.py count

The steps are in `pipeline.toml` beside this file, and could be run without a jugfile:
``segkit run jugfiles/pipeline.toml volume.tif -o out -j 2``. A jugfile is for what
comes after: here a task of one's own works on the object tables.

Images are given after ``--`` (``tg execute jugfiles/pipeline.py -- a.tif b.tif``).
Without any, a small volume of random blobs is made first. Files are written to the
folder `out` where it is started; change a step, and only what depends on it runs again.
"""

import argparse
from pathlib import Path

from segkit.workflows import pipeline_tasks
from taskgraph import TaskGenerator, bvalue

HERE = Path(__file__).parent
OUT = Path("out")


@TaskGenerator
def make_volume(path, shape=(32, 256, 256), seed=0):
    """Save a volume of dark blobs in noise; return its path."""
    import numpy as np
    import scipy.ndimage

    import segkit

    rng = np.random.default_rng(seed)
    blobs = scipy.ndimage.gaussian_filter(rng.normal(size=shape), 4)
    dark = blobs > np.quantile(blobs, 0.97)
    volume = np.where(dark, 60, 180) + rng.normal(0, 6, shape)
    voxels = np.uint8(np.clip(volume, 0, 255))
    saved = segkit.save(path, voxels, axes="zyx", overwrite=True)
    return str(saved)


@TaskGenerator
def count(tables):
    """Return how many objects of each class there are, by image."""
    from collections import Counter

    return {name: dict(Counter(table["class_name"])) for name, table in tables.items()}


words = argparse.ArgumentParser(allow_abbrev=False)
words.add_argument("images", nargs="*", metavar="IMAGE")
images = words.parse_args().images
images = images or [bvalue(make_volume(str(OUT.resolve() / "blobs.tif")))]
outputs = {
    Path(image).stem: pipeline_tasks(
        HERE / "pipeline.toml", image, out=OUT, overwrite=True
    )
    for image in images
}
counts = count({name: one.table for name, one in outputs.items()})
