"""Numbers on the command line that are none."""

import numpy
import pytest

from taskgraph.cli.value_files import plain


@pytest.mark.parametrize(
    "words",
    [
        "execute sums.py --lease nan",
        "execute sums.py --max-wait nan",
        "wait sums.py --timeout nan",
        "cleanup sums.py --empty-trash nan",
    ],
)
def test_what_is_no_number_is_refused(tg, words):
    tg.jugfile("sums.py")

    assert (
        "or more" in (said := tg(*words.split(), code=2).stderr) or "more than" in said
    )


def test_long_floats_are_text_in_json():
    numbers = numpy.array([1.5], dtype=numpy.longdouble)

    assert plain(numbers) == [repr(numbers[0])]
