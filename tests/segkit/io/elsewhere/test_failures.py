"""What goes wrong elsewhere is told in a sentence: what, which, what to do."""

import json
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

import segkit
from segkit.io import DamagedImageError, MissingExtraError, NotAnImageError
from segkit.io.elsewhere import hiring
from segkit.io.elsewhere.failures import told

VOLUME = np.arange(8 * 16 * 16, dtype=np.uint16).reshape(8, 16, 16)


@pytest.fixture
def served(web):
    """The web server, which has the volume in each format."""
    for name in ("a.precomputed", "a.n5", "a.zarr"):
        segkit.save(web.folder / name, VOLUME, axes="zyx", chunks=8)
    return web


@pytest.mark.parametrize(
    ("address", "error", "message"),
    [
        (
            "{web}/none",
            FileNotFoundError,
            "no image there, neither precomputed, nor N5",
        ),
        ("{web}/forbidden/a", PermissionError, "no permission, or nothing is there"),
        ("{web}/private/a", PermissionError, "refuses the credentials.*netrc"),
        ("{web}/broken/a", ConnectionError, "busy or fails; try again later"),
        ("http://nohost.invalid/a", FileNotFoundError, "there is no host of that name"),
        ("http://127.0.0.1:1/a", ConnectionError, "nobody answers there; look at the"),
        ("{web}/a.zarr::1", ValueError, "has no array or group '1'"),
        ("{web}/a.precomputed::1", ValueError, "has no volume '1'"),
        ("{web}/a.n5::1", ValueError, "has no N5 dataset; choose one by key="),
        ("zarr://{web}/a.n5", FileNotFoundError, "no image there"),
    ],
)
def test_a_place_that_cannot_be_read_is_told(served, address, error, message):
    address = address.format(web=served.url)
    with pytest.raises(error, match=message) as found:
        segkit.open_image(address)
    assert str(found.value).startswith(address.partition("::")[0])


def test_a_bucket_that_is_not_there_is_told(s3):
    with pytest.raises(FileNotFoundError, match="there is no such bucket"):
        segkit.open_image(s3("a.zarr").replace("s3://bucket/", "s3://other/"))
    with pytest.raises(FileNotFoundError, match="no image there"):
        segkit.open_image(s3("a.zarr"))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (
            "status code: 403 Forbidden: <Code>SignatureDoesNotMatch</Code>",
            "credentials",
        ),
        ("status code: 403 <Error><Code>InvalidAccessKeyId</Code>", "credentials"),
        ("status code: 403 <Error><Code>AccessDenied</Code>", "denied"),
        (
            "PERMISSION_DENIED: Error reading s3://a?X-Amz-Signature=1 [status=403]",
            "denied",
        ),
        ("status code: 301 <Code>PermanentRedirect</Code>", "moved"),
        ("UNKNOWN: Error reading a [http_response_code='302']", "moved"),
        ("Error reading shard: Requested byte range 0-9 is not valid", "no ranges"),
        ("Missing AccessKeyId", "credentials"),
        ("No space left on device", "full"),
        ("status code: 503 <Code>SlowDown</Code>", "busy"),
    ],
)
def test_what_services_say_is_understood(text, kind):
    assert told(RuntimeError(text))[0] == kind
    assert "Signature=" not in told(RuntimeError(text))[1]


def chunk_of(folder):
    """Return the file of a chunk."""
    return max(
        (path for path in folder.rglob("*") if path.is_file()),
        key=lambda path: path.stat().st_size,
    )


@pytest.mark.parametrize("name", ["a.precomputed", "a.n5", "a.zarr"])
def test_a_chunk_that_is_missing_is_no_black_box(served, name):
    chunk_of(served.folder / name).unlink()
    for where in (f"{served.url}/{name}", served.folder / name):
        with pytest.raises(
            DamagedImageError, match="is missing; write it again, or say"
        ):
            segkit.open_image(where).read()
        filled = segkit.open_image(where, missing="fill").read()
        assert (filled != VOLUME).sum() <= 8**3
        assert (filled == VOLUME).any()


@pytest.mark.parametrize("name", ["a.precomputed", "a.n5", "a.zarr"])
@pytest.mark.parametrize("damage", ["truncated", "replaced"])
def test_a_damaged_chunk_is_told(served, name, damage):
    chunk = chunk_of(served.folder / name)
    chunk.write_bytes(chunk.read_bytes()[:50] if damage == "truncated" else b"no chunk")
    image = segkit.open_image(f"{served.url}/{name}")
    with pytest.raises(
        DamagedImageError, match=r"a chunk of \[0:8, 0:16, 0:16\] is dam"
    ):
        image.read()


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("a.n5/s0/attributes.json", '"gzip"', '"lz5"', "is damaged or of an unknown"),
        ("a.n5/s0/attributes.json", '"uint16"', '"uint17"', "is damaged or of an unkn"),
        ("a.precomputed/info", '"raw"', '"new"', "is damaged or of an unknown kind"),
        ("a.precomputed/info", '"scales"', '"sales"', "precomputed without voxels"),
        ("a.precomputed/info", '"resolution"', '"res"', "info is damaged"),
        ("a.zarr/0/zarr.json", '"zstd"', '"lz5"', "is damaged or of an unknown kind"),
        ("a.zarr/zarr.json", "{", "", "zarr.json is damaged"),
    ],
)
def test_metadata_of_no_use_are_told(served, name, old, new, message):
    file = served.folder / name
    file.write_text(file.read_text().replace(old, new))
    for where in (served.url, served.folder):
        if "zarr" in name and where is served.folder:
            continue  # read by zarr there, which has its own words
        with pytest.raises((DamagedImageError, NotAnImageError), match=message):
            segkit.open_image(f"{where}/{name.partition('/')[0]}")


@pytest.mark.parametrize("name", ["a.precomputed", "a.n5", "a.zarr", "a.zarr/0"])
def test_pages_shown_for_what_is_not_there_are_no_metadata(served, name):
    """Web servers of applications answer every address with one."""
    whole = name.partition("/")[0]
    shutil.copytree(served.folder / whole, served.folder / "pages" / whole)
    assert (segkit.open_image(f"{served.url}/pages/{name}").read() == VOLUME).all()
    with pytest.raises(FileNotFoundError, match="no image there"):
        segkit.open_image(f"{served.url}/pages/none")


def test_an_info_of_nothing_but_brackets_is_no_image(served):
    (served.folder / "deep").mkdir()
    (served.folder / "deep" / "info").write_text("[" * 100_000)
    with pytest.raises(FileNotFoundError, match="no image there"):
        segkit.open_image(f"{served.url}/deep")
    with pytest.raises(NotAnImageError, match="is not an image"):
        segkit.open_image(served.folder / "deep")


def test_a_box_outside_is_refused(served):
    image = segkit.open_image(f"{served.url}/a.n5")
    with pytest.raises(ValueError, match="reaches beyond shape"):
        image.read(segkit.Box((0, 0, 0), (9, 16, 16)))
    assert image.read((slice(7, 99), 3)).shape == (1, 16)
    assert image.read((slice(3, 3),)).shape == (0, 16, 16)


@pytest.mark.parametrize("length", [10**5, 10**12])
def test_more_voxels_than_any_memory_has_are_refused(served, length):
    """Before any are read, as shared memory is promised without an end."""
    file = served.folder / "a.n5/s0/attributes.json"
    known = json.loads(file.read_text())
    file.write_text(json.dumps({**known, "dimensions": [length] * 3}))
    for where in (f"{served.url}/a.n5", served.folder / "a.n5"):
        image = segkit.open_image(where, missing="fill")
        opened = len(list(Path("/dev/fd").iterdir()))
        with pytest.raises(MemoryError, match="does not fit into memory; read smaller"):
            image.read()
        assert len(list(Path("/dev/fd").iterdir())) == opened
        assert (image.read((slice(0, 8),) * 3) == VOLUME[:8, :8, :8]).all()


def test_an_image_that_was_replaced_is_not_mixed(served):
    image = segkit.open_image(served.folder / "a.n5")
    assert (image.read() == VOLUME).all()
    segkit.save(served.folder / "a.n5", VOLUME[:4], chunks=8, overwrite=True)
    with pytest.raises(DamagedImageError, match="is another array since it was opened"):
        image.read()
    assert (segkit.open_image(served.folder / "a.n5").read() == VOLUME[:4]).all()


def test_a_password_comes_from_netrc(served, tmp_path, monkeypatch):
    (served.folder / "private").mkdir()
    shutil.move(served.folder / "a.n5", served.folder / "private" / "a.n5")
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    image = segkit.open_image(f"{served.url}/private/a.n5")
    assert (image.read() == VOLUME).all()
    assert "secret" not in repr(image)


def test_without_the_libraries_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(
        "segkit.io.elsewhere.place.find_spec", lambda name: name == "obstore" or None
    )
    for where in ("s3://lab/a.zarr", tmp_path / "a.n5"):
        with pytest.raises(
            MissingExtraError, match="needs the extra `volumes`, of whi"
        ):
            segkit.save(where, VOLUME)
    with pytest.raises(MissingExtraError, match="tensorstore is not installed; instal"):
        segkit.open_image("https://lab.org/a.zarr")


@pytest.mark.parametrize("option", [{"series": 3}, {"well": "A/1"}], ids=repr)
def test_what_a_volume_does_not_have_is_not_passed_over(served, option):
    with pytest.raises(ValueError, match=r"N5 has no (series|well); leave"):
        segkit.open_image(f"{served.url}/a.n5", **option)


def test_a_fetcher_that_was_killed_is_started_again(served):
    image = segkit.open_image(f"{served.url}/a.n5")
    first = hiring.ask("pid")[1]
    os.kill(first, signal.SIGKILL)
    assert (image.read() == VOLUME).all()
    assert hiring.ask("pid")[1] != first


@pytest.mark.parametrize("compression", ["raw", "gzip"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_block_of_n5_that_is_shorter_than_it_must_be_is_told(
    tmp_path, compression, axis
):
    """tensorstore reads what it lacks as zeros."""
    tensorstore = pytest.importorskip("tensorstore")
    kept = tuple(slice(0, 5 if k == axis else 8) for k in range(3))
    whole, short = tmp_path / "whole.n5", tmp_path / "short.n5"
    for path, shape in ((whole, (8, 8, 8)), (short, VOLUME[kept].shape)):
        voxels = np.full(shape, 7, np.uint16)
        segkit.save(path, voxels, axes="zyx", chunks=shape, compression=compression)
    shutil.copy(short / "s0" / "0" / "0" / "0", whole / "s0" / "0" / "0" / "0")
    spec = {"driver": "n5", "kvstore": f"file://{whole / 's0'}/"}
    assert (tensorstore.open(spec).result().read().result() == 0).any()

    image = segkit.open_image(whole)
    assert (image.read(kept) == 7).all()
    with pytest.raises(DamagedImageError, match=r"0/0/0 holds 5 voxels .* 8 are read"):
        image.read()
    assert (segkit.open_image(whole, missing="fill").read() == 0).any()


def test_a_block_of_n5_of_zeros_and_one_cut_at_the_border_are_read(tmp_path):
    voxels = np.zeros((5, 11, 9), np.uint8)
    voxels[0, 0, 0] = 1
    path = segkit.save(tmp_path / "a.n5", voxels, axes="zyx", chunks=4)
    np.testing.assert_array_equal(segkit.open_image(path).read(), voxels)
