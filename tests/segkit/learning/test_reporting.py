"""Tables for papers and pages."""

import re
import shutil
import subprocess
import unicodedata

import numpy as np
import pytest
from hypothesis import given, strategies as st

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


SET = {  # what LaTeX sets in the place of what is written
    "textbackslash": "\\",
    "textasciitilde": "~",
    "textasciicircum": "^",
    "textless": "<",
    "textgreater": ">",
    "textbar": "|",
    "textasciigrave": "`",
    "alpha": "\N{GREEK SMALL LETTER ALPHA}",
    "le": "\N{LESS-THAN OR EQUAL TO}",
}
WRITTEN = re.compile(
    r"\\(?P<sign>[&%$#_{}])|\\(?P<name>[a-z]+)\{\}|\$\\(?P<math>[a-z]+)\$|\{(?P<kept>[\[*])\}"
    r"|(?P<apart>-\{\}(?=-))|(?P<plain>[^&%$#_{}\\~^<>|`*\[]+?)"
)


def read_back(cell):
    """Return the text that LaTeX sets for a cell; fail at what it does not set."""
    parts, at = [], 0
    while at < len(cell):
        found = WRITTEN.match(cell, at)
        assert found, cell[at:]
        name = found["name"] or found["math"]
        own = found["sign"] or found["kept"] or found["plain"]
        parts.append(SET[name] if name else own or "-")
        at = found.end()
    return "".join(parts)


@given(
    st.text(
        st.sampled_from("ab -&%$#_{}\\~^<>|`*[]\n\x07\u200b\u03b1\u2264\u00df\u00e4")
    )
)
def test_latex_sets_any_name_as_it_is_but_for_what_cannot_be_seen(name):
    row = latex_table({"method": [name], "q2": [0.5]}).splitlines()[4]
    assert row.endswith(r" & 0.500 \\")
    cell = row.removesuffix(r" & 0.500 \\")
    seen = [c for c in " ".join(name.split()) if unicodedata.category(c)[0] != "C"]
    assert "--" not in cell
    assert read_back(cell) == "".join(seen)


@pytest.mark.parametrize("write", [latex_table, html_table])
def test_columns_of_other_lengths_are_told(write):
    with pytest.raises(ValueError, match=r"have other lengths, .'a': 1, 'b': 2"):
        write({"a": [1], "b": [1, 2]})


def test_heads_of_latex_are_broken_between_words_only():
    head = latex_table({"RMSE of cross-validated": [1.0]}).splitlines()[2]
    assert head == (
        r"\begin{tabular}[b]{@{}r@{}}RMSE of\\cross-validated\end{tabular} \\"
    )


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not there")
def test_pdflatex_sets_a_table_of_hostile_names(tmp_path):
    signs = [chr(k) for k in range(32, 127)]
    names = [
        *signs,
        "50%_\u00c4_\u00df#1",
        "[x]",
        "*",
        "\u00b5m\u00b2 \u00d7 3",
        "",
        "\u03b1\u2264\u03a9",
    ]
    table = latex_table(
        {"a_b c%": names, **{f"d{n}": names for n in "%#"}}, caption="50%_\u00c4"
    )
    (tmp_path / "a.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n"
        f"{table}\n\\end{{document}}\n",
        "utf-8",
    )
    command = ["pdflatex", "-draftmode", "-halt-on-error", "a.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:].decode(errors="replace")
