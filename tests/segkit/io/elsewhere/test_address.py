"""An address says where a volume is, and no secret."""

import pickle
from pathlib import Path

import numpy as np
import pytest

import segkit
from segkit.io import ImageRequestError
from segkit.io.elsewhere.address import is_address, local_path, parse_address

SETTINGS = "region=eu-west-1&endpoint=http://127.0.0.1:9000"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("s3://lab/a/b.zarr", ("", "s3", "lab", "a/b.zarr", "")),
        ("gs://lab/b/", ("", "gs", "lab", "b", "")),
        ("precomputed://gs://lab/b", ("precomputed", "gs", "lab", "b", "")),
        ("zarr3://s3://lab/b", ("zarr", "s3", "lab", "b", "")),
        ("n5://https://h:81/b::raw/s0", ("n5", "https", "h:81", "b", "raw/s0")),
        ("http://[::1]:80/b::raw", ("", "http", "[::1]:80", "b", "raw")),
        ("https://h/a%20b", ("", "https", "h", "a b", "")),
        (f"s3://lab/b?{SETTINGS}::k", ("", "s3", "lab", "b", "k")),
    ],
)
def test_an_address_is_taken_apart_and_told_again(text, parts):
    found = parse_address(text)
    assert parts == (found.format, found.scheme, found.host, found.path, found.key)
    assert pickle.loads(pickle.dumps(found)) == found
    if "%" not in text:  # it is shown as it is called
        assert parse_address(str(found)) == found
    # What became a path on the way still means the same.
    assert parse_address(Path(text)) == found


@pytest.mark.parametrize("text", ["a.zarr", "/data/a", "c:/a", "s3", "a:b/c", "s3:a"])
def test_files_are_no_addresses(text):
    assert not is_address(text)
    assert local_path(text) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("https://me:geheim@h/a", "h/a: no password belongs .* ~/.netrc"),
        ("s3://geheim@lab/a", "lab/a: no password .* AWS_ACCESS_KEY_ID"),
        ("s3://lab/a?secret_access_key=geheim", "sets what cannot be set"),
        ("s3://lab/a?endpoint=http://me:geheim@h", "no password belongs"),
        ("https://h/a?X-Amz-Signature=geheim", "a query in an address may be a secret"),
        ("gs://lab/a?region=geheim", "may stand skip_signature, and credentials"),
        ("s3://lab/a?allow_http=geheim", "allow_http is true or false"),
        ("s3://lab/a?endpoint=h", "no service is at 'h'; write endpoint=https://host"),
        ("s3://?/a", "is no bucket's name"),
        ("s3://lab/a#b.zarr", "no '#' can stand in an address"),
        ("s3://lab/a/../b", "has '.', '..' or"),
        ("https://", "names no host"),
        ("http://h:port/a", "makes no sense"),
        ("az://lab/a", "there are no volumes at az://; an address begins with s3"),
        ("ftp://me:geheim@h/a", "there are no volumes at ftp://"),
    ],
)
def test_what_makes_no_sense_is_told_without_secrets(text, message, tmp_path):
    for use in (
        segkit.open_image,
        lambda path: segkit.create_image(path, (2, 2), "u1"),
    ):
        with pytest.raises(ImageRequestError, match=message) as found:
            use(text)
        said = f"{found.value} {found.value.__cause__} {found.value.__context__}"
        assert "geheim" not in said or "allow_http=" in text


@pytest.mark.parametrize("scheme", ["az", "azure", "abfs", "abfss", "wasb", "wasbs"])
def test_azure_is_refused_with_a_way_out(scheme):
    told = "no volumes at .*Of Azure, .*https://ACCOUNT.blob.core.windows.net/.*azcopy"
    for before in ("", "precomputed://", "zarr://"):
        with pytest.raises(ImageRequestError, match=told):
            segkit.open_image(f"{before}{scheme}://lab/brain.zarr")
    with pytest.raises(ImageRequestError, match=told):
        segkit.save(f"{scheme}://lab/brain.zarr", np.zeros((4, 4), np.uint8))
