"""Pictures and folders of them as formats: what is of no other format."""

from __future__ import annotations

from segkit.io.formats import Format
from segkit.io.pictures.folder import open_folder, planes_of, save_folder
from segkit.io.pictures.reading import open_picture
from segkit.io.pictures.writing import save_picture

PICTURE = Format(
    name="picture",
    title="a picture",
    suffixes=(".png", ".jpg", ".jpeg", ".bmp", ".webp"),
    # Any beginning: imageio reads more than can be told by it.
    magic=(b"",),
    unstated=frozenset({"spacing", "channels"}),
    open=open_picture,
    save=save_picture,
    no_boxes="picture cannot be written by box; create .zarr, .tif or .npy",
)
FOLDER = Format(
    name="folder",
    title="a folder of pictures",
    suffixes=("",),
    folder=True,
    open_options=frozenset({"pattern"}),
    unstated=frozenset({"spacing", "channels"}),
    open=open_folder,
    save=save_folder,
    no_boxes="folder cannot be written by box; create .zarr, .tif or .npy",
    ours=planes_of,
)
