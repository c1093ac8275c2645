"""URLs say what they say, whatever is in a password, and show nothing of it."""

import re
from contextlib import suppress
from dataclasses import replace
from urllib.parse import quote

import pytest
from hypothesis import given, strategies as st

from backends import OpenError
from backends.opening import open_backend
from backends.redis.address import parse_address
from backends.testing.deeds import A, publish
from backends.urls import without_password

secrets = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=6, max_size=20
)
words = st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True)
options = st.dictionaries(
    st.sampled_from(["store", "socket_timeout", "client_name"]), words, max_size=3
)


def quoted(text):
    return quote(text, safe="")


@given(
    scheme=st.sampled_from(["redis", "rediss", "redis+cluster", "rediss+cluster"]),
    user=st.one_of(st.just(""), words),
    password=secrets,
    host=st.sampled_from(["host", "10.0.0.1", "[::1]", "[fe80::1]:7000", "a:1"]),
    options=options,
    where=st.sampled_from(["in front", "behind"]),
)
def test_a_password_of_any_letters_is_read_and_not_shown(
    scheme, user, password, host, options, where
):
    more = dict(options)
    begin = f"{user}:{quoted(password)}@"
    if where == "behind":
        more["password"] = password
        begin = f"{user}@" if user else ""
    query = "&".join(f"{key}={quoted(value)}" for key, value in more.items())
    address = parse_address(f"{scheme}://{begin}{host}?{query}")

    assert address.password == password
    assert address.user == user
    assert quoted(password) not in address.url
    assert password not in repr(address)
    again = parse_address(address.url)
    assert replace(again, password=password) == address
    assert again.password == ""


@given(secrets, st.sampled_from(["redis://{}@h", "redis://u:{}@h/1", "s:{}@x?y"]))
def test_what_is_no_url_of_ours_shows_no_password_either(password, url):
    wrong = url.format(password)
    shown = without_password(wrong)
    assert f":{password}@" not in shown
    with suppress(OpenError, KeyError):  # of another scheme
        assert f":{password}@" not in parse_address(wrong).url


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://h?store=a&store=b", "it says store twice"),
        ("redis://h?store=.hidden", "is no name for a store"),
        ("redis://h?blobs=here", "blobs=here is no whole path"),
        ("redis://h?patience=-1", "no number of seconds"),
        ("redis://h/-1", "no number of a database"),
        ("redis://h:0", "host or port"),
        ("redis://h:1:2", "host or port"),
        ("redis://[::1", "host or port"),
        ("redis://a,b", "several hosts"),
        ("unix://run/socket", "not whole"),
        ("redis+sentinel://h", "names no service"),
        ("redis+cluster://h/1", "database 0 only"),
    ],
)
def test_what_makes_no_sense_is_said(url, said):
    scheme = re.escape(url.partition(":")[0])
    with pytest.raises(OpenError, match=f"{said}.*; write {scheme}://"):
        open_backend(url)


def test_ways_to_one_server_find_the_same_store(server, store):
    tcp = f"127.0.0.1:{server.port}"
    urls = [
        f"redis://{tcp}?store={store}",
        f"redis://{tcp}/0?store={store}&socket_timeout=5",
        f"valkey://{tcp}?store={store}",
        f"REDIS://{tcp}/?store={store}",
        f"unix://{server.socket}?store={store}",
        f"unix://{server.socket}?db=0&store={store}",
    ]
    publish(open_backend(urls[0]), A)
    for url in urls:
        backend = open_backend(url, create=False)
        backend.poll()
        assert backend.find(A) is not None
    other = open_backend(f"redis://{tcp}/1?store={store}")
    assert other.poll() == []
