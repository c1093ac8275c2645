"""Workers of one machine ask together, and nobody is told less than if he had asked."""

from __future__ import annotations

import os
import threading
import time

import pytest

from backends.bucket import hiring, sharing
from backends.bucket.address import parse_address
from backends.bucket.bucket_log import BucketLog
from backends.bucket.client import Client
from backends.bucket.sharing import EXISTS, Shared
from backends.store import JournalStore
from backends.testing.deeds import A, B, key, publish


class Service:
    """Objects by name; requests wait for as long as they are held back."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.open = threading.Event()
        self.open.set()
        self.at_work = threading.Semaphore(0)

    def make(self, what, how):
        name = how[0]
        self.asked.append(what)
        found = self.objects.get(name, b"")
        listed = sorted(at for at in self.objects if at.startswith(name))
        self.at_work.release()
        self.open.wait()
        if what == "list":
            return "ok", listed
        if what == "put":
            if how[2] and name in self.objects:
                return "exists", "412"
            self.objects[name] = how[1]
            return "ok", self.mark(name)
        if what == "delete":
            del self.objects[name]
            return "ok", None
        if name not in self.objects:
            return "missing", "404"
        if what == "head":
            return "ok", (len(found), self.mark(name), 1.0)
        data = self.objects[name]
        return "ok", (data[: how[1]], len(data), self.mark(name))

    def mark(self, name: str) -> str:
        return str(hash(self.objects[name]))


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shared(service, clock) -> Shared:
    return Shared(service.make, clock)


def in_threads(shared, *requests):
    """Begin requests; return what gives their answers when they have ended."""
    answers = [None] * len(requests)

    def ask(at):
        answers[at] = shared.answer(*requests[at])

    threads = [threading.Thread(target=ask, args=(at,)) for at in range(len(requests))]
    for thread in threads:
        thread.start()

    def ended():
        for thread in threads:
            thread.join(20)
        return answers

    return ended


LIST = ("list", "log/", "", 9, 0.0)


def test_a_look_that_had_begun_is_not_for_who_asks_later(shared, service, clock):
    service.open.clear()
    first = in_threads(shared, LIST)
    service.at_work.acquire(timeout=20)  # it has looked, and is on its way back
    service.objects["log/1"] = b"new"
    clock.now += 0.01
    later = in_threads(shared, LIST, LIST, LIST)
    time.sleep(0.1)
    service.open.set()

    assert first() == [("ok", [])]
    assert later() == [("ok", ["log/1"])] * 3
    assert len(service.asked) <= 4


def test_all_who_ask_while_a_look_is_under_way_have_the_next_one_together(
    shared, service, clock
):
    service.open.clear()
    first = in_threads(shared, LIST)
    service.at_work.acquire(timeout=20)
    clock.now += 0.01
    others = in_threads(shared, *[LIST] * 9)
    end = time.monotonic() + 20
    while threading.active_count() < 11 and time.monotonic() < end:
        time.sleep(0.001)
    time.sleep(0.2)  # all of them wait now
    service.open.set()
    first(), others()
    assert service.asked == ["list", "list"]


def test_an_older_look_is_for_who_says_so(shared, service, clock):
    old = ("list", "workers", "", 9, 2.0)
    assert shared.answer(*old) == ("ok", [])
    service.objects["workers/anna"] = b""
    clock.now += 1.9
    assert shared.answer(*old) == ("ok", [])
    assert shared.answer("list", "workers", "", 9, 0.0) == ("ok", ["workers/anna"])
    clock.now += 0.2
    assert shared.answer(*old) == ("ok", ["workers/anna"])


def test_of_two_who_append_at_once_one_asks_and_the_other_knows(shared, service, clock):
    service.open.clear()
    both = in_threads(shared, ("append", "log/1", b"a"), ("append", "log/1", b"b"))
    service.at_work.acquire(timeout=20)
    time.sleep(0.1)
    service.open.set()
    kinds = sorted(kind for kind, _ in both())

    assert kinds == ["exists", "ok"]
    assert service.asked == ["put"]
    _, (data, size, mark) = shared.answer("get", "log/1", 64, "")
    assert data == service.objects["log/1"]
    assert shared.answer("get", "log/1", None, mark)[1] == (data, size, mark)
    assert service.asked == ["put"]


def test_what_another_machine_wrote_over_is_not_known_for_long(shared, service, clock):
    service.objects["heads/1"] = b"old"
    assert shared.answer("get", "heads/1", None, "")[1][0] == b"old"
    service.objects["heads/1"] = b"new"
    clock.now += 5
    assert shared.answer("get", "heads/1", None, "")[1][0] == b"new"


def test_two_who_read_an_object_at_once_take_room_for_it_once(service, monkeypatch):
    monkeypatch.setattr(sharing, "_ROOM", 2 * 64)
    names = ["log/1", "log/2"]
    service.objects |= dict.fromkeys(names, b"x" * 64)
    mark = service.mark("log/1")
    at_once = threading.Barrier(2, timeout=20)

    def clock():
        if threading.current_thread() is not threading.main_thread():
            at_once.wait()
        return 100.0

    shared = Shared(service.make, clock)
    in_threads(shared, *[("get", "log/1", most, mark) for most in (None, 64)])()
    for name in [*names, *names]:
        shared.answer("get", name, None, mark)
    assert service.asked == ["get"] * 3


def test_who_waits_for_what_another_appended_knows_at_once(shared, service):
    assert shared.answer("head", "log/1", 0.5)[0] == "missing"
    shared.answer("append", "log/1", b"a")
    assert shared.answer("head", "log/1", 0.5)[0] == "ok"
    assert service.asked == ["head", "put"]


@pytest.mark.parametrize(
    "ask", [("head", "heads/1", 0.5), ("get", "heads/1", None, "")]
)
def test_what_was_not_there_is_not_asked_for_by_each(shared, service, clock, ask):
    for _ in range(3):
        assert shared.answer(*ask)[0] == "missing"
    assert len(service.asked) == 1
    service.objects["heads/1"] = b"x"
    clock.now += 0.6
    assert shared.answer(*ask)[0] == "ok"


def test_what_was_refused_elsewhere_is_read_once_for_all(shared, service):
    service.objects["log/1"] = b"of another machine"
    for _ in range(3):
        assert shared.answer("append", "log/1", b"a")[0] == "exists"
        assert shared.answer("get", "log/1", 64, "")[1][0] == b"of another machine"
    assert service.asked == ["put", "get"]


def test_an_append_is_tried_again_where_nothing_was_put(shared, service, clock):
    fails = [("busy", "503")]
    make = service.make
    service_then = Shared(lambda *words: fails.pop() if fails else make(*words), clock)
    assert service_then.answer("append", "log/1", b"a") == ("busy", "503")
    assert service_then.answer("append", "log/1", b"a")[0] == "ok"


def test_many_who_append_wait_for_a_silent_service_once(clock):
    """One after another, sixteen workers would wait for as many times its patience."""
    asked, open_ = [], threading.Event()

    def make(what, how):
        asked.append(what)
        open_.wait()
        clock.now += 100
        return "unreachable", "no answer"

    shared = Shared(make, clock)
    first = in_threads(shared, ("append", "log/1", b"x"))
    while not asked:
        time.sleep(0.001)
    clock.now += 1
    rest = in_threads(shared, *[("append", "log/1", b"y")] * 15)
    time.sleep(0.3)  # all of them wait now
    open_.set()

    assert first() + rest() == [("unreachable", "no answer")] * 16
    assert asked == ["put"]
    assert shared.answer("append", "log/1", b"z")[0] == "unreachable"
    assert asked == ["put", "put"]  # who comes now asks


def test_who_came_when_a_silent_service_was_nearly_given_up_asks_himself(clock):
    asked, open_ = [], threading.Event()

    def make(what, how):
        asked.append(what)
        open_.wait()
        return ("busy", "503") if len(asked) == 1 else ("ok", "mark")

    shared = Shared(make, clock)
    first = in_threads(shared, ("append", "log/1", b"x"))
    while not asked:
        time.sleep(0.001)
    clock.now += 90
    late = in_threads(shared, ("append", "log/1", b"y"))
    time.sleep(0.2)
    clock.now += 10
    open_.set()

    assert first() == [("busy", "503")]
    assert late() == [("ok", "mark")]


def test_what_was_taken_back_can_be_put_anew(shared, service, clock):
    shared.answer("append", "log/1", b"a")
    shared.answer("delete", "log/1")
    assert shared.answer("append", "log/1", b"b")[0] == "ok"
    del service.objects["log/1"]  # by the machine that had put it
    assert shared.answer("append", "log/1", b"c") == EXISTS
    clock.now += 2.1
    assert shared.answer("append", "log/1", b"c")[0] == "ok"


def test_what_has_another_mark_now_is_read_again(shared, service):
    shared.answer("append", "log/1", b"a")
    service.objects["log/1"] = b"void"
    mark = service.mark("log/1")
    assert shared.answer("get", "log/1", 64, mark)[1][0] == b"void"
    assert shared.answer("get", "log/1", 64, None)[1][0] == b"void"


def test_what_is_written_over_is_known_no_more(shared, service):
    shared.answer("append", "log/1", b"a")
    shared.answer("put", "log/1", b"void", False)
    assert shared.answer("get", "log/1", 64, "")[1][0] == b"void"


def test_of_large_objects_no_more_than_the_start_is_kept(shared, service):
    service.objects["log/1"] = bytes(1 << 20)
    mark = service.mark("log/1")
    for limit, asked in ((1 << 16, 1), (1 << 16, 1), (None, 2), (1 << 10, 2)):
        _, (data, size, _) = shared.answer("get", "log/1", limit, mark)
        assert (len(data), size) == (limit or 1 << 20, 1 << 20)
        assert len(service.asked) == asked


def test_only_segments_are_refused_without_a_request(shared, service):
    """By the format that is written twice a service shows what it is."""
    for _ in range(2):
        shared.answer("put", "format.json", b"x", True)
    assert service.asked == ["put", "put"]


# with a real service


def test_many_who_append_by_one_courier_lose_nothing(server, bucket, monkeypatch):
    monkeypatch.setattr(hiring, "_agency", hiring._Agency())
    url = server.url("some/store", bucket=bucket)

    def opened(name):
        return JournalStore(BucketLog(Client(parse_address(url))), name)

    stores = [opened(f"w{n}") for n in range(4)]
    publish(stores[0], A)

    def claim(store, at):
        for number in range(2):
            claimed = store.claim([key(100 + 10 * at + number)])
            assert claimed.keys

    threads = [
        threading.Thread(target=claim, args=(store, at))
        for at, store in enumerate(stores)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    late = opened("late")
    late.poll()
    assert len(late.holders()) == 8
    for store in stores:
        store.poll()
        assert store.holders() == late.holders()


def test_a_fork_asks_by_the_courier_of_its_parent(url, monkeypatch):
    monkeypatch.setattr(hiring, "_agency", hiring._Agency())
    store = JournalStore(BucketLog(Client(parse_address(url))), "anna")
    publish(store, A)
    monkeypatch.setattr(hiring._Agency, "_hire", lambda _: os._exit(3))
    child = os.fork()
    if not child:
        try:
            publish(store, B, since=9)
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    store.poll()
    assert set(store.keys()) == {A, B}
