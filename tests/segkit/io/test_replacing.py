"""What was asked to be replaced is replaced, and nothing else is ever removed."""

import numpy as np
import pytest

import segkit
from segkit.io.replacing import foreign
from segkit.pipeline import Pipeline, ndnt, save
from segkit.workflows import reserving

VOLUME = np.random.default_rng(0).integers(0, 255, (12, 20, 30), np.uint8)


def contents(folder):
    return {
        p.relative_to(folder): p.is_file() and p.read_bytes() for p in all_of(folder)
    }


def all_of(folder):
    return sorted(folder.rglob("*"))


@pytest.mark.parametrize("name", ["raw", "raw.ome.zarr"])
@pytest.mark.parametrize("inside", ["notes.txt", "sub/a.txt", "z1.tif", "c.png"])
@pytest.mark.parametrize("ours", [False, True])
def test_a_folder_with_something_foreign_is_not_replaced(tmp_path, name, inside, ours):
    path = tmp_path / name
    if ours:
        segkit.save(path, VOLUME)
    (path / inside).parent.mkdir(parents=True, exist_ok=True)
    (path / inside).write_text("mine")
    before = contents(tmp_path)
    strange = inside.partition("/")[0]
    with pytest.raises(FileExistsError, match=f"{name}: holds {strange}, which segkit"):
        segkit.save(path, VOLUME, overwrite=True)
    with pytest.raises(FileExistsError, match=f"holds {strange}, which segkit"):
        reserving.reserve(str(path), overwrite=True, attempt=0)
    assert contents(tmp_path) == before


def test_what_is_foreign_when_an_image_is_finished_is_kept_too(tmp_path):
    path = segkit.save(tmp_path / "a.zarr", VOLUME)
    writer = segkit.create_image(path, (2, 2), np.uint8, chunks=(2, 2), overwrite=True)
    writer.write(..., np.ones((2, 2), np.uint8))
    (path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"holds notes\.txt"):
        writer.finish()
    assert (path / "notes.txt").read_text() == "mine"
    np.testing.assert_array_equal(segkit.open_image(path).read(), VOLUME)


def test_a_group_of_other_images_is_not_replaced(tmp_path):
    path = segkit.save(tmp_path / "a.zarr", VOLUME)
    segkit.save(path / "labels.zarr", VOLUME)
    (path / "labels.zarr").rename(path / "labels")
    assert foreign(path) == "labels"


@pytest.mark.parametrize("name", ["raw", "a.zarr", "b.zarr"])
def test_what_segkit_wrote_is_replaced(tmp_path, name):
    options = {"raw": {}, "a.zarr": {"levels": 3}, "b.zarr": {"ome_version": "0.4"}}
    path = segkit.save(tmp_path / name, VOLUME, **options[name])
    (path / ".DS_Store").touch()  # of a program that showed the folder
    segkit.save(path, VOLUME[:3], overwrite=True)
    np.testing.assert_array_equal(segkit.open_image(path).read(), VOLUME[:3])
    assert [child.name for child in tmp_path.iterdir()] == [name]


def test_planes_that_begin_at_another_number_are_somebody_elses(tmp_path):
    path = segkit.save(tmp_path / "raw", VOLUME)
    (path / "z00.png").unlink()
    assert foreign(path) is not None


@pytest.mark.parametrize("name", ["a.tif", "a.npy", "a.h5", "a.png", "a.csv"])
def test_a_folder_is_not_replaced_by_a_file(tmp_path, name):
    (tmp_path / name).mkdir()
    write, what = segkit.save, VOLUME[0]
    if name == "a.csv":
        write, what = segkit.save_table, {"label": [1]}
    with pytest.raises(FileExistsError, match=f"{name}: is a folder, where a file"):
        write(tmp_path / name, what, overwrite=True)
    assert [child.name for child in tmp_path.iterdir()] == [name]


def test_a_pipeline_does_not_replace_a_folder_either(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "notes.txt").write_text("mine")
    pipeline = Pipeline(ndnt(shape=9, threshold=0.2), save("raw"))
    with pytest.raises(FileExistsError, match=r"holds notes\.txt"):
        pipeline.run(VOLUME, out=tmp_path, overwrite=True)
    assert (tmp_path / "raw" / "notes.txt").read_text() == "mine"


def test_other_datasets_of_a_file_are_not_lost(tmp_path):
    pytest.importorskip("h5py")
    path = segkit.save(tmp_path / "a.h5::raw", VOLUME)
    with pytest.raises(FileExistsError, match="holds the dataset 'raw' besides"):
        segkit.save(f"{path}::mask", VOLUME, overwrite=True)
    with pytest.raises(FileExistsError, match="holds the dataset 'raw' besides"):
        reserving.reserve(f"{path}::mask", overwrite=True, attempt=0)
    np.testing.assert_array_equal(segkit.open_image(path).read(), VOLUME)
    segkit.save(f"{path}::raw", VOLUME[:2], overwrite=True)
    assert segkit.open_image(path).shape == VOLUME[:2].shape
