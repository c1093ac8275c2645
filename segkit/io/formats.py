"""Which format a name to be written means."""

from __future__ import annotations

from pathlib import Path

from segkit.io.errors import ImageRequestError

_SUFFIXES = {
    ".npy": "npy",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".btf": "tiff",
    ".zarr": "zarr",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    ".png": "picture",
    ".jpg": "picture",
    ".jpeg": "picture",
    ".bmp": "picture",
    ".webp": "picture",
    "": "folder",
}


def format_of(path: str | Path) -> str:
    """Return the format that a name to be written means.

    Raises
    ------
    ImageRequestError
        If the suffix means none.

    Examples
    --------
    >>> format_of("a.ome.tif"), format_of("a.TIFF"), format_of("planes")
    ('ome-tiff', 'tiff', 'folder')
    """
    path = Path(path)
    if path.name.lower().endswith((".ome.tif", ".ome.tiff")):
        return "ome-tiff"
    kind = _SUFFIXES.get(path.suffix.lower())
    if kind is None:
        known = ", ".join([*filter(None, _SUFFIXES), ".ome.tif"])
        raise ImageRequestError(
            path, f"suffix {path.suffix!r} means no format; use one of {known}"
        )
    return kind
