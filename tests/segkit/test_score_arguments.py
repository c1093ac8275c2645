"""What scores cannot take is refused with a sentence that says what to give."""

import inspect

import numpy as np
import pytest

import segkit
from segkit import evaluation as ev

LABELS = np.array([[1, 1, 0, 2]])
OF_TABLES = [
    f
    for f in map(ev.__dict__.get, ev.__all__)
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


def test_the_hausdorff_distance_takes_no_masked_array():
    masked = np.ma.masked_array(LABELS > 0, LABELS == 2)
    with pytest.raises(TypeError, match="second is a masked array"):
        ev.hausdorff_distance(LABELS > 0, masked)
