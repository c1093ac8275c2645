"""What processes share is never given away twice, whoever is interrupted where."""

from __future__ import annotations

import itertools
import threading
from math import inf
from types import SimpleNamespace

import pytest
from hypothesis import given, strategies as st

from taskgraph.execution.choosing import pool as module
from taskgraph.execution.choosing.pool import PATIENCE, Pool
from taskgraph.resources import Resources

ASKS = [Resources.of(x) for x in ("gpu=1", "gpu=2", "mem=3G", "gpu=1,mem=2G", "gpu=3")]
OFFERED = Resources.of("gpu=3,mem=4G")


class Turns:
    """Threads of which one runs at a time, and another one when it lets go."""

    def __init__(self, order) -> None:
        self.order = order
        self.ended = []
        self.wake = {}
        self.main = threading.Semaphore(0)

    def run(self, *deeds) -> None:
        for number, deed in enumerate(deeds):
            self.wake[number] = threading.Semaphore(0)
            thread = threading.Thread(
                target=self._whole, args=(number, deed), daemon=True
            )
            thread.name = str(number)
            thread.start()
        while alive := sorted(self.wake.keys() - set(self.ended)):
            self.wake[alive[self.order(len(alive))]].release()
            self.main.acquire()

    def _whole(self, number, deed) -> None:
        self.wake[number].acquire()
        try:
            deed()
        finally:
            self.ended.append(number)
            self.main.release()

    def let_go(self, _seconds=None) -> None:
        if (number := int(threading.current_thread().name)) in self.wake:
            self.main.release()
            self.wake[number].acquire()


def total_of(asks):
    """Return how much of each resource some ask for together."""
    found = {}
    for asked in asks:
        for amount in asked.amounts:
            found[amount.name] = found.get(amount.name, 0) + amount.value
    return found


def interleaved(monkeypatch, order, wanted, dies=()):
    """Let processes take and give back in some order; return what went wrong."""
    turns, uses, wrong, granted = Turns(order), {}, [], []
    there = {x.name: x.value for x in OFFERED.amounts}
    monkeypatch.setattr(module.os, "sched_yield", turns.let_go)
    fake = SimpleNamespace(sleep=turns.let_go, monotonic=lambda: 0.0)
    monkeypatch.setattr(module, "time", fake)
    pool = Pool(OFFERED, len(wanted), clock=lambda: 0.0)
    shares = [pool.share() for _ in wanted]

    def deed(place):
        share = shares[place]
        for asked in wanted[place]:
            if share.take(asked):
                granted.append(asked)
                uses[place] = asked
                used = total_of(uses.values())
                wrong.extend(x for x in used if used[x] > there[x])
                turns.let_go()
                del uses[place]
                if place in dies:  # with all that it has
                    share.close()
                    shares[place] = share = pool.share()
                else:
                    share.give_back()

    turns.run(*(lambda place=place: deed(place) for place in range(len(wanted))))
    return wrong, granted


@given(
    st.lists(
        st.lists(st.sampled_from(ASKS), min_size=1, max_size=4), min_size=2, max_size=4
    ),
    st.sets(st.integers(0, 3)),
    st.lists(st.integers(0, 3), max_size=60),
)
def test_never_more_is_used_than_there_is_in_any_order(wanted, dies, order):
    order = [*order, *range(4)]
    places = itertools.cycle(order)
    with pytest.MonkeyPatch.context() as patch:
        wrong, granted = interleaved(
            patch, lambda count: next(places) % count, wanted, dies
        )
    assert not wrong
    assert granted


def test_one_of_several_who_try_at_once_gets_it():
    for order in range(3):
        with pytest.MonkeyPatch.context() as patch:
            steps = iter(range(10_000))
            wrong, granted = interleaved(
                patch,
                lambda count, steps=steps, order=order: (next(steps) + order) % count,
                [[Resources.of("gpu=3")]] * 3,
            )
        assert not wrong
        assert granted


def test_the_naive_way_gives_it_away_twice(monkeypatch):
    def naive(share, wanted):
        fits = all(
            have + more <= there
            for have, more, there in zip(
                share._used(), wanted, share._there, strict=True
            )
        )
        module.os.sched_yield()
        share._row[2:] = memoryview(wanted)
        share._row[0] = 2.0 if fits else 0.0
        return fits

    monkeypatch.setattr(module.Share, "_announce", naive)
    steps = iter(range(10_000))
    wrong, _ = interleaved(
        monkeypatch, lambda count: next(steps) % count, [[Resources.of("gpu=2")]] * 2
    )
    assert wrong


def test_what_the_dead_had_is_free_and_their_place_too():
    pool = Pool(OFFERED, 1)
    dead = pool.share()
    assert dead.take(Resources.of("gpu=3"))
    dead.close()
    assert pool.share().take(Resources.of("gpu=3"))


def test_what_was_refused_for_long_gets_the_next_turn():
    now = [100.0]
    pool = Pool(OFFERED, 3, clock=lambda: now[0])
    one, other, third = (pool.share() for _ in range(3))
    small, all_of_it, memory = map(Resources.of, ("gpu=1", "gpu=3", "mem=1G"))
    assert one.take(small)
    assert not other.take(all_of_it)
    assert third.take(small)  # it is only a moment
    third.give_back()
    now[0] += PATIENCE + 0.1
    assert not third.take(small)
    assert third.take(memory)  # which nobody waits for
    one.give_back()
    assert not one.take(small)
    assert other.take(all_of_it)
    other.give_back()
    assert one.take(small)  # and all goes on as before


def test_what_nobody_wants_any_more_keeps_nobody_waiting():
    now = [100.0]
    pool = Pool(OFFERED, 2, clock=lambda: now[0])
    one, other = pool.share(), pool.share()
    assert one.take(Resources.of("gpu=1"))
    assert not other.take(Resources.of("gpu=3"))
    now[0] += PATIENCE + 0.1
    now[0] += 60.0
    one.give_back()
    assert one.take(Resources.of("gpu=1"))


@pytest.mark.parametrize("asked", ["tpu=1", "gpu=4", "mem=3", "gpu=1G"])
def test_what_is_not_there_is_never_taken_nor_waited_for(asked):
    pool = Pool(OFFERED, 1)
    share = pool.share()
    assert not share.take(Resources.of(asked))
    assert pool._turn[0] == -inf
