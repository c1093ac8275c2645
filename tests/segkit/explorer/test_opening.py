"""What is explored of a file, and what is told of one that cannot be."""

from __future__ import annotations

import json
from threading import Event
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest

import segkit
from segkit.explorer import opening
from segkit.explorer.answers import unpacked
from segkit.explorer.exploring import explorer_of
from segkit.explorer.opening import opened
from segkit.explorer.running import free_name
from segkit.explorer.site import Newest
from segkit.io import ImageError, MissingExtraError
from segkit.pipeline import Pipeline, gaussian, load
from segkit.pipeline.steps import PipelineError
from taskgraph.pages import serving

GREY = np.arange(1200, dtype=np.uint8).reshape(30, 40)


@pytest.mark.parametrize(
    ("array", "axes", "said"),
    [
        (np.stack([GREY] * 3, -1), "yxs", {"to_grey": True}),
        (np.stack([GREY, GREY + 1]), "cyx", {"channel": 0}),
        (np.stack([GREY, GREY + 1]), "tyx", {"select": {"t": 0}}),
        (GREY, "yx", {}),
    ],
    ids=["colours", "channels", "movie", "plane"],
)
def test_what_is_taken_of_a_file_stands_in_the_pipeline(tmp_path, array, axes, said):
    path = segkit.save(tmp_path / "a.tif", array, axes=axes)
    found = opened(path, [gaussian(sigma=1)])
    assert found.image.axes == "yx"
    np.testing.assert_array_equal(found.image.read(), GREY)
    first = found.steps[0]
    assert (first.keywords if first.function == "load" else {}) == said
    assert bool(found.note) == bool(said)
    made = Pipeline(*found.steps).run(path).array
    np.testing.assert_array_equal(made, segkit.gaussian(GREY, 1))


def test_what_the_pipeline_says_of_the_file_is_kept(tmp_path):
    path = segkit.save(tmp_path / "a.tif", np.stack([GREY, GREY + 1]), axes="cyx")
    found = opened(path, [load(channel=1), gaussian(sigma=1)])
    np.testing.assert_array_equal(found.image.read(), GREY + 1)
    assert opened(None, [load(path, channel=1)]).image.shape == GREY.shape


def refused_cases(folder):
    np.save(folder / "volume.npy", np.zeros((5, 6, 7)))
    np.save(folder / "line.npy", np.zeros(5))
    np.save(folder / "complex.npy", np.zeros((5, 5), complex))
    np.save(folder / "empty.npy", np.zeros((0, 5)))
    (folder / "text.png").write_text("no picture")


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("volume.npy", "--axes zyx"),
        ("line.npy", "a plane or a volume"),
        ("complex.npy", "real numbers"),
        ("empty.npy", "is empty"),
        ("text.png", "not an image"),
        ("none.png", "no image there"),
    ],
)
def test_a_file_that_cannot_be_explored_is_refused_by_a_sentence(tmp_path, name, word):
    refused_cases(tmp_path)
    with pytest.raises((ImageError, OSError), match=word):
        explorer_of(tmp_path / name)


@pytest.mark.parametrize(
    "image",
    [
        np.full((20, 20), np.nan),
        np.where(np.eye(20) > 0, np.inf, 1.0),
        np.full((20, 20), 7, np.uint8),
        np.eye(20) > 0,
        np.ones((1, 1)),
        np.ones((1, 3000), np.uint8),
        np.full((9, 1, 9), 2**60, np.int64),
    ],
    ids=["nan", "inf", "flat", "bool", "one", "thin", "large"],
)
def test_whatever_can_be_opened_is_shown(image):
    exploration = explorer_of(image)._exploration
    view = [[0, 1], *([0, n] for n in image.shape[1:])] if image.ndim == 3 else None
    asked = {"steps": exploration.start()["steps"], "want": ["objects", "mask", "grey"]}
    request = exploration.request({**asked, "view": view} if view else asked)
    header, arrays = unpacked(exploration.view(request, lambda: False))
    assert arrays["image"].size == np.prod(header["size"])
    assert exploration.described(request)
    assert exploration.histogram(request, 1, lambda: False)["counts"]


def test_a_reference_of_another_shape_is_refused(tmp_path):
    path = segkit.save(tmp_path / "a.tif", GREY)
    other = segkit.save(tmp_path / "b.tif", GREY[:9])
    with pytest.raises(ImageError, match="has shape"):
        explorer_of(path, reference=other)


def test_what_serves_pages_is_named_if_it_is_not_installed(monkeypatch):
    monkeypatch.setattr(opening, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"install .*starlette uvicorn"):
        opening.require_web()


def test_an_unknown_preset_names_those_there_are():
    with pytest.raises(PipelineError, match="random_walker"):
        explorer_of(GREY, preset="walker")


def test_a_pipeline_of_somebody_else_is_never_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pipeline.toml").write_text("not ours")
    path = segkit.save(tmp_path / "a.tif", GREY)
    explorer = explorer_of(path)
    plain = {"steps": explorer._exploration.start()["steps"]}
    saved = explorer._save(plain)
    assert saved["pipeline"] == "pipeline-2.toml"
    assert (tmp_path / "pipeline.toml").read_text() == "not ours"
    assert free_name(tmp_path).name == "pipeline-3.toml"
    result = Pipeline.load("pipeline-2.toml").run(path)
    assert [file.name for file in result.saved] == ["a-labels.tif"]


def test_a_pipeline_that_another_explorer_has_saved_meanwhile_stays(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    path = segkit.save(tmp_path / "a.tif", GREY)
    one, other = explorer_of(path), explorer_of(path)
    plain = {"steps": one._exploration.start()["steps"]}
    assert one._save(plain)["pipeline"] == "pipeline.toml"
    first = (tmp_path / "pipeline.toml").read_text()
    less = {"steps": plain["steps"][:1]}
    assert other._save(less)["pipeline"] == "pipeline-2.toml"
    assert other._save(less)["pipeline"] == "pipeline-2.toml"
    assert (tmp_path / "pipeline.toml").read_text() == first
    assert one._save(less)["pipeline"] == "pipeline.toml"
    (tmp_path / "pipeline-2.toml").unlink()
    own = explorer_of(path, tmp_path / "pipeline.toml")
    assert own._save(plain)["pipeline"] == str(tmp_path / "pipeline.toml")


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("view", b"[" * 100_000, b"nested too deeply"),
        ("view", b'{"channel": "a", "number": 1e999}', b"too large"),
        ("voxel", b'{"at": [1e999, 0]}', b"too large"),
        ("voxel", b'{"at": [NaN, 0]}', b"NaN"),
        ("histogram", b'{"place": 1e999}', b"too large"),
        ("new", b'{"name": ["x"]}', b"x"),
    ],
    ids=["deep", "number", "voxel", "nan", "place", "step"],
)
def test_what_cannot_be_asked_is_told(path, body, told):
    with serving(explorer_of(GREY).site(framed=True)) as served:
        origin = served.address.partition("/")[0] + "//" + served.address.split("/")[2]
        with urlopen(f"{served.address}acting") as answer:
            token = json.loads(answer.read())["token"]
        headers = {"Origin": origin, "x-token": token}
        asked = Request(f"{served.address}{path}", body, headers)
        with pytest.raises(HTTPError) as refused:
            urlopen(asked)
        with refused.value as answer:
            assert answer.code == 422
            assert told in answer.read()


def test_a_file_whose_name_begins_as_an_option_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    segkit.save("./-j.tif", GREY)
    command = explorer_of("-j.tif")._run.command()
    assert command[:4] == ["segkit", "run", "pipeline.toml", "./-j.tif"]


def test_the_newest_request_of_each_view_wins():
    newest = Newest()
    other = newest.is_stale("b", 1)
    first = newest.is_stale("a", 5)
    late = newest.is_stale("a", 3)
    assert not first()
    assert late()
    newest.is_stale("a", 6)
    assert first()
    assert not other()


def posted(address, path, body):
    with urlopen(address + "acting") as answer:
        token = json.load(answer)["token"]
    origin = "/".join(address.split("/")[:3])
    headers = {"x-token": token, "origin": origin, "content-type": "application/json"}
    request = Request(address + path, json.dumps(body).encode(), headers)
    with urlopen(request) as answer:
        return answer.read()


def test_steps_are_saved_while_others_compute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    explorer = explorer_of(segkit.save(tmp_path / "a.tif", GREY))
    steps = explorer._exploration.start()["steps"]
    goes_on = Event()
    explorer._worker.submit(goes_on.wait)
    with serving(explorer.site(framed=True), on_end=explorer.close) as served:
        try:
            assert posted(served.address, "save", {"steps": steps})
        finally:
            goes_on.set()


def test_wrong_requests_are_answered_by_sentences_and_the_page_lives_on():
    explorer = explorer_of(GREY)
    with serving(explorer.site(framed=True), on_end=explorer.close) as served:
        for path, body in [
            ("view", {"steps": [{"run": "os:system"}]}),
            ("view", {"view": [[0, 1]]}),
            ("histogram", {"place": "x"}),
            ("save", {"steps": []}),
            ("new", {"name": "no_step"}),
            ("view", []),
        ]:
            with pytest.raises(HTTPError) as found:
                posted(served.address, path, body)
            with found.value as answer:
                assert answer.code == 422
                assert json.load(answer)["error"]
        header, arrays = unpacked(posted(served.address, "view", {"steps": []}))
    assert header["size"] == [30, 40]
    assert arrays["image"].shape == (30, 40)


def test_a_fault_of_ours_is_told_as_what_it_is_and_an_end_as_an_end(monkeypatch):
    explorer = explorer_of(GREY)

    def failing(*_):
        raise RuntimeError("no convergence")

    monkeypatch.setattr(type(explorer._exploration), "voxel", failing)
    with serving(explorer.site(framed=True)) as served:
        for code, told in (500, "RuntimeError: no convergence"), (503, "has ended"):
            with pytest.raises(HTTPError) as found:
                posted(served.address, "voxel", {"at": [0, 0]})
            with found.value as answer:
                assert answer.code == code
                assert told in json.load(answer)["error"]
            explorer.close()
