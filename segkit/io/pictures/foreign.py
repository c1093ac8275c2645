"""Formats that are not read here: how each is known, and which package reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segkit.io.errors import NotAnImageError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class ForeignFormat:
    """A format that another package reads.

    Attributes
    ----------
    title : str
        What it is called.
    suffixes : tuple of str
        Ends of its names.
    packages : tuple of str
        Which packages read it.
    magic : bytes
        What stands in its files; empty where only the name tells.
    offset : int
        Where that stands.
    """

    title: str
    suffixes: tuple[str, ...]
    packages: tuple[str, ...]
    magic: bytes = b""
    offset: int = 0

    @property
    def advice(self) -> str:
        """What to do, as the end of a sentence."""
        return (
            f"read it by {' or '.join(self.packages)} and give the array, or save it as"
            " .ome.tif or .zarr"
        )


_BIOFORMATS = "bioio-bioformats"
_VIDEO = ("imageio[pyav]",)
FOREIGN = (
    ForeignFormat("Zeiss CZI", (".czi",), ("pylibCZIrw", "czifile"), b"ZISRAWFILE"),
    ForeignFormat("Nikon ND2", (".nd2",), ("nd2",), b"\xda\xce\xbe\x0a"),
    ForeignFormat("Leica LIF", (".lif",), ("liffile", "readlif"), b"\x70\0\0\0"),
    ForeignFormat("NIfTI", (".nii",), ("nibabel",), b"n+1\0", 344),
    ForeignFormat("NIfTI-2", (".nii",), ("nibabel",), b"n+2\0", 4),
    ForeignFormat("NIfTI", (".nii.gz",), ("nibabel",), b"\x1f\x8b"),
    ForeignFormat("Analyze or NIfTI", (".hdr", ".img"), ("nibabel",), b"ni1\0", 344),
    ForeignFormat("DICOM", (".dcm", ".dicom", ".ima"), ("pydicom",), b"DICM", 128),
    ForeignFormat("NRRD", (".nrrd", ".nhdr"), ("pynrrd",), b"NRRD000"),
    ForeignFormat("MetaImage", (".mha", ".mhd"), ("SimpleITK",), b"ObjectType"),
    ForeignFormat("MRC", (".mrc", ".mrcs", ".rec"), ("mrcfile",), b"MAP ", 208),
    ForeignFormat("DeltaVision", (".dv", ".r3d"), ("mrc",)),
    ForeignFormat("Olympus OIB or OIF", (".oib", ".oif"), ("oiffile",)),
    ForeignFormat("Olympus VSI", (".vsi", ".ets"), (_BIOFORMATS,), b"SIS\0"),
    ForeignFormat("Zeiss ZVI", (".zvi",), (_BIOFORMATS,)),
    ForeignFormat(
        "an OLE file of a microscope (OIB, ZVI)",
        (".oib", ".zvi"),
        ("oiffile", _BIOFORMATS),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    ),
    ForeignFormat("ICS", (".ics", ".ids"), (_BIOFORMATS,), b"ics_version", 2),
    ForeignFormat("FITS", (".fits", ".fit"), ("astropy",), b"SIMPLE  ="),
    ForeignFormat("MATLAB", (".mat",), ("scipy.io", "h5py"), b"MATLAB "),
    ForeignFormat("JPEG XL", (".jxl",), ("imagecodecs",), b"\xff\x0a"),
    ForeignFormat("JPEG XL", (".jxl",), ("imagecodecs",), b"JXL \r\n\x87\n", 4),
    ForeignFormat("a video", (".mp4", ".mov", ".m4v"), _VIDEO, b"ftypisom", 4),
    ForeignFormat("a video", (".avi",), _VIDEO, b"AVI LIST", 8),
    ForeignFormat("a video", (".mkv", ".webm"), _VIDEO, b"\x1a\x45\xdf\xa3"),
)
"""In the order in which they are looked for."""

_XML = (b"<?xml", b"<OME", b"\xef\xbb\xbf<?xml")
_GZIP = b"\x1f\x8b"
_HEAD = 512


def require_known(path: Path) -> None:
    """Raise if a file is of a format that only another package reads.

    Raises
    ------
    NotAnImageError
        The message names the package.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(_XML) and b"OME" in head:
        raise NotAnImageError(
            path, "is OME-XML without voxels; open one of the TIFF files that it names"
        )
    named = _named(path)
    for one in [*named, *FOREIGN]:
        end = one.offset + len(one.magic)
        # Names of two bytes at the start say little without the name of the file.
        telling = len(one.magic) > len(_GZIP) or one in named
        if one.magic and telling and head[one.offset : end] == one.magic:
            raise NotAnImageError(
                path, f"is {one.title}, which is not read here; {one.advice}"
            )
    if head.startswith(_GZIP):
        raise NotAnImageError(path, "is compressed by gzip; unpack it first")


def advice_for(path: Path) -> str:
    """Return what reads a file, as its name says; empty if that says nothing."""
    return next((f"; if it is {one.title}, {one.advice}" for one in _named(path)), "")


def _named(path: Path) -> list[ForeignFormat]:
    name = path.name.lower()
    return [one for one in FOREIGN if name.endswith(one.suffixes)]
