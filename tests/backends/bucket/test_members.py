"""Looks at workers are few, and nobody is taken for dead because of that."""

from __future__ import annotations


def test_who_joins_after_a_look_is_no_less_alive_for_it(open_bucket):
    log, other = open_bucket(fresh=60.0), open_bucket()
    other.members.beat("anna", {"host": "h"})
    assert log.members.names() == {"anna"}
    other.members.beat("bert", {"host": "h"})

    assert {x.worker for x in log.members.some(["anna", "bert"])} == {"anna", "bert"}


def test_looks_that_follow_each_other_are_one_request(open_bucket):
    log = open_bucket(fresh=60.0)
    log.members.beat("anna", {"host": "h"})
    before = log.client.requests.get("list", 0)
    for _ in range(5):
        assert log.members.names() == {"anna"}
        assert [x.identity for x in log.members.some(["anna"])] == [{"host": "h"}]

    assert log.client.requests["list"] == before + 1


def test_a_worker_may_say_much_of_itself(open_bucket):
    about = {
        "host": "h" * 60,
        "devices": [f"02:fc:00:00:00:{n:02x}" for n in range(32)],
    }
    open_bucket().members.beat("a" * 150, about)
    (found,) = open_bucket().members.all()

    assert (found.worker, found.identity) == ("a" * 150, about)
