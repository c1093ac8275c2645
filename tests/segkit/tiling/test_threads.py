"""Tests of `segkit.tiling.threads`, and of the one `workers=` of all functions."""

import inspect
import threading
import time
from functools import partial

import numpy as np
import pytest

import segkit
from segkit import Pipeline
from segkit.pipeline import florinate
from segkit.tiling import helpers, map_tiles
from segkit.tiling.threads import (
    LEAST_WORK,
    VARIABLE,
    at_most,
    extremes,
    in_threads,
    part,
    shares,
    thread_count,
)

PUBLIC = [getattr(segkit, name) for name in segkit.__all__]
FUNCTIONS = [one for one in PUBLIC if inspect.isfunction(one)]
THREADED = [
    Pipeline.run,
    *(one for one in FUNCTIONS if "workers" in inspect.signature(one).parameters),
]


@pytest.fixture
def eight(monkeypatch):
    monkeypatch.setenv(VARIABLE, "8")


@pytest.mark.parametrize("function", THREADED, ids=lambda one: one.__qualname__)
def test_every_function_in_threads_takes_workers_by_keyword_and_none_by_default(
    function,
):
    workers = inspect.signature(function).parameters["workers"]

    assert workers.default is None
    assert workers.kind is workers.KEYWORD_ONLY


def test_there_is_no_other_word_for_workers():
    others = {"threads", "n_jobs", "jobs", "num_workers", "parallel", "n_threads"}

    found = [f for f in FUNCTIONS if others & inspect.signature(f).parameters.keys()]

    assert not found


def test_the_environment_says_how_many_processors_are_ours(eight):
    assert thread_count(None) == 8
    assert thread_count(None, 3 * LEAST_WORK) == 3
    assert thread_count(None, 0) == 1
    assert thread_count(20, 0) == 20


@pytest.mark.parametrize("said", ["0", "-1", "two", "1.5"])
def test_a_share_that_is_no_number_is_refused(monkeypatch, said):
    monkeypatch.setenv(VARIABLE, said)

    with pytest.raises(ValueError, match=f"{VARIABLE} is '{said}'"):
        thread_count(None)


def test_threads_of_ours_divide_the_share(eight):
    assert in_threads(lambda _: thread_count(None), range(3), 3) == [2, 2, 2]
    assert in_threads(lambda _: thread_count(None), range(20), 20) == [1] * 20
    assert in_threads(lambda _: thread_count(None), range(1), 4) == [8]
    assert part(16) == 1
    assert thread_count(None) == 8


@pytest.mark.parametrize("threads", [2, 3, 9])
def test_the_calling_thread_works_too_and_no_more_than_asked_for(threads):
    barrier, used = threading.Barrier(threads), set()

    def run(item):
        used.add(threading.current_thread())
        if item < threads:
            barrier.wait(60)  # so that nobody has two of these
        return item

    assert in_threads(run, range(30), threads) == list(range(30))
    assert threading.current_thread() in used
    assert len(used) == threads


WORK = {
    "median of few": (lambda image: segkit.median(image, 1), False),
    "median of many": (lambda image: segkit.median(image, 8), True),
    "threshold": (segkit.threshold, False),
    "ndnt": (lambda image: segkit.ndnt(image, 31), False),
    "label": (lambda image: segkit.label(image > 9), False),
    "h_maxima": (lambda image: segkit.h_maxima(image, 3), False),
    "overlay": (lambda image: segkit.overlay(image, image > 9), False),
    "gaussian": (lambda image: segkit.gaussian(image, 2), True),
}


@pytest.mark.parametrize("name", WORK)
def test_small_images_have_helpers_only_if_the_work_is_worth_them(
    name, eight, monkeypatch
):
    call, helped = WORK[name]
    image = np.random.default_rng(0).integers(0, 99, (512, 512), np.uint16)
    asked = []
    monkeypatch.setattr(helpers, "helping", asked.append)

    call(image)

    assert bool(asked) == helped


@pytest.mark.parametrize("wrong", ["caller", "other"])
def test_an_error_of_any_thread_is_raised_and_little_begins_after_it(wrong):
    both, begun = threading.Barrier(2), []

    def run(item):
        begun.append(item)
        if item < 2:
            both.wait(60)
            here = threading.current_thread() is threading.main_thread()
            if here == (wrong == "caller"):
                raise ZeroDivisionError(wrong)
        time.sleep(0.01)  # so that all would take ten seconds

    with pytest.raises(ZeroDivisionError, match=wrong):
        in_threads(run, range(1000), 2)
    assert len(begun) < 900


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_extremes_are_those_of_numpy_and_carry_nan_along(threads, monkeypatch):
    monkeypatch.setattr("segkit.tiling.threads._CACHED_BYTES", 64)
    numbers = np.random.default_rng(0).integers(-99, 99, (17, 5))
    assert extremes(numbers, threads) == (numbers.min(), numbers.max())
    floats = numbers[::2, ::-1].astype(np.float32)
    assert extremes(floats, threads) == (floats.min(), floats.max())
    floats[-1, 3] = np.nan
    assert np.isnan(extremes(floats, threads)).all()


@pytest.mark.parametrize("threads", [1, 2, 3, 16])
@pytest.mark.parametrize("length", [0, 1, 2, 5, 100, 4096, 100_003])
def test_shares_are_the_whole_axis_in_order_and_grow_shorter(length, threads):
    found = shares(length, threads)

    lengths = [one.stop - one.start for one in found]
    assert [i for one in found for i in range(length)[one]] == list(range(length))
    assert lengths == sorted(lengths, reverse=True)
    assert length == 0 or min(lengths) > 0
    if threads > 1:  # all can begin, and none waits long for the last
        assert len(found) >= min(threads, length)
        assert lengths[-1] <= -(-length // (32 * threads))


def test_a_limit_ends_with_its_block(eight):
    with at_most(3):
        assert thread_count(None) == 3
        with at_most(None):
            assert thread_count(None) == 3
    assert thread_count(None) == 8


IN_THREADS = {
    "distance_transform": [],
    "gaussian": [1],
    "h_maxima": [1],
    "median": [1],
    "ndnt": [3],
    "sato": [1],
    "subtract_background": [1],
    "threshold": [],
}


@pytest.mark.parametrize("workers", [0, -1, 1.5, "2"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("name", IN_THREADS)
def test_workers_that_are_no_number_are_refused(name, dtype, workers):
    others = IN_THREADS[name]

    with pytest.raises((TypeError, ValueError), match="workers"):
        getattr(segkit, name)(np.eye(4, dtype=dtype), *others, workers=workers)


def called_here(run):
    """Return whether `run` calls what it is given in this thread."""
    threads = set()

    def call(tile):
        threads.add(threading.current_thread())
        return tile

    run(call)
    return threads == {threading.current_thread()}


def test_functions_of_others_run_in_one_thread_unless_told(eight):
    image = np.zeros((8, 2**18), np.uint8)

    def tiled(call, **options):
        map_tiles(call, image, tile=(1, 2**18), halo=0, **options)

    def piped(call, **options):
        steps = segkit.pipeline.tile(shape=(1, 2**18)), florinate(call, reach=0)()
        Pipeline(*steps).run(image, **options)

    for run in (tiled, piped):
        assert called_here(run)
        assert not called_here(partial(run, workers=4))


def test_steps_called_by_threads_of_a_pipeline_start_none_of_their_own(eight):
    image = np.zeros((8, 2**18), np.uint8)
    seen = []

    def count(tile):
        seen.append(thread_count(None))
        return tile

    steps = segkit.pipeline.tile(shape=(2, 2**18)), florinate(count, reach=0)()
    Pipeline(*steps).run(image, workers=4)

    assert set(seen) == {1}
