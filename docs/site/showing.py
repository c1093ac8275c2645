"""What scripts of the gallery begin and end with: the picture, and how it is shown."""

from pathlib import Path

import mahotas
import matplotlib.pyplot as plt

import segkit


def nuclei():
    """Return a part of the nuclei that mahotas brings along."""
    path = Path(mahotas.__file__).parent / "demos" / "data" / "nuclear.png"
    return segkit.open_image(path, channel=0).read()[200:500, 300:700]


def show(pictures):
    """Show pictures beside each other, each under its title."""
    sheet = segkit.contact_sheet(pictures, columns=min(2, len(pictures)), width=400)
    figure = plt.figure(figsize=(sheet.shape[1] / 100, sheet.shape[0] / 100), dpi=100)
    axis = figure.add_axes((0, 0, 1, 1))
    axis.axis("off")
    axis.imshow(sheet, interpolation="none")
