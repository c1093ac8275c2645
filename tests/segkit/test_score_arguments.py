"""What scores cannot take is refused with a sentence that says what to give."""

import numpy as np
import pytest

from segkit import evaluation as ev

LABELS = np.array([[1, 1, 0, 2]])


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
