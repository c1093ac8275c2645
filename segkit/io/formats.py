"""The formats of images: what each of them can do, and which one is meant.

A format is one value, made by the file or folder that implements it. The table below
says where they are. Their modules are imported when one is looked for, and those import
the format's own library when it is used. To add a format is to write its file, and a
line of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from segkit.io.axes import guessed
from segkit.io.errors import ImageRequestError, NotAnImageError

if TYPE_CHECKING:
    from segkit.io.image import Image
    from segkit.io.options import OpenOptions, SaveOptions
    from segkit.io.targets import Target

FORMATS = (
    "segkit.io.npy:NPY",
    "segkit.io.npz:NPZ",
    "segkit.io.tiff.format:TIFF",
    "segkit.io.tiff.format:OME_TIFF",
    "segkit.io.ome_zarr.format:OME_ZARR",
    "segkit.io.hdf5:HDF5",
    # The last file and the last folder are asked for what no other knows.
    "segkit.io.pictures.format:PICTURE",
    "segkit.io.pictures.format:FOLDER",
)
"""Where the formats are, in the order in which they are asked."""

_LONGEST_MAGIC = 16
Entries: TypeAlias = Mapping[str, bool]
"""Names of what lies in a folder, and whether that is a folder."""


def _loses_nothing(path: Path, key: str) -> None:
    """Let a file be replaced as a whole."""


def _owns_nothing(folder: Path, entries: Entries) -> Container[str]:  # noqa: ARG001 (the field's)
    """Call all that lies in a folder foreign."""
    return ()


@dataclass(frozen=True, slots=True)
class Format:
    """What can be done with images of one format.

    Attributes
    ----------
    name : str
        What it is called in code.
    title : str
        What it is called in sentences.
    suffixes : tuple of str
        Ends of names that mean it when an image is written; the first one is shown.
    open : callable
        Opens the image at a path lazily.
    save : callable
        Writes a whole image at a private path of the same suffix.
    magic : tuple of bytes
        First bytes of its files.
    marks : tuple of str
        Names of files of which one lies in each of its folders.
    folder : bool
        Whether it is written as a folder.
    open_options, save_options : frozenset of str
        Those of `OpenOptions` and `SaveOptions` that mean something to it, but for
        ``axes``, which all have.
    library : str
        What is imported to write it, if that is not always installed.
    unstated : frozenset of str
        What its files do not say of an image: ``axes``, ``spacing``.
    create : callable, optional
        Writes an image of zeros at a path, to be written by box.
    reopen : callable, optional
        Returns what is known of an image that `create` made, and where it takes boxes.
    no_boxes : str
        Why there is neither `create` nor `reopen`.
    require_replaceable : callable
        Raises `FileExistsError` if replacing a file would lose more than the image.
    ours : callable
        Returns which entries of a folder are the format's, as segkit writes it.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    open: Callable[[Path, OpenOptions], Image]
    save: Callable[[Path, Image, SaveOptions], None]
    magic: tuple[bytes, ...] = ()
    marks: tuple[str, ...] = ()
    folder: bool = False
    open_options: frozenset[str] = frozenset()
    save_options: frozenset[str] = frozenset()
    library: str = ""
    unstated: frozenset[str] = frozenset()
    create: Callable[[Path, Image, SaveOptions], None] | None = None
    reopen: Callable[[Path], tuple[Image, Target]] | None = None
    no_boxes: str = ""
    require_replaceable: Callable[[Path, str], None] = _loses_nothing
    ours: Callable[[Path, Entries], Container[str]] = _owns_nothing


def formats() -> Iterator[Format]:
    """Yield the formats of the table; the module of each is imported on the way."""
    for place in FORMATS:
        module, _, name = place.partition(":")
        format_: Format = getattr(import_module(module), name)
        yield format_


def format_of(path: str | Path) -> Format:
    """Return the format that a name to be written means.

    Raises
    ------
    ImageRequestError
        If the suffix means none.

    Examples
    --------
    >>> [format_of(name).name for name in ("a.ome.tif", "a.TIFF", "planes")]
    ['ome-tiff', 'tiff', 'folder']
    """
    path = Path(path)
    meant = {suffix: format_ for format_ in formats() for suffix in format_.suffixes}
    name = path.name.lower()
    double = [
        suffix for suffix in meant if _is_double(suffix) and name.endswith(suffix)
    ]
    suffix = max(double, key=len, default=path.suffix.lower())
    if suffix not in meant:
        raise ImageRequestError(
            path,
            f"suffix {path.suffix!r} means no format; use one of"
            f" {', '.join(_shown_suffixes())}",
        )
    return meant[suffix]


def _is_double(suffix: str) -> bool:
    """Say whether a suffix is one of two words, such as ``.ome.tif``."""
    return suffix.count(".") > 1


def _shown_suffixes() -> list[str]:
    """Return the suffixes, of two words one spelling only and last."""
    known = [format_.suffixes for format_ in formats()]
    single = [s for suffixes in known for s in suffixes if s and not _is_double(s)]
    return single + [suffixes[0] for suffixes in known if _is_double(suffixes[0])]


def format_at(path: Path) -> Format:
    """Return the format of what lies at a path, whatever its name.

    Raises
    ------
    NotAnImageError
        If it is an empty file.
    """
    if path.is_dir():
        return format_of_folder(path, path.suffix)
    with path.open("rb") as file:
        start = file.read(_LONGEST_MAGIC)
    if not start:
        raise NotAnImageError(path, "is an empty file")
    return next(format_ for format_ in formats() if start.startswith(format_.magic))


def format_of_folder(path: Path, suffix: str = "") -> Format:
    """Return the format of a folder: by what lies in it, else by a suffix."""
    known = [format_ for format_ in formats() if format_.folder]
    marked = (f for f in known if any((path / mark).is_file() for mark in f.marks))
    named = (f for f in known if suffix in f.suffixes)
    return next(chain(marked, named), known[-1])


def formats_with(option: str) -> str:
    """Return the titles of the formats that `save` writes with an option.

    Examples
    --------
    >>> formats_with("compression"), formats_with("levels")
    ('TIFF', 'OME-Zarr')
    """
    having = [format_.title for format_ in formats() if option in format_.save_options]
    return " or ".join(dict.fromkeys(having))


def require_levels(path: Path, format_: Format, levels: int) -> None:
    """Raise `ImageRequestError` if a format has no pyramid and one is wanted."""
    if levels != 1 and "levels" not in format_.save_options:
        raise ImageRequestError(
            path, f"only {formats_with('levels')} has levels; leave it out"
        )


def require_stated(path: Path, format_: Format, image: Image, *, spaced: bool) -> None:
    """Raise `ImageRequestError` if a file would not say what an image is said to be.

    Parameters
    ----------
    path : Path
        Where it is to be written.
    format_ : Format
        How.
    image : Image
        What.
    spaced : bool
        Whether the caller gave a spacing; one that an image brings along is dropped.
    """
    if spaced and "spacing" in format_.unstated:
        raise ImageRequestError(
            path,
            f"{format_.title} holds no spacing; save .tif, .zarr or .h5, or leave out"
            " spacing= and units=, and give them when it is opened",
        )
    read = guessed(image.shape, image.dtype)
    if "axes" in format_.unstated and read != image.axes:
        raise ImageRequestError(
            path,
            f"{format_.title} holds no axes: {image.axes!r} would be read as {read!r};"
            " save .tif, .zarr or .h5",
        )
