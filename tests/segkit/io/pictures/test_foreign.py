"""A file that only another package reads is named, with the package."""

import gzip

import pytest

import segkit
from segkit.io import NotAnImageError
from segkit.io.pictures.foreign import FOREIGN

every_foreign = pytest.mark.parametrize(
    "known", FOREIGN, ids=lambda one: f"{one.title} {one.suffixes} {one.offset}"
)


@every_foreign
@pytest.mark.parametrize("renamed", [False, True])
def test_a_foreign_file_is_named_with_what_reads_it(tmp_path, capfd, known, renamed):
    content = bytearray(600)
    content[known.offset : known.offset + len(known.magic)] = known.magic
    unnamed = renamed and len(known.magic) > 2
    path = tmp_path / ("a.dat" if unnamed else f"a{known.suffixes[0]}")
    path.write_bytes(content)
    with pytest.raises(NotAnImageError) as caught:
        segkit.open_image(path)
    assert known.packages[0] in str(caught.value)
    assert known.title in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_the_neighbours_of_a_dicom_file_are_left_alone(tmp_path):
    for name in ("a.dcm", "b.dcm"):
        (tmp_path / name).write_bytes(bytes(128) + b"DICM" + bytes(400))
    (tmp_path / "b.dcm").chmod(0)
    with pytest.raises(NotAnImageError, match=r"a.dcm: is DICOM.* pydicom"):
        segkit.open_image(tmp_path / "a.dcm")


def test_what_only_describes_or_wraps_an_image_says_so(tmp_path):
    (tmp_path / "a.companion.ome").write_text('<?xml version="1.0"?><OME></OME>')
    with pytest.raises(NotAnImageError, match="one of the TIFF files that it names"):
        segkit.open_image(tmp_path / "a.companion.ome")
    (tmp_path / "a.tif.gz").write_bytes(gzip.compress(b"II*\0"))
    with pytest.raises(NotAnImageError, match="compressed by gzip; unpack it first"):
        segkit.open_image(tmp_path / "a.tif.gz")
