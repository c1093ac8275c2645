"""Images and tables on disk."""

import segkit
from examples._shared import blobs, needs, new_folder


def open_image(image):
    with new_folder() as folder:
        path = segkit.save(folder / "nuclei.tif", image)
        nuclei = segkit.open_image(path, spacing=(0.25, 0.25), units="micrometer")
        return {
            f"{nuclei.axes} {nuclei.shape}": nuclei.read(),
            "a box of it": nuclei.read(segkit.Box((40, 120), (240, 320))),
        }


@needs("zarr")
def save(image):
    with new_folder() as folder:
        path = segkit.save(folder / "nuclei.zarr", image, levels=3)
        levels = [segkit.open_image(path, level=level) for level in range(3)]
        return {f"level {n}: {own.shape}": own.read() for n, own in enumerate(levels)}


@needs("zarr")
def create_image(image):
    _, labels = blobs(image)
    with new_folder() as folder:
        path = folder / "labels.zarr"
        chunks, dtype = (100, 100), labels.dtype
        with segkit.create_image(path, image.shape, dtype, chunks=chunks) as writer:
            for tile in segkit.tiles(image.shape, 100):
                writer.write(tile.write, labels[tile.write.slices])
        return {"read back": segkit.overlay(image, segkit.open_image(path).read())}


def open_writer(image):
    with new_folder() as folder:
        path = folder / "smooth.tif"
        segkit.create_image(path, image.shape, "float32")
        for tile in segkit.tiles(image.shape, 100, halo=16):
            smooth = segkit.gaussian(image[tile.read.slices], 4)
            segkit.open_writer(path).write(tile.write, smooth[tile.inner])
        segkit.open_writer(path).finish()
        return {"each tile by a writer of its own": segkit.open_image(path).read()}


@needs("zarr")
def open_plate(image):
    with new_folder() as folder:
        plate = segkit.open_plate(_small_plate(folder / "plate.zarr", image))
        return {well: plate.open(well, field=0).read() for well in plate.wells}


def _small_plate(path, image):
    """Write a plate of two wells with a field each, as other programs do."""
    import zarr

    plate = {"wells": [{"path": "A/1"}, {"path": "B/12"}]}
    group = zarr.create_group(str(path), attributes={"ome": {"plate": plate}})
    for well, half in (("A/1", image[:, :200]), ("B/12", image[:, 200:])):
        fields = {"ome": {"well": {"images": [{"path": "0"}]}}}
        group.create_group(well, attributes=fields)
        segkit.save(path / well / "0.zarr", half).rename(path / well / "0")
    return path


def save_png(image):
    with new_folder() as folder:
        path = folder / "overlay.png"
        segkit.save_png(path, segkit.overlay(image, blobs(image)[1]))
        return {path.name: segkit.open_image(path).read()}


def save_table(image):
    _, labels = blobs(image)
    table = segkit.region_properties(
        labels, image, properties=["label", "count", "intensity_mean"]
    )
    with new_folder() as folder:
        header, *rows = segkit.save_table(folder / "a.csv", table).read_text().split()
    return {f"{len(rows)} rows of {header}": segkit.overlay(image, labels)}
