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
from typing import TYPE_CHECKING, Any, TypeAlias

from segkit.io.axes import guessed
from segkit.io.elsewhere.address import is_address, parse_address
from segkit.io.errors import ImageRequestError, NotAnImageError

if TYPE_CHECKING:
    from segkit.io.elsewhere.address import Address
    from segkit.io.elsewhere.layout import Layout
    from segkit.io.elsewhere.place import Node, Place
    from segkit.io.image import Image
    from segkit.io.options import OpenOptions, SaveOptions
    from segkit.io.targets import Target

FORMATS = (
    "segkit.io.npy:NPY",
    "segkit.io.npz:NPZ",
    "segkit.io.tiff.format:TIFF",
    "segkit.io.tiff.format:OME_TIFF",
    "segkit.io.ome_zarr.format:OME_ZARR",
    "segkit.io.volumes.precomputed:PRECOMPUTED",
    "segkit.io.volumes.n5:N5",
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


def _as_marked(node: Node) -> bool:  # noqa: ARG001 (the field's)
    """Take a folder in which a mark lies for what it says."""
    return True


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
    is_marked : callable
        Whether a folder with such a file is one: others may have files of that name.
    folder : bool
        Whether it is written as a folder.
    elsewhere : bool
        Whether it is read at addresses, too: `open` takes a `Place`.
    open_options, save_options : frozenset of str
        Those of `OpenOptions` and `SaveOptions` that mean something to it, but for
        ``axes``, which all have.
    compressions : tuple of str
        How it can be compressed, if that is to be chosen.
    library : str
        What is imported to write it, if that is not always installed.
    unstated : frozenset of str
        What its files do not say of an image: ``axes``, ``spacing``, ``channels``.
    create : callable, optional
        Writes an image of zeros at a path, to be written by box.
    reopen : callable, optional
        Returns what is known of an image that `create` made, and where it takes boxes.
    no_boxes : str
        Why there is neither `create` nor `reopen`.
    layout : callable, optional
        Returns what an image is made of, to be written at an address.
    require_replaceable : callable
        Raises `FileExistsError` if replacing a file would lose more than the image.
    ours : callable
        Returns which entries of a folder are the format's, as segkit writes it.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    open: Callable[[Any, OpenOptions], Image]
    save: Callable[[Path, Image, SaveOptions], None]
    magic: tuple[bytes, ...] = ()
    marks: tuple[str, ...] = ()
    is_marked: Callable[[Any], bool] = _as_marked
    folder: bool = False
    elsewhere: bool = False
    open_options: frozenset[str] = frozenset()
    save_options: frozenset[str] = frozenset()
    compressions: tuple[str, ...] = ()
    library: str = ""
    unstated: frozenset[str] = frozenset()
    create: Callable[[Path, Image, SaveOptions], None] | None = None
    reopen: Callable[[Path], tuple[Image, Target]] | None = None
    no_boxes: str = ""
    layout: Callable[[Image, SaveOptions], Layout] | None = None
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
    if is_address(path):
        return _format_of_address(parse_address(path))
    path = Path(path)
    return _format_of_name(path, path.name)


def _format_of_address(address: Address) -> Format:
    named = [format_ for format_ in formats() if format_.name == address.format]
    format_ = named[0] if named else _format_of_name(address, address.name)
    if format_.layout is None:
        able = [one for one in formats() if one.layout is not None]
        raise ImageRequestError(
            address,
            f"{format_.title} is not written at addresses; take"
            f" {', '.join(one.suffixes[0] for one in able)}, or a file here",
        )
    return format_


def _format_of_name(path: Path | Address, full: str) -> Format:
    meant = {suffix: format_ for format_ in formats() for suffix in format_.suffixes}
    name, suffix = full.lower(), Path(full).suffix
    double = [
        suffix for suffix in meant if _is_double(suffix) and name.endswith(suffix)
    ]
    found = max(double, key=len, default=suffix.lower())
    if found not in meant:
        raise ImageRequestError(
            path,
            f"suffix {suffix!r} means no format; use one of"
            f" {', '.join(_shown_suffixes())}",
        )
    return meant[found]


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
        raise NotAnImageError(path, "is an empty file; copy or write it again")
    return next(format_ for format_ in formats() if start.startswith(format_.magic))


def format_of_folder(path: Path, suffix: str = "") -> Format:
    """Return the format of a folder: by what lies in it, else by a suffix."""
    known = [format_ for format_ in formats() if format_.folder]
    marked = (f for f in known if _is_marked(f, path))
    named = (f for f in known if suffix in f.suffixes)
    return next(chain(marked, named), known[-1])


def _is_marked(format_: Format, folder: Node) -> bool:
    found = any((folder / mark).is_file() for mark in format_.marks)
    return found and format_.is_marked(folder)


def format_of_place(place: Place, key: str | None) -> Format | None:
    """Return the format of what lies elsewhere; None if nothing that is known does.

    Parameters
    ----------
    place : Place
        The folder.
    key : str, optional
        What is meant in it, which may say more than the folder itself.
    """
    known = [format_ for format_ in formats() if format_.elsewhere]
    name, meant = place.name.lower(), place.address.format
    # The likeliest first: each look is a request.
    known.sort(key=lambda f: not (f.name == meant or name.endswith(f.suffixes)))
    if meant:
        known = known[:1]
    for folder in [place, *([place / key] if key else [])]:
        for format_ in known:
            if _is_marked(format_, folder):
                return format_
    return None


def is_chunked(path: str) -> bool:
    """Say whether a path means a format of chunks, each of which a worker can write.

    Examples
    --------
    >>> is_chunked("a.zarr"), is_chunked("s3://lab/a.n5"), is_chunked("a.tif")
    (True, True, False)
    """
    where = path if is_address(path) else path.partition("::")[0]
    return format_of(where).layout is not None


def formats_with(option: str) -> str:
    """Return the titles of the formats that `save` writes with an option.

    Examples
    --------
    >>> formats_with("compression"), formats_with("levels")
    ('TIFF or precomputed or N5', 'OME-Zarr or precomputed or N5')
    """
    having = [format_.title for format_ in formats() if option in format_.save_options]
    return " or ".join(dict.fromkeys(having))


def require_levels(path: Path | str, format_: Format, levels: int) -> None:
    """Raise `ImageRequestError` if a format has no pyramid and one is wanted."""
    if levels != 1 and "levels" not in format_.save_options:
        raise ImageRequestError(
            path, f"only {formats_with('levels')} has levels; leave it out"
        )


def require_stated(
    path: Path | str,
    format_: Format,
    image: Image,
    *,
    spaced: bool,
    named: bool = False,
) -> None:
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
    named : bool
        The same of names of channels.
    """
    if named and "channels" in format_.unstated:
        raise ImageRequestError(
            path,
            f"{format_.title} holds no names of channels; save .tif, .zarr or .h5, or"
            " leave out channels=, and give them when it is opened",
        )
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
