"""The table of formats is complete, and each of them is found and says what it can."""

import importlib
import pkgutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import segkit
import segkit.io
from segkit.io import ImageRequestError, NotAnImageError, formats
from segkit.io.described import as_image
from segkit.io.formats import Format, format_at, format_of
from segkit.io.options import OpenOptions, SaveOptions

IMAGE = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
FORMATS = list(formats.formats())
WRITTEN_BY_BOX = ["npy", "tiff", "ome-tiff", "zarr", "precomputed", "n5"]
SAID = {"precomputed": '{"scales": []}', "n5": '{"n5": "2.0.0"}'}
"""What a folder's mark says, where that tells it from other files of the name."""
LIBRARIES = {"tifffile", "zarr", "h5py", "imageio", "PIL", "scipy", "skimage"}

each_format = pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.name)


def plane_or_volume(known):
    return IMAGE[0] if known.name == "picture" else IMAGE


def test_each_format_that_a_module_makes_is_in_the_table():
    package = segkit.io.__path__, "segkit.io."
    modules = [module.name for module in pkgutil.walk_packages(*package)]
    made = [
        f"{name}:{variable}"
        for name in modules
        for variable, value in vars(importlib.import_module(name)).items()
        if isinstance(value, Format)
    ]
    assert sorted(made) == sorted(formats.FORMATS)


def test_no_two_formats_have_the_same_name_or_suffix():
    names = [known.name for known in FORMATS]
    suffixes = [suffix for known in FORMATS for suffix in known.suffixes]
    assert len(set(names)) == len(names)
    assert len(set(suffixes)) == len(suffixes)


@each_format
def test_a_format_says_what_it_can_do(known):
    assert known.name
    assert known.title
    assert known.suffixes
    assert known.open_options <= {field.name for field in fields(OpenOptions)}
    assert known.save_options <= {field.name for field in fields(SaveOptions)}
    by_box = known.name in WRITTEN_BY_BOX
    assert (known.create is not None, known.reopen is not None) == (by_box, by_box)
    assert bool(known.no_boxes) != by_box


@each_format
def test_a_format_is_found_by_each_of_its_suffixes(known):
    for suffix in known.suffixes:
        assert format_of(f"folder.old/a{suffix}") is known
        assert format_of(Path(f"A{suffix.upper()}")) is known


@pytest.mark.parametrize("name", ["a.doc", "a.tif.gz", "a.ome"])
def test_a_name_of_no_format_lists_those_there_are(name):
    known = r"\.npy, \.npz, \.tif, \.tiff, \.btf, \.zarr, .*, \.webp, \.ome\.tif$"
    with pytest.raises(ImageRequestError, match=f"means no format; use one of {known}"):
        format_of(name)


@each_format
def test_a_format_is_found_by_the_first_bytes_whatever_the_name(tmp_path, known):
    for number, magic in enumerate(known.magic):
        path = tmp_path / f"{number}.txt"
        path.write_bytes(magic + bytes(16))
        assert format_at(path).open is known.open
    for mark in known.marks:
        folder = tmp_path / f"folder of {mark}"
        folder.mkdir()
        (folder / mark).write_text(SAID.get(known.name, ""))
        assert format_at(folder) is known
        if known.name in SAID:
            (folder / mark).write_text('{"of": "somebody else"}')
            assert format_at(folder).name == "folder"
    assert known.magic or known.marks or known.name == "folder"


def test_what_is_of_no_format_is_a_picture_or_a_folder_of_them(tmp_path):
    path = tmp_path / "a.tif"
    path.write_text("no TIFF")
    assert format_at(path).name == "picture"
    assert format_at(tmp_path).name == "folder"
    path.write_bytes(b"")
    with pytest.raises(NotAnImageError, match="is an empty file; copy or write"):
        format_at(path)


@each_format
def test_what_a_format_saved_is_read_under_another_name(tmp_path, known):
    array = plane_or_volume(known)
    path = segkit.save(tmp_path / f"a{known.suffixes[0]}", array)
    path = path.rename(tmp_path / "renamed.txt")
    assert format_at(path).open is known.open
    np.testing.assert_array_equal(segkit.open_image(path).read(), array)


@each_format
def test_a_format_that_cannot_be_written_by_box_says_what_can(tmp_path, known):
    path = tmp_path / f"a{known.suffixes[0]}"
    if known.name in WRITTEN_BY_BOX:
        with segkit.create_image(path, IMAGE.shape, np.uint8) as writer:
            writer.write(..., IMAGE)
        np.testing.assert_array_equal(segkit.open_image(path).read(), IMAGE)
    else:
        with pytest.raises(ImageRequestError, match=r"create \.zarr, \.tif or \.npy"):
            segkit.create_image(path, IMAGE.shape, np.uint8)
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "libraries"),
    [
        ("a.npy", set()),
        ("a.tif", {"tifffile"}),
        ("a.zarr", {"zarr"}),
        ("a.h5", {"h5py"}),
        ("a.npz", set()),
        ("a.png", {"PIL"}),
    ],
)
def test_opening_an_image_imports_the_library_of_its_format_only(
    tmp_path, name, libraries
):
    path = segkit.save(tmp_path / name, IMAGE[0])
    code = f"import sys, segkit; segkit.open_image({str(path)!r}); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) & LIBRARIES == libraries


def test_importing_the_package_imports_no_array_library():
    code = "import sys, segkit.io; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not set(done.stdout.split()) & (LIBRARIES | {"numpy"})


def open_text(path, options):
    lines = path.read_text().splitlines()[1:]
    return as_image(np.array([line.split() for line in lines], int), path=str(path))


def save_text(path, image, options):
    with path.open("w") as file:
        file.write("#numbers\n")
        np.savetxt(file, image.read(), fmt="%d")


def test_a_format_is_added_by_a_line_of_the_table(tmp_path, monkeypatch):
    module = ModuleType("text_format")
    module.TEXT = Format(
        name="text",
        title="text",
        suffixes=(".txt",),
        magic=(b"#numbers",),
        open=open_text,
        save=save_text,
        no_boxes="text is written as a whole",
    )
    monkeypatch.setitem(sys.modules, "text_format", module)
    monkeypatch.setattr(formats, "FORMATS", ("text_format:TEXT", *formats.FORMATS))
    path = segkit.save(tmp_path / "a.txt", IMAGE[0])
    np.testing.assert_array_equal(segkit.open_image(path).read(), IMAGE[0])
    with pytest.raises(ImageRequestError, match="holds one image only; key='b'"):
        segkit.open_image(f"{path}::b")
    with pytest.raises(ImageRequestError, match="text is written as a whole"):
        segkit.create_image(tmp_path / "b.txt", IMAGE.shape, np.uint8)
    with pytest.raises(ImageRequestError, match=r"only OME-Zarr or .* has levels"):
        segkit.save(tmp_path / "b.txt", IMAGE[0], levels=2)
