"""What scores cannot take is refused with a sentence that says what to give."""

import inspect

import numpy as np
import pytest

import segkit
import segkit as ev
from segkit import evaluation

LABELS = np.array([[1, 1, 0, 2]])
OF_TABLES = [
    f
    for f in (getattr(evaluation, name) for name in evaluation.__all__)
    if inspect.isfunction(f) and "table" in inspect.signature(f).parameters
]


def test_scores_of_tables_are_many():
    assert {ev.dice, ev.average_precision, ev.table_scores} < set(OF_TABLES)


@pytest.mark.parametrize("score", OF_TABLES, ids=lambda f: f.__name__)
def test_scores_given_label_images_say_what_to_give(score):
    words = f"^{score.__name__} takes the contingency table of two label images, not "
    advice = r"; give segkit\.contingency\(segmentation, reference\)$"
    with pytest.raises(TypeError, match=f"{words}ndarray{advice}"):
        score(LABELS, LABELS)
    with pytest.raises(TypeError, match=f"{words}ndarray{advice}"):
        score(table=LABELS)
    with pytest.raises(TypeError, match=words):
        score(segmentation=LABELS, reference=LABELS)
    score(table=ev.contingency(LABELS, LABELS))
    with pytest.raises(TypeError, match="unexpected keyword argument 'thing'"):
        score(ev.contingency(LABELS, LABELS), thing=1)


def test_what_scores_say_to_give_is_there():
    table = segkit.contingency(LABELS, LABELS)
    assert segkit.dice(table) == segkit.jaccard(table) == 1.0


@pytest.mark.parametrize(
    "score",
    [
        ev.contingency,
        ev.label_runs,
        ev.object_distances,
        ev.scores,
        ev.published_scores,
    ],
)
@pytest.mark.parametrize("place", [0, 1])
def test_masked_labels_are_refused_since_their_mask_would_be_ignored(score, place):
    images = [LABELS, LABELS]
    images[place] = np.ma.masked_array(LABELS, LABELS == 2)
    name = ("segmentation", "reference")[place]
    with pytest.raises(TypeError, match=f"{name} is a masked array"):
        score(*images)


@pytest.mark.parametrize("largest", [10**9, 2**62])
def test_ids_that_count_as_objects_up_to_the_largest_are_not_too_many(largest):
    other = np.where(LABELS == 1, largest, LABELS)
    for pair in ((LABELS, other), (other, LABELS)):
        with pytest.raises(ValueError, match=f"id {largest}, .*relabel_sequential"):
            ev.published_scores(*pair)
        assert ev.dice(ev.contingency(*pair)) == 1.0


def test_the_hausdorff_distance_takes_no_masked_array():
    masked = np.ma.masked_array(LABELS > 0, LABELS == 2)
    with pytest.raises(TypeError, match="second is a masked array"):
        ev.hausdorff_distance(LABELS > 0, masked)


RUNS = ev.label_runs(LABELS, LABELS)
WITH_SPACING = {
    "scores": lambda s: ev.scores(LABELS, LABELS, spacing=s),
    "scores_of_runs": lambda s: ev.scores_of_runs(RUNS, spacing=s),
    "object_distances": lambda s: ev.object_distances(LABELS, LABELS, spacing=s),
    "hausdorff_distance": lambda s: ev.hausdorff_distance(LABELS, LABELS, spacing=s),
    "of_empty_runs": lambda s: ev.hausdorff_of_runs(
        ev.label_runs(LABELS * 0, LABELS * 0), spacing=s
    ),
}


@pytest.mark.parametrize("call", WITH_SPACING.values(), ids=WITH_SPACING)
@pytest.mark.parametrize(
    ("spacing", "error", "words"),
    [
        ((1, 0), ValueError, r"spacing is \(1, 0\); give positive distances"),
        (-1, ValueError, "spacing is -1; give positive distances"),
        ((1, np.nan), ValueError, "finite"),
        ("5", TypeError, "spacing is '5', but must be a number"),
        ((1, 1, 1), ValueError, "has 3 numbers, but the image has 2 axes"),
    ],
    ids=["zero", "negative", "nan", "text", "three"],
)
def test_spacings_that_are_no_distances_are_refused(call, spacing, error, words):
    with pytest.raises(error, match=words):
        call(spacing)


def test_one_spacing_is_that_of_every_axis():
    moved = np.roll(LABELS, 1, axis=1)
    one, each = (ev.scores(moved, LABELS, spacing=s) for s in (2.5, (2.5, 2.5)))
    assert one == each
    assert one["hausdorff"] == 2.5 * ev.scores(moved, LABELS)["hausdorff"]
