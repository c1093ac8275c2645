"""OME-XML in TIFF: which of its images a series is, and what it says of that one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from segkit.io.errors import DamagedImageError

if TYPE_CHECKING:
    import tifffile

AXES_NAMESPACE = "segkit/axes"
"""Of the comment that says which axes of length 1 are meant; OME-XML has all five."""

_BY_NUMBER = " by number"
_SPACE = "ZYX"
_DEFAULT_UNIT = {"space": "µm", "time": "s"}


def annotated(axes: str, *, named: bool) -> dict[str, dict[str, str]]:
    """Return what tifffile is told to write so that `axes_meant` finds the axes.

    Parameters
    ----------
    axes : str
        One letter each.
    named : bool
        Whether somebody said so.
    """
    value = axes if named else axes + _BY_NUMBER
    return {"CommentAnnotation": {"Namespace": AXES_NAMESPACE, "Value": value}}


def xml_elsewhere(tif: tifffile.TiffFile) -> str | None:
    """Return the OME-XML of a set that a file refers to, if it lies beside.

    That is a companion file, or another TIFF of the set. Its UUID becomes that of the
    file at hand, for which tifffile takes whose XML it reads.
    """
    root = _root(tif)
    only = None if root is None else root.find("{*}BinaryOnly")
    if root is None or only is None:
        return None
    name = Path(only.get("MetadataFile", "")).name
    path = Path(tif.filehandle.path).with_name(name or ".")
    if not path.is_file():
        return None
    if name.lower().endswith((".tif", ".tiff")):
        import tifffile

        with tifffile.TiffFile(path) as other:
            whole = _root(other)
    else:
        whole = _parsed(path.read_bytes())
    if whole is None:
        return None
    whole.attrib.pop("UUID", None)
    if root.get("UUID"):
        whole.set("UUID", root.get("UUID", ""))
    return ElementTree.tostring(whole, encoding="unicode")


def require_fitting(path: Path, tif: tifffile.TiffFile) -> None:
    """Raise unless the OME-XML of a file can be read and fits its pages.

    tifffile would hand out the pages as a plain stack, or those that fit.

    Raises
    ------
    DamagedImageError
        If it does not.
    """
    read = any(series.kind == "ome" for series in tif.series)
    root = _root(tif)
    if root is None and not read and "<OME" in tif.pages.first.description:
        raise DamagedImageError(
            path, "has OME-XML that is damaged; write it, or the whole file, again"
        )
    if root is None or root.find("{*}BinaryOnly") is not None:
        return
    several = root.findall("{*}Image/{*}Pixels")
    for pixels in several:
        sizes = [int(pixels.get(f"Size{name}", 1)) for name in "CZT"]
        counts = [
            int(one.get("PlaneCount", 0)) for one in pixels.findall("{*}TiffData")
        ]
        if sum(counts) > math.prod(sizes):
            raise DamagedImageError(
                path,
                f"has OME-XML that contradicts itself: {math.prod(sizes)} planes by"
                f" SizeC, SizeZ and SizeT, {sum(counts)} by PlaneCount; correct it, or"
                " write the file again",
            )
    if several and not read:
        sizes = [int(several[0].get(f"Size{name}", 0)) for name in "YX"]
        raise DamagedImageError(
            path,
            f"has OME-XML of planes of {sizes[0]} x {sizes[1]} pixels, which its pages"
            f" of {tif.pages.first.shape} are not; correct it, or write the file again",
        )


def axes_meant(tif: tifffile.TiffFile) -> tuple[str | None, bool]:
    """Return the axes that `segkit.save` wrote down, and if somebody had said so.

    None, and true, of other files.
    """
    root = _root(tif)
    for comment in () if root is None else root.iterfind(".//{*}CommentAnnotation"):
        if comment.get("Namespace") == AXES_NAMESPACE:
            value = comment.findtext("{*}Value") or ""
            return value.removesuffix(_BY_NUMBER), not value.endswith(_BY_NUMBER)
    return None, True


def stated_by_ome(
    tif: tifffile.TiffFile, series: int
) -> dict[str, tuple[Any, str | None]]:
    """Return step and unit by axis of the image that a series holds."""
    pixels = _pixels(tif, series)
    if pixels is None:
        return {}
    found: dict[str, tuple[Any, str | None]] = {}
    for name in _SPACE:
        unit = pixels.get(f"PhysicalSize{name}Unit", _DEFAULT_UNIT["space"])
        found[name.lower()] = (pixels.get(f"PhysicalSize{name}"), unit)
    unit = pixels.get("TimeIncrementUnit", _DEFAULT_UNIT["time"])
    found["t"] = (pixels.get("TimeIncrement"), unit)
    return {name: step for name, step in found.items() if step[0] is not None}


def channels_by_ome(tif: tifffile.TiffFile, series: int) -> list[str | None]:
    """Return the names of the channels of the image that a series holds."""
    pixels = _pixels(tif, series)
    found = () if pixels is None else pixels.findall("{*}Channel")
    return [channel.get("Name") for channel in found]


def _pixels(tif: tifffile.TiffFile, series: int) -> ElementTree.Element | None:
    """Return what the XML says of the image that a series holds."""
    root = _root(tif)
    if root is None:
        return None
    images = root.findall("{*}Image")
    number: int | None = 0
    if len(images) > 1:
        number = _number_of_image(tif, root, series)
    known = images and number is not None
    return images[number or 0].find("{*}Pixels") if known else None


def _root(tif: tifffile.TiffFile) -> ElementTree.Element | None:
    return _parsed(tif.ome_metadata) if tif.is_ome and tif.ome_metadata else None


def _parsed(xml: str | bytes) -> ElementTree.Element | None:
    try:
        return ElementTree.fromstring(xml)
    except ElementTree.ParseError:
        return None


def _number_of_image(
    tif: tifffile.TiffFile, root: ElementTree.Element, series: int
) -> int | None:
    """Return which image of the XML a series is; None if it is none of them.

    tifffile leaves out images without data here, and hands out their names only. So
    the images get their numbers as names, and it reads the file once more.
    """
    import tifffile

    for number, image in enumerate(root.findall("{*}Image")):
        image.set("Name", str(number))
    # Namespaces without prefixes, as tifffile looks for them.
    numbered = ElementTree.tostring(root, encoding="unicode")
    with tifffile.TiffFile(tif.filehandle.path, omexml=numbered) as again:
        name = again.series[series].name
    return int(name) if name.isdecimal() else None
