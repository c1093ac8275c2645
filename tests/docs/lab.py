"""What pages speak of, small: `python lab.py images thresholds.py`, in a folder."""

import re
import sys
from pathlib import Path

import mahotas
import numpy as np

import segkit

DEMO = Path(mahotas.__file__).parent / "demos" / "data" / "nuclear.png"


def nuclei():
    image = segkit.open_image(DEMO, channel=0).read()
    return {"a": image[200:350, 300:500], "b": image[350:500, 500:700]}


def images():
    Path("images").mkdir()
    for name, image in nuclei().items():
        segkit.save(f"images/{name}.tif", image, axes="yx")


def pictures():
    Path("pictures").mkdir()
    for name, image in nuclei().items():
        segkit.save(f"pictures/{name}.png", image, axes="yx")


def volume():
    found = np.full((20, 80, 80), 200, "uint8")
    for z, y, x in np.random.default_rng(0).integers(2, (14, 70, 70), size=(9, 3)):
        found[z : z + 5, y : y + 9, x : x + 9] = 60
    segkit.save("volume.tif", found, axes="zyx")


def plate():
    """Write a movie of two channels, and a plate twice: as OME-Zarr and as files."""
    import tifffile
    import zarr

    two = np.stack([nuclei()["a"][:64, :96], 255 - nuclei()["a"][:64, :96]])
    channels = {"Channel": {"Name": ["DAPI", "GFP"]}}
    described = {"axes": "TCYX", **channels}
    tifffile.imwrite("movie.ome.tif", np.stack([two, two]), metadata=described)
    Path("scan").mkdir()
    Path("layout.csv").write_text("well,drug,replicate\nB03,no,1\nC03,yes,1\n")
    root = zarr.open_group("plate.ome.zarr", mode="w", zarr_format=2)
    wells = [("B", "3"), ("C", "3")]
    root.attrs["plate"] = {"wells": [{"path": "/".join(well)} for well in wells]}
    shown = {"channels": [{"label": "DAPI"}, {"label": "GFP"}]}
    for row, column in wells:
        well = root.create_group(f"{row}/{column}")
        well.attrs["well"] = {"images": [{"path": "0"}]}
        segkit.save("field.zarr", two, axes="cyx", ome_version="0.4")
        field = Path("field.zarr").rename(f"plate.ome.zarr/{row}/{column}/0")
        zarr.open_group(field, mode="r+").attrs["omero"] = shown
        for number, plane in enumerate(two, start=1):
            segkit.save(f"scan/{row}0{column}_s1_w{number}.tif", plane, axes="yx")


WORK = """
from taskgraph import TaskGenerator


def grey(image):
    return image + 1


@TaskGenerator
def segment(image):
    return grey(image)


for image in range(30):
    segment(image)
"""
JOB = """
from dataclasses import dataclass

from taskgraph import TaskGenerator


@dataclass(frozen=True)
class Settings:
    folder: str
    sigma: float


@TaskGenerator
def smooth(image, settings):
    return image * settings.sigma


@TaskGenerator
def total(parts):
    return sum(parts)


total([smooth(image, Settings("/a", 2.0)) for image in range(3)])
"""


def script(name):
    """Write a script that pages speak of; `thresholds.py` is the README's."""
    if name == "thresholds.py":
        readme = (Path(__file__).parents[2] / "README.md").read_text()
        text = re.search(r"```python\n(# thresholds.py\n.*?)```", readme, re.DOTALL)[1]
    else:
        text = {"work.py": WORK, "job.py": JOB}[name]
    Path(name).write_text(text)


MAKERS = {"images": images, "pictures": pictures, "plate": plate, "volume": volume}

if __name__ == "__main__":
    for word in sys.argv[1:]:
        script(word) if word.endswith(".py") else MAKERS[word]()
