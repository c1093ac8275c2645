"""Pixel classifiers: learned from scribbles, tile by tile as on the whole image."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info, threadpool_limits

from segkit.features import FilterBank, Haralick, VesselMaps
from segkit.learning import PixelClassifier, train_pixels

FAMILIES = [
    FilterBank((0.7, 1.5), ("gaussian", "hessian", "structure")),
    VesselMaps((3,)),
]
ESTIMATORS = {
    "forest": RandomForestClassifier(n_estimators=8),
    "boosting": HistGradientBoostingClassifier(max_iter=8),
    "logistic": make_pipeline(StandardScaler(), LogisticRegression()),
}


def striped(seed=0, shape=(60, 70)):
    y, x = np.indices(shape)
    line = (x + y) % 20 < 4
    noise = np.random.default_rng(seed).normal(0, 6, shape)
    return 100 - 40.0 * line + noise, line


def scribbled(line):
    """Return a few strokes: 2 on lines, 1 beside."""
    said = np.zeros(line.shape, np.uint8)
    said[10:12], said[40:42] = line[10:12] + 1, line[40:42] + 1
    return said


@cache
def classifier(name):
    image, line = striped()
    return train_pixels(
        [image],
        [scribbled(line)],
        ESTIMATORS[name],
        families=FAMILIES,
        rounds=2 if name == "boosting" else 1,
        seed=0,
    )


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_few_scribbles_are_enough_for_another_image(name):
    image, line = striped(seed=1)
    found = classifier(name).predict(image) == 2
    assert overlap(found, line) > 0.9


@pytest.mark.parametrize("name", ESTIMATORS)
@settings(deadline=None, max_examples=4)
@given(tile=st.tuples(st.integers(9, 60), st.integers(9, 60)), seed=st.integers(0, 99))
def test_tiled_prediction_equals_that_of_the_whole(name, tile, seed):
    image, _ = striped(seed, (57, 64))
    trained = classifier(name)
    np.testing.assert_array_equal(
        trained.probabilities(image, tile=tile, workers=2),
        trained.probabilities(image),
    )


def test_a_second_round_sees_what_was_said_by_who_had_not_seen_the_picture():
    """Two pictures of noise with classes at random: nothing can be learned of them."""
    random = np.random.default_rng(0)
    images = [random.normal(0, 1, (40, 40)) for _ in range(2)]
    said = [random.integers(1, 3, (40, 40)) for _ in range(2)]
    trees = HistGradientBoostingClassifier(max_iter=60)
    once, twice = (
        train_pixels(images, said, trees, families=FAMILIES[:1], rounds=n, seed=0)
        for n in (1, 2)
    )
    right = [(one.predict(images[0]) == said[0]).mean() for one in (once, twice)]
    assert right[0] > 0.8
    assert twice.reach() == 2 * once.reach()
    # Had the first round seen the picture, the second one would trust it alone.
    spread = twice.probabilities(images[0])[1].std()
    assert spread < once.probabilities(images[0])[1].std()


def overlap(found, wanted):
    return 2 * (found & wanted).sum() / (found.sum() + wanted.sum())


@pytest.mark.parametrize("rounds", [1, 2])
def test_a_rare_class_that_is_hard_to_tell_has_a_mask_of_about_its_size(rounds):
    """The likelier class would leave most of it out."""

    def picture(seed):
        random = np.random.default_rng(seed)
        rare = random.random((90, 90)) < 0.15
        return 100 + 12.0 * rare + random.normal(0, 10, rare.shape), rare

    learned = [picture(seed) for seed in range(3)]
    trained = train_pixels(
        [grey for grey, _ in learned],
        [rare + 1 for _, rare in learned],
        make_pipeline(StandardScaler(), LogisticRegression()),
        families=[FilterBank((0.5,), ("gaussian",))],
        rounds=rounds,
        seed=0,
    )
    image, rare = picture(7)
    likelier = trained.probabilities(image).argmax(axis=0) == 1
    found = trained.predict(image) == 2
    assert overlap(found, rare) > overlap(likelier, rare) + 0.1
    np.testing.assert_array_equal(found, trained.predict(image, tile=40) == 2)


def test_classes_that_are_told_apart_are_decided_by_the_likelier_one():
    image, line = striped()
    trained = train_pixels(
        [image], [scribbled(line)], ESTIMATORS["forest"], families=FAMILIES, seed=0
    )
    assert trained.decision.dice.min() > 0.95
    likely = np.array([[0.52, 0.48], [0.48, 0.52]])
    np.testing.assert_array_equal(trained.decision.choose(likely), [0, 1])


@pytest.mark.filterwarnings("error")
def test_without_an_estimator_and_families_trees_look_along_lines():
    image, line = striped(shape=(60, 70))
    trained = train_pixels([image], [scribbled(line)], seed=0)
    other, there = striped(seed=1, shape=(60, 70))
    found = trained.predict(other) == 2
    assert overlap(found, there) > 0.9


def test_the_same_seed_learns_the_same():
    image, line = striped()
    one, same = (
        train_pixels(
            [image, image],
            [scribbled(line), line + 1],
            ESTIMATORS["forest"],
            families=FAMILIES,
            seed=4,
            most=50,
        ).probabilities(image)
        for _ in range(2)
    )
    np.testing.assert_array_equal(one, same)


def limits():
    return {a["num_threads"] for a in threadpool_info() if a["user_api"] == "blas"}


class Watched(LogisticRegression):
    """Two predict at once, of which the first ends before the other."""

    both, seen, trained = threading.Barrier(2), set(), False

    def predict_proba(self, rows):
        found = super().predict_proba(rows)
        if self.trained and self.both.wait(10) == 1:
            time.sleep(0.3)
            self.seen.update(limits())
        return found


def test_tiles_that_end_give_no_threads_back_while_others_predict(monkeypatch):
    image, line = striped()
    trained = train_pixels(
        [image],
        [scribbled(line)],
        Watched(),
        families=FAMILIES[:1],
        rounds=1,
        seed=0,
    )
    monkeypatch.setattr(Watched, "trained", True)
    with threadpool_limits(2, "blas"):
        for _ in range(3):
            trained.predict(image, tile=(30, 70), workers=2)
            assert limits() == {2}
    assert Watched.seen == {1}


FRESH = """
import numpy as np
from threadpoolctl import threadpool_info
from segkit.features import FilterBank
from segkit.learning import train_pixels

seen = set()

class Watched(FilterBank):
    def maps(self, grey):
        seen.update((a["user_api"], a["num_threads"]) for a in threadpool_info())
        return FilterBank.maps(self, grey)

image = np.random.default_rng(0).random((24, 24))
train_pixels([image], [1 + (image > 0.5)], families=[Watched((1,))], seed=0)
print(sorted(seen))
"""


def test_what_is_loaded_by_the_first_fit_of_a_process_has_one_thread_too():
    found = subprocess.run(
        [sys.executable, "-c", FRESH],
        env=os.environ | {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "[('blas', 1), ('openmp', 1)]"


IMAGE, LINE = striped(shape=(20, 20))
SAID = scribbled(striped()[1])[:20, :20]
WRONG = {
    "one class": ({"scribbles": [SAID * 0 + 1]}, "of one class only, 1"),
    "nothing": ({"scribbles": [SAID * 0]}, "scribbles are empty"),
    "another shape": ({"scribbles": [SAID[:9]]}, "image 0 have shape"),
    "too few": ({"scribbles": []}, "1 images and 0"),
    "no integers": ({"scribbles": [SAID * 0.5]}, "the number of each pixel's class"),
    "a mask": ({"scribbles": [SAID > 0]}, r"a mask is one class by .astype\(int\)"),
    "negative": (
        {"scribbles": [-SAID.astype(int)]},
        "hold negative numbers; give the number",
    ),
    "a regressor": ({"estimator": Ridge()}, "no predict_proba"),
    "no maps": ({"families": [Haralick()]}, "makes no image"),
    "no families": ({"families": []}, "families are empty"),
    "no rounds": ({"rounds": 0}, "rounds is 0"),
    "no list": ({"images": IMAGE}, "images is one ndarray"),
    "no images": ({"images": None}, "images is None"),
    "a single family": ({"families": FAMILIES[0]}, "families are FilterBank"),
    "a large seed": ({"seed": 2**32}, "at most 4294967295"),
    "a volume beside": (
        {"images": [IMAGE, IMAGE[None]], "scribbles": [SAID, SAID[None]]},
        "image 1 has 3 axes, the first one 2",
    ),
    "nan": ({"images": [np.full((20, 20), np.nan)]}, "NaN"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_is_told(case):
    options, message = WRONG[case]
    usual = {
        "images": [IMAGE],
        "scribbles": [SAID],
        "estimator": ESTIMATORS["forest"],
        "families": FAMILIES,
        "seed": 0,
    }
    with pytest.raises((TypeError, ValueError), match=message):
        train_pixels(**(usual | options))


def test_images_whose_brightness_may_not_compare_are_refused():
    image, line = striped()
    scribbles = line + 1
    forest = RandomForestClassifier(2)
    two = [image, image.astype(np.float32)]
    both = train_pixels(two, [scribbles] * 2, forest, families=FAMILIES[:1], seed=0)
    both.predict(two[1])
    with pytest.raises(ValueError, match="is uint8, what was learned from is float"):
        both.predict(image.astype(np.uint8))
    older = PixelClassifier.__new__(PixelClassifier)  # as it was stored before
    older.__setstate__(both.__getstate__()[:5])
    older.predict(image.astype(np.uint8))
    two = [image.astype(np.uint8), image.astype(np.uint16) * 257]
    with pytest.raises(ValueError, match=r"image 1 is uint16, the first one uint8, so"):
        train_pixels(two, [scribbles] * 2, forest, families=FAMILIES[:1], seed=0)
