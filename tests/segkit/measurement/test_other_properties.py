"""Properties by names of scikit-image: they are here, or it is told what is."""

import re

import numpy as np
import pytest
from skimage.measure import _regionprops

from segkit import region_properties
from segkit.measurement import properties as object_properties
from segkit.other_names import PROPERTIES


@pytest.mark.parametrize("theirs", PROPERTIES)
def test_properties_that_others_call_otherwise_are_named(theirs):
    ours = PROPERTIES[theirs]
    with pytest.raises(ValueError, match=rf"{theirs}' is unknown .here it is .{ours}"):
        region_properties(np.eye(3, dtype=int), properties=[theirs])
    assert object_properties.wanted([ours], "yx", True) == [ours]


OF_PEER = sorted({*_regionprops.COL_DTYPES, *_regionprops.PROPS})


@pytest.mark.parametrize("name", OF_PEER)
def test_each_property_of_scikit_image_is_here_or_it_is_told_what_is(name):
    labels = np.eye(4, dtype=int)
    try:
        table = region_properties(labels, labels, properties=[name])
    except ValueError as error:
        told = str(error)
        assert re.search(r"\(here it is '|; |\(did you mean ", told)
        assert "; there are" not in told
        meant = re.search(r"(?:here it is '|did you mean )(\w+)", told)
        if meant and "here" not in told:  # but for capitals, it is the same word
            assert meant[1].replace("_", "") == name.lower()
    else:
        assert {column.partition("-")[0] for column in table} == {name}
