"""A pipeline over a volume elsewhere makes what it makes of the array."""

from pathlib import Path

import numpy as np
import pytest

import segkit
import taskgraph
from segkit.io.elsewhere.place import Place
from segkit.pipeline import (
    Pipeline,
    gaussian,
    hysteresis,
    label,
    regionprops,
    save,
    tile,
)
from segkit.pipeline.stage_work import image_name
from segkit.pipeline.steps import PipelineError
from segkit.workflows import pipeline_tasks
from segkit.workflows.frames import open_input
from segkit.workflows.pipeline_jugfile import PipelineJugfile
from taskgraph import TaskGenerator, open_store, value
from taskgraph.tasks.recording import Recording, recorded_in

ABOUT = {"axes": "zyx", "spacing": (40, 8, 8), "units": "nanometer"}
CHUNKS = (8, 16, 16)


def boxes():
    """Return a volume with bright boxes, some of which lie across tiles."""
    volume = np.random.default_rng(5).integers(0, 60, (16, 24, 32)).astype(np.uint8)
    for z, y, x in ((2, 3, 3), (6, 13, 20), (10, 2, 12)):
        volume[z : z + 5, y : y + 7, x : x + 6] = 220
    return volume


def pipeline(*more):
    segmented = gaussian(sigma=1), hysteresis(low=90, high=110), label()
    return Pipeline(tile(shape=CHUNKS), *segmented, *more)


def labels_of(volume):
    smooth = segkit.gaussian(volume, 1)
    return segkit.label(segkit.hysteresis(smooth, low=90, high=110))


def run_in(store, steps, image, **options):
    """Run a pipeline as tasks; return how many of them were not run before."""
    results = open_store(store)
    with recorded_in(Recording(results)) as recording:
        pipeline_tasks(steps, image, block=8 * 16 * 16, **options)
    before = sum(task.can_load() for task in recording.tasks)
    report = taskgraph.run(recording.tasks, store=results, workers=0)
    assert not report.failed
    return len(recording.tasks) - before


def put(address, name, data):
    """Write an object below an address."""
    place = Place.of(address) / name
    place.ask("put", place.address.path, data)


@pytest.mark.parametrize("name", ["a.precomputed", "a.n5", "a.zarr"])
def test_tiled_over_a_volume_elsewhere_equals_the_whole(gs, tmp_path, name):
    whole = labels_of(boxes())
    assert whole.max() == 3
    segkit.save(gs(f"in/{name}"), boxes(), chunks=CHUNKS, **ABOUT)
    out = gs("out/{name}-labels" + name[1:])
    steps = pipeline(save(out), regionprops(), save("{name}.csv"))
    assert run_in(tmp_path / "s", steps, gs(f"in/{name}"), out=tmp_path) > 8
    found = segkit.open_image(out.replace("{name}", "a"))
    assert (found.read() == whole).all()
    assert found.spacing == (40, 8, 8)
    assert "nanometer" in (tmp_path / "a.csv").read_text()
    assert (pipeline().run(gs(f"in/{name}")).labels == whole).all()
    assert run_in(tmp_path / "s", steps, gs(f"in/{name}"), out=tmp_path) == 0


def test_labels_lie_where_their_image_does(tmp_path):
    segkit.save(tmp_path / "a.precomputed", boxes(), offset=(1, 20, 300), **ABOUT)
    for runs in (
        lambda steps: run_in(tmp_path / "s", steps, tmp_path / "a.precomputed"),
        lambda steps: steps.run(tmp_path / "a.precomputed", overwrite=True),
    ):
        runs(pipeline(save(tmp_path / "labels.precomputed")))
        info = (tmp_path / "labels.precomputed/info").read_text()
        assert '"voxel_offset": [\n    300,\n    20,\n    1\n   ]' in info
        assert '"segmentation"' in info


def test_a_volume_that_changed_is_not_taken_for_the_old_one(s3, tmp_path):
    """Also if nothing but one chunk did, which its metadata do not tell."""
    segkit.save(s3("a.n5"), boxes(), chunks=CHUNKS, compression="raw", **ABOUT)
    run_in(tmp_path / "s", pipeline(), s3("a.n5"))
    assert run_in(tmp_path / "s", pipeline(), s3("a.n5")) == 0
    chunk = (Place.of(s3("a.n5")) / "s0/0/0/0").read_bytes()
    put(s3("a.n5"), "s0/0/0/0", chunk[:-100] + bytes(100))
    assert run_in(tmp_path / "s", pipeline(), s3("a.n5")) > 0


def test_a_volume_known_by_content_may_move(s3, gs, tmp_path):
    for address in (s3("a.n5"), gs("b.zarr")):
        segkit.save(address, boxes(), chunks=CHUNKS, **ABOUT)
    about = {"known_by": "content"}
    assert run_in(tmp_path / "s", pipeline(), s3("a.n5"), **about) > 0
    assert run_in(tmp_path / "s", pipeline(), gs("b.zarr"), **about) == 0


@pytest.mark.parametrize("name", ["a.precomputed", "a.n5", "a.zarr"])
def test_of_a_web_server_the_metadata_are_what_is_known(web, name):
    def key():
        return open_input(f"{web.url}/{name}", {}, "stamp").__taskgraph_hash__()

    segkit.save(web.folder / name, boxes(), **ABOUT)
    before = key()
    assert key()[0] == before[0]
    segkit.save(web.folder / name, boxes()[:8], overwrite=True, **ABOUT)
    assert key()[0] != before[0]


@TaskGenerator
def brightest(image):
    return int(image.read().max())


def test_an_image_elsewhere_is_an_argument_of_a_task(s3, tmp_path):
    segkit.save(s3("a.zarr"), boxes(), **ABOUT)
    task = brightest(segkit.open_image(s3("a.zarr")))
    taskgraph.run(task, store=str(tmp_path / "s"), workers=0)
    assert value(task) == 220
    segkit.save(s3("a.zarr"), boxes() // 2, overwrite=True, **ABOUT)
    other = brightest(segkit.open_image(s3("a.zarr")))
    assert other.key != task.key


def test_what_was_saved_elsewhere_and_is_gone_is_saved_again(s3, tmp_path):
    steps = pipeline(save(s3("out.zarr")))
    run_in(tmp_path / "s", steps, boxes())
    place = Place.of(s3("out.zarr"))
    place.ask("remove", [path for path, _, _ in place.listed()])
    assert run_in(tmp_path / "s", steps, boxes()) > 0
    assert (segkit.open_image(s3("out.zarr")).read() == labels_of(boxes())).all()


def test_what_is_of_somebody_else_is_not_replaced(s3, tmp_path):
    segkit.save(s3("out.zarr"), boxes(), axes="zyx")
    steps = pipeline(save(s3("out.zarr")))
    with pytest.raises(taskgraph.TaskgraphError, match="exists already"):
        run_in(tmp_path / "s", steps, boxes())
    with pytest.raises(FileExistsError, match="exists already"):
        steps.run(boxes())
    assert (segkit.open_image(s3("out.zarr")).read() == boxes()).all()
    run_in(tmp_path / "s", steps, boxes(), overwrite=True)
    assert (segkit.open_image(s3("out.zarr")).read() == labels_of(boxes())).all()


def test_what_was_made_of_another_image_is_not_replaced_elsewhere(s3, tmp_path):
    steps = pipeline(save(s3("out.zarr")))
    one, other = tmp_path / "one.tif", tmp_path / "other.tif"
    for path, volume in ((one, boxes()), (other, boxes()[:, ::-1])):
        segkit.save(path, volume, axes="zyx")
    run_in(tmp_path / "s", steps, one)
    message = "holds what was made of .*one.tif; choose another address, or say"
    with pytest.raises(FileExistsError, match=message):
        run_in(tmp_path / "s", steps, other)
    assert (segkit.open_image(s3("out.zarr")).read() == labels_of(boxes())).all()
    assert run_in(tmp_path / "s", steps, one) == 0
    run_in(tmp_path / "s", steps, other, overwrite=True)
    mirrored = labels_of(boxes()[:, ::-1])
    assert (segkit.open_image(s3("out.zarr")).read() == mirrored).all()
    with pytest.raises(FileExistsError, match=r"holds what was made of .*other\.tif"):
        run_in(tmp_path / "s", steps, one)


def test_steps_that_were_changed_and_changed_back_write_anew_elsewhere(s3, tmp_path):
    steps = pipeline(save(s3("out.zarr")))
    less = Pipeline(*steps.steps[:2], hysteresis(low=60, high=200), *steps.steps[3:])
    path = segkit.save(tmp_path / "one.tif", boxes(), axes="zyx")
    run_in(tmp_path / "s", steps, path)
    run_in(tmp_path / "s", less, path)
    assert (segkit.open_image(s3("out.zarr")).read() != labels_of(boxes())).any()
    run_in(tmp_path / "s", steps, path)
    assert (segkit.open_image(s3("out.zarr")).read() == labels_of(boxes())).all()
    assert run_in(tmp_path / "s", steps, path) == 0


def with_low(steps, low):
    return Pipeline(*steps.steps[:2], hysteresis(low=low, high=200), *steps.steps[3:])


def test_steps_that_were_ended_before_the_end_do_not_take_what_others_wrote(
    s3, tmp_path
):
    steps = pipeline(save(s3("out.zarr")))
    path = segkit.save(tmp_path / "one.tif", boxes(), axes="zyx")
    results = open_store(tmp_path / "s")
    run_in(tmp_path / "s", steps, path)
    with recorded_in(Recording(results)) as recording:
        pipeline_tasks(with_low(steps, 60), path, block=8 * 16 * 16)
    assert not taskgraph.run(recording.tasks[:-1], store=results, workers=0).failed
    run_in(tmp_path / "s", with_low(steps, 150), path)
    other = segkit.open_image(s3("out.zarr")).read()
    run_in(tmp_path / "s", with_low(steps, 60), path)
    wanted = with_low(pipeline(), 60).run(path).labels
    assert (wanted != other).any()
    assert (segkit.open_image(s3("out.zarr")).read() == wanted).all()


def test_what_one_store_began_elsewhere_is_overtaken_by_its_other_steps(s3, tmp_path):
    steps = pipeline(save(s3("out.zarr")))
    path = segkit.save(tmp_path / "one.tif", boxes(), axes="zyx")
    results = open_store(tmp_path / "s")
    with recorded_in(Recording(results)) as recording:
        pipeline_tasks(steps, path, block=8 * 16 * 16)
    assert not taskgraph.run(recording.tasks[:-1], store=results, workers=0).failed
    with recorded_in(Recording(results)) as others:
        pipeline_tasks(with_low(steps, 60), path, block=8 * 16 * 16)
    assert not taskgraph.run(others.tasks[:-1], store=results, workers=0).failed
    last = recording.tasks[-1:]
    assert taskgraph.run(last, store=results, workers=0, check=False).failed
    assert not taskgraph.run(others.tasks[-1:], store=results, workers=0).failed
    wanted = with_low(pipeline(), 60).run(path).labels
    assert (segkit.open_image(s3("out.zarr")).read() == wanted).all()


def test_names_of_images_are_those_of_their_addresses():
    assert image_name("s3://lab/a/b.zarr?region=eu-west-1") == "b"
    assert image_name("precomputed://https://h/a/brain::raw/x") == "brain-raw-x"


@pytest.mark.parametrize(
    ("images", "out", "message"),
    [
        (["s3://lab/a", "s3://lab/a/"], ".", "are one image"),
        (["https://me:geheim@h/a"], ".", "no password belongs"),
        (["s3://lab/a"], "s3://lab/out", "-o is a folder on this machine"),
    ],
)
def test_what_a_run_cannot_take_is_told_before_it(tmp_path, images, out, message):
    pipeline(save("a.tif")).save(tmp_path / "p.toml")
    source = PipelineJugfile(tmp_path / "p.toml", images, out=tmp_path / out)
    if "://" in out:
        source.out = type(tmp_path)(out)
    check = source.make_out if "://" in out else source.require_usable
    with pytest.raises(ValueError, match=message) as found:
        check()
    assert "geheim" not in str(found.value)


@pytest.mark.parametrize("out", ["memory://x", "file:///x", "az://lab/out"])
def test_a_folder_for_results_is_no_address(tmp_path, monkeypatch, out):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", np.zeros((8, 16, 16), np.uint8))
    pipeline(save("{name}.tif")).save("p.toml")
    told = out.partition(":")[0] + ":.* is none; give its path"
    with pytest.raises(PipelineError, match=told):
        PipelineJugfile(Path("p.toml"), ["a.npy"], out=Path(out)).require_usable()
    with pytest.raises(PipelineError, match=told):
        Pipeline.load("p.toml").run("a.npy", out=out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npy", "p.toml"]


def test_a_pipeline_file_sends_nothing_elsewhere_untold(tmp_path):
    pipeline(save("s3://lab/a.zarr")).save(tmp_path / "p.toml")
    with pytest.raises(PipelineError, match="sends what it makes to s3://lab"):
        Pipeline.load(tmp_path / "p.toml")
    assert Pipeline.load(tmp_path / "p.toml", trust=True)
