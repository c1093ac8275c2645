"""An image in several files is read from each of them; a file of several asks which."""

import pickle
import uuid

import numpy as np
import pytest
import tifffile

import segkit
from segkit.io import DamagedImageError, ImageRequestError

PLANES = np.random.default_rng(0).integers(0, 60000, (2, 3, 20, 24)).astype(np.uint16)
OME = "http://www.openmicroscopy.org/Schemas/OME/2016-06"


def data(index, ifd, z, ids):
    name = f'<UUID FileName="f{index}.ome.tif">urn:uuid:{ids[index]}</UUID>'
    first = f'FirstZ="{z}" FirstC="0" FirstT="0"'
    return f'<TiffData IFD="{ifd}" {first} PlaneCount="1">{name}</TiffData>'


def image(number, size, where, step=1.0):
    pixels = (
        f'ID="Pixels:{number}" DimensionOrder="XYZCT" Type="uint16" SizeX="24"'
        f' SizeY="20" SizeZ="{size}" SizeC="1" SizeT="1" PhysicalSizeX="{step}"'
        f' PhysicalSizeY="{step}"'
    )
    channel = f'<Channel ID="Channel:{number}:0" SamplesPerPixel="1"/>'
    return (
        f'<Image ID="Image:{number}"><Pixels {pixels}>{channel}{where}</Pixels></Image>'
    )


def write_set(folder, files, images, ids, **options):
    """Write files, each of which describes all images of the set."""
    for index, planes in enumerate(files):
        root = f'<OME xmlns="{OME}" UUID="urn:uuid:{ids[index]}">'
        xml = f'<?xml version="1.0"?>{root}{"".join(images)}</OME>'
        with tifffile.TiffWriter(folder / f"f{index}.ome.tif", ome=False) as writer:
            for number, plane in enumerate(planes):
                description = xml if number == 0 else None
                writer.write(plane, description=description, metadata=None, **options)


@pytest.fixture(params=[None, "zlib"])
def planes_in_turns(request, tmp_path):
    """One image whose planes lie in two files, in turns."""
    ids = [uuid.uuid4(), uuid.uuid4()]
    where = "".join(data(z % 2, z // 2, z, ids) for z in range(6))
    write_set(tmp_path, PLANES, [image(0, 6, where)], ids, compression=request.param)
    return tmp_path


@pytest.mark.parametrize("name", ["f0.ome.tif", "f1.ome.tif"])
def test_each_plane_is_read_from_its_own_file(planes_in_turns, name):
    opened = segkit.open_image(planes_in_turns / name)
    whole = PLANES.swapaxes(0, 1).reshape(6, 20, 24)
    np.testing.assert_array_equal(opened.read(), whole)
    box = (slice(1, 4), slice(3, 9), slice(4, 11))
    again = pickle.loads(pickle.dumps(opened))
    np.testing.assert_array_equal(again.read(box), whole[box])
    assert len(opened.files) == 1
    assert opened.files == again.select(z=0).files


@pytest.mark.parametrize("companion", ["a.companion.ome", "f0.ome.tif"])
def test_files_that_refer_to_the_description_of_their_set_are_read_by_it(
    tmp_path, companion
):
    ids = [uuid.uuid4(), uuid.uuid4()]
    where = "".join(data(z % 2, z // 2, z, ids) for z in range(6))
    whole = (
        f'<OME xmlns="{OME}" UUID="urn:uuid:{ids[0]}">{image(0, 6, where, 0.5)}</OME>'
    )
    write_set(tmp_path, PLANES, [image(0, 6, where, 0.5)], ids)
    if companion.endswith(".ome"):
        (tmp_path / companion).write_text(whole)
    only = f'<BinaryOnly MetadataFile="{companion}" UUID="urn:uuid:{ids[0]}"/>'
    xml = f'<OME xmlns="{OME}" UUID="urn:uuid:{ids[1]}">{only}</OME>'
    with tifffile.TiffWriter(tmp_path / "f1.ome.tif", ome=False) as writer:
        for number, plane in enumerate(PLANES[1]):
            writer.write(plane, description=None if number else xml, metadata=None)
    opened = segkit.open_image(tmp_path / "f1.ome.tif")
    np.testing.assert_array_equal(
        opened.read(), PLANES.swapaxes(0, 1).reshape(6, 20, 24)
    )
    assert opened.spacing == (1, 0.5, 0.5)
    for path in tmp_path.iterdir():
        if path.name != "f1.ome.tif":
            path.unlink()
    alone = segkit.open_image(tmp_path / "f1.ome.tif")
    np.testing.assert_array_equal(alone.read(), PLANES[1])
    assert not alone.stated


def test_a_lost_file_of_a_set_is_missed_by_what_needs_it(planes_in_turns):
    (planes_in_turns / "f0.ome.tif").unlink()
    opened = segkit.open_image(planes_in_turns / "f1.ome.tif")
    np.testing.assert_array_equal(opened.read(1), PLANES[1, 0])
    with pytest.raises(DamagedImageError, match="page 0 is missing; if the image lies"):
        opened.read()


def test_a_cut_file_of_a_set_is_damaged(planes_in_turns):
    path = planes_in_turns / "f0.ome.tif"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DamagedImageError):
        segkit.open_image(planes_in_turns / "f1.ome.tif").read()


def test_a_folder_of_one_set_is_no_stack_of_it(planes_in_turns):
    with pytest.raises(ImageRequestError, match="one image in 2 files; open one"):
        segkit.open_image(planes_in_turns)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_positions_in_files_of_their_own_are_series(tmp_path, compression):
    ids = [uuid.uuid4(), uuid.uuid4()]
    images = [
        image(k, 3, "".join(data(k, z, z, ids) for z in range(3)), k + 1)
        for k in range(2)
    ]
    write_set(tmp_path, PLANES, images, ids, compression=compression)
    with pytest.raises(ImageRequestError, match=r"2 series .*\(3, 20, 24\).*series="):
        segkit.open_image(tmp_path / "f0.ome.tif")
    for series in range(2):
        opened = segkit.open_image(tmp_path / "f0.ome.tif", series=series)
        np.testing.assert_array_equal(opened.read(), PLANES[series])
        assert opened.spacing == (1, series + 1, series + 1)
        assert len(opened.files) == series  # that of the other position


def test_the_spacing_is_that_of_the_image_that_has_voxels(tmp_path):
    ids = [uuid.uuid4()]
    images = [
        image(0, 2, "<MetadataOnly/>", 0.1),
        image(1, 3, "<TiffData/>", 0.7),
    ]
    write_set(tmp_path, PLANES[:1], images, ids)
    opened = segkit.open_image(tmp_path / "f0.ome.tif")
    np.testing.assert_array_equal(opened.read(), PLANES[0])
    assert opened.spacing == (1, 0.7, 0.7)


def test_pages_of_two_kinds_are_chosen_among(tmp_path):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(PLANES[0, 0], metadata=None, compression="zlib")
        for plane in PLANES[1]:
            writer.write(plane, metadata=None, compression="zlib", predictor=True)
    with pytest.raises(ImageRequestError, match="holds 2 series"):
        segkit.open_image(path)
    np.testing.assert_array_equal(segkit.open_image(path, series=1).read(), PLANES[1])


def test_a_thumbnail_is_no_second_image(tmp_path):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(PLANES[0, 0], metadata=None)
        writer.write(PLANES[0, 0, ::4, ::6], metadata=None, subfiletype=1)
    np.testing.assert_array_equal(segkit.open_image(path).read(), PLANES[0, 0])


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.9, 0.999])
def test_a_cut_imagej_stack_of_one_directory_is_no_plane(tmp_path, keep):
    path = tmp_path / "a.tif"
    options = {"imagej": True, "metadata": {"axes": "ZYX"}, "truncate": True}
    tifffile.imwrite(path, PLANES[0], **options)
    np.testing.assert_array_equal(segkit.open_image(path).read(), PLANES[0])
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    with pytest.raises(DamagedImageError):
        segkit.open_image(path).read()
