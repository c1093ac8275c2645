"""The first example of FLoRIN's documentation, with the bounds that are in it.

    python jugfiles/florin_example.py volume.tif [--workers 4] [--processes] [--out out]

It is as written there, but for the import and mistakes that keep it from running:
``thresshold=``, a pipeline that is given no volume, and classes that no object of a
small volume fits. Objects are told apart by volume and by the length of their box along
each axis: ``depth``, ``height`` and ``width``, in voxels.

The pipeline is saved beside what it makes, so that the same runs on many machines:

    mpiexec -n 4 segkit run out/florin.toml volume.tif -o out
    segkit submit out/florin.toml volume.tif -o out --slurm -n 4
"""

import argparse
from pathlib import Path

import segkit.pipeline as florin
from segkit.pipeline import (
    Pipeline as Serial,
    binary_opening,
    label,
    ndnt,
    regionprops,
    remove_small_holes,
)

pipeline = Serial(
    # Load in the volume from file
    florin.load(axes="zyx"),
    # Tile the volume into 64 x 64 x 10 subvolumes
    florin.tile(shape=(10, 64, 64), stride=(10, 32, 32)),
    # Threshold with NDNT
    ndnt(shape=(10, 64, 64), threshold=0.3),
    # Clean up a little bit
    binary_opening(),
    # Save the output to a TIFF stack
    florin.save("segmented.tiff"),
    # Find connected components
    label(),
    remove_small_holes(min_size=20),
    regionprops(),
    # Classify the connected components by their volume and dimensions
    florin.classify(
        florin.bounds_classifier(
            "cell", area=(100, 300), depth=(5, 25), width=(5, 100), height=(5, 100)
        ),
        florin.bounds_classifier("vasculature"),
    ),
    # Reconstruct the labeled volume
    florin.reconstruct(),
    # Write out the labeled volume
    florin.save("labeled.tiff"),
)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("volume")
    parser.add_argument("--out", type=Path, default=Path("out"))
    parser.add_argument("--workers", type=int, help="threads, or processes")
    parser.add_argument("--processes", action="store_true")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    pipeline.save(given.out / "florin.toml")
    result = pipeline.run(
        given.volume,
        out=given.out,
        workers=given.workers,
        processes=given.processes,
        overwrite=True,
    )
    classes = result.table["class_name"].tolist()
    for name in sorted(set(classes)):
        print(name, classes.count(name))
    return result


if __name__ == "__main__":
    main()
