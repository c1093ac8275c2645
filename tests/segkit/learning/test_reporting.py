"""Tables for papers and pages."""

import numpy as np

from segkit.learning import html_table, latex_table

TABLE = {
    "a_1 & b": ["50 % {x}", "c"],
    "bias": [-0.0004, -0.25],
    "r": [np.nan, 0.5],
    "n": [3, -1],
}


def test_latex_has_minus_signs_and_dashes_and_no_zero_below_zero():
    rows = latex_table(TABLE).splitlines()
    assert rows[0] == r"\begin{tabular}{lrrr}"
    assert rows[2] == r"a\_1 \& b & bias & r & n \\"
    assert rows[4] == r"50 \% \{x\} & 0.000 & -- & 3 \\"
    assert rows[5] == r"c & $-$0.250 & 0.500 & $-$1 \\"


def test_a_page_has_heads_above_their_numbers():
    page = html_table(TABLE)
    assert page.startswith("<table><thead><tr><th>a_1 &amp; b<th class=n>bias")
    assert "-0.000" not in page
    assert html_table({"a": []}).endswith("<th>a</thead><tbody></tbody></table>")
