"""What can be wrong with a bucket, or with what is said of it: a sentence for each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import util

import pytest

from backends.bucket import hiring
from backends.bucket.address import parse_address
from backends.bucket.client import Client
from backends.bucket.layout import KIND, original, plain
from backends.errors import (
    FormatError,
    NoStoreError,
    OpenError,
    UnavailableError,
)
from backends.filesystem.format import describe_format
from backends.opening import open_backend
from backends.store import JournalStore
from backends.testing.deeds import A, publish

from .meddler import refusal
from .servers import free_port


def _run(code, *arguments, **how):
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, **how)


# URLs


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("s3://", "no bucket's name"),
        ("s3:bucket/x", "no bucket's name"),
        ("s3:///x", "no bucket's name"),
        ("s3://a b/x", "no bucket's name"),
        ("s3://bucket/a//b", "a prefix is made of"),
        ("s3://bucket/../b", "a prefix is made of"),
        ("s3://bucket/a%2Fb", "a prefix is made of"),
        ("s3://bucket/a?regoin=x", "no setting 'regoin'.*endpoint, region"),
        ("gs://bucket/a?region=x", "no setting 'region'"),
        ("s3://bucket/a?allow_http=yes", "true or false"),
        ("s3://[bucket/a", "makes no sense"),
        ("s3://bucket/a?endpoint=nonsense", "no service is at 'nonsense'"),
        ("s3://bucket/a?endpoint=http://host:9000-2", "no service is at"),
        ("s3://bucket/a?endpoint=http://host:0", "no service is at"),
        ("az://bucket/a?endpoint=http://", "no service is at"),
        ("gs://bucket/a?endpoint=ftp://host", "no service is at"),
    ],
)
def test_a_url_of_no_bucket_is_refused(url, sentence):
    with pytest.raises(OpenError, match=sentence):
        open_backend(url)


@pytest.mark.parametrize(
    "url",
    [
        "s3://me:hunter2@bucket/x",
        "s3://bucket/x?secret_access_key=hunter2",
        "s3://bucket/x?aws_session_token=hunter2",
        "az://bucket/x?sas_key=hunter2",
        "az://bucket/x?account_key=hunter2",
        "gs://bucket/x?service_account_key=hunter2",
        "s3://bucket/x?endpoint=https://me:hunter2@host",
        "az://bucket/x?endpoint=https://host/%3Fsig=hunter2",
    ],
)
def test_a_secret_in_a_url_is_refused_and_not_repeated(url):
    with pytest.raises(OpenError, match="no secret belongs into a URL") as refusal:
        open_backend(url)
    assert "hunter2" not in str(refusal.value)


def test_a_url_names_the_same_store_however_it_is_written():
    one, other = (
        parse_address(f"s3://bucket/a{end}").url
        for end in ("?region=x&allow_http=true", "/?allow_http=true&region=x")
    )
    assert one == other == parse_address(one).url


@pytest.mark.parametrize("name", ["a.py", "..", "ü/ß", "a\udcffb", "=2E", "a b%", ""])
def test_every_name_has_an_object_of_its_own(name):
    assert original(plain(name)) == name
    assert set(plain(name)) <= {*"=-_", *map(chr, range(48, 123))}


# what is there, or is not


def test_without_the_package_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setattr("backends.bucket.client.find_spec", lambda name: None)
    with pytest.raises(OpenError, match=r"pip --python \S+ install 'obstore>=0.12'"):
        open_backend("s3://bucket/x")


def test_nothing_of_it_is_imported_for_other_stores():
    code = (
        "import sys; from backends.opening import open_backend; "
        "open_backend('memory://').claim([b'k' * 20]); "
        "print([n for n in sys.modules if 'bucket' in n or 'obstore' in n])"
    )
    done = _run(code)
    assert done.stdout == "[]\n"
    assert util.find_spec("obstore") is not None


def test_a_bucket_that_is_not_there(server):
    with pytest.raises(OpenError, match=r"there is no bucket s3://nobody at http"):
        open_backend(server.url("x", bucket="nobody"))


def test_an_endpoint_of_the_environment_that_makes_no_sense(server, monkeypatch):
    """The library ends a thread by that; the others go on, and it is told."""
    monkeypatch.setattr(hiring, "_agency", hiring._Agency())
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://host:9000-2")
    bucket = server.url("x").partition("?")[0]
    for _ in range(2):
        with pytest.raises(UnavailableError, match="answers PanicException"):
            Client(parse_address(bucket), patience=5.0).get("x")


def test_an_endpoint_that_nobody_listens_at(server):
    url = server.url("x", port=free_port())
    with pytest.raises(UnavailableError, match="cannot be reached") as failure:
        Client(parse_address(url), patience=5.0).get("x")
    assert "http://127.0.0.1" in str(failure.value)


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (refusal("403 Forbidden", "AccessDenied"), "may not.*403 AccessDenied"),
        (refusal("400 Bad Request", "ExpiredToken"), "expired; set AWS_ACCESS"),
        (refusal("403 Forbidden", "InvalidAccessKeyId"), "missing, wrong or exp"),
        (refusal("403 Forbidden", "SignatureDoesNotMatch"), "missing, wrong or exp"),
        (refusal("400 Bad Request", "AuthorizationHeaderMalformed"), "region=NAME"),
        (refusal("418 I am a teapot", "Teapot"), "answers 418 Teapot"),
    ],
)
def test_what_a_service_refuses_is_told(
    open_bucket, server, bucket, meddler, reply, sentence
):
    url = server.url("some/store", bucket=bucket, port=meddler.port)
    store = JournalStore(open_bucket(url), "anna")
    publish(store, A)
    meddler.answer(b"HTTP/1.1", reply, 99)
    for deed in (store.poll, lambda: store.documents.put("d", b"")):
        wrong_url = OpenError if "region=" in sentence else UnavailableError
        with pytest.raises(wrong_url, match=sentence) as failure:
            deed()
        assert "something" not in str(failure.value)  # the secret of the tests


def test_without_credentials_it_is_said_where_they_are_looked_for(server, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    code = (
        "import sys; from backends.opening import open_backend\n"
        "try: open_backend(sys.argv[1])\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    environment = os.environ | {"AWS_METADATA_ENDPOINT": "http://127.0.0.1:9"}
    done = _run(code, server.url("x"), env=environment)
    assert "UnavailableError" in done.stdout
    assert "AWS_ACCESS_KEY_ID" in done.stdout


def test_no_store_is_made_where_none_is_asked_for(open_bucket):
    with pytest.raises(NoStoreError, match="`tg execute` makes one"):
        open_bucket(create=False)
    open_bucket().make()
    open_bucket(create=False)


def test_whoever_only_looks_leaves_nothing(open_bucket):
    log = open_bucket()
    JournalStore(log, "anna").poll()
    assert log.client.listed("") == []


def test_a_prefix_with_other_objects_is_left_alone(open_bucket, url):
    Client(parse_address(url)).put("thesis.tex", b"chapter 1")
    with pytest.raises(OpenError, match="holds other objects and no store"):
        open_bucket()


def test_a_store_inside_of_another_one_is_refused(open_bucket, server, bucket):
    open_bucket(server.url("lab/results", bucket=bucket)).make()
    with pytest.raises(
        OpenError, match=r"is inside of the store s3://bucket-\d+/lab/results"
    ):
        open_bucket(server.url("lab/results/mine", bucket=bucket))
    with pytest.raises(OpenError, match="holds other objects"):
        open_bucket(server.url("lab", bucket=bucket))
    open_bucket(server.url("lab/other", bucket=bucket)).make()


@pytest.mark.parametrize("version", [1, 99])
def test_a_store_of_another_version_is_refused(open_bucket, url, version):
    about = {"format": KIND, "version": version, "block": 6}
    Client(parse_address(url)).put("format.json", json.dumps(about).encode())
    with pytest.raises(FormatError, match=f"has format {version}"):
        open_bucket()


def test_a_directory_that_was_copied_to_a_bucket_is_no_store_there(open_bucket, url):
    Client(parse_address(url)).put("format.json", describe_format(1000))
    with pytest.raises(FormatError, match="is not a taskgraph store"):
        open_bucket()


def test_a_store_that_is_removed_under_a_worker_ends_in_a_sentence(open_bucket):
    log = open_bucket()
    store = JournalStore(log, "anna")
    publish(store, A)
    log.client.delete([found.name for found in log.client.listed("")])
    with pytest.raises(Exception, match="start again"):
        store.poll()


def test_a_store_whose_format_was_removed_is_described_anew(open_bucket, url):
    publish(JournalStore(open_bucket(), "anna"), A)
    Client(parse_address(url)).delete(["format.json"])

    again = JournalStore(open_bucket(), "bert")
    again.poll()
    assert set(again.keys()) == {A}
    later = open_backend(url, create=False)
    later.poll()
    assert set(later.keys()) == {A}
