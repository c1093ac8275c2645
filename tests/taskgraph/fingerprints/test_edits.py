"""What is a change of a function's code and what is not, over many projects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import assume, given, settings, strategies as st

from taskgraph.fingerprints.fingerprint import fingerprint
from taskgraph.fingerprints.source_files import _parsed
from tests.taskgraph.fingerprints.projects import Function, Style, load, written

KINDS = ("def", "lambda", "class", "decorated", "partial")
FIELDS = ("literal", "default", "constant", "listed")
MOST = 5


@st.composite
def projects(draw):
    count = draw(st.integers(1, MOST))
    numbers = st.integers(0, count - 1)
    return tuple(
        Function(
            kind=draw(st.sampled_from(KINDS)),
            calls=tuple(draw(st.lists(numbers, max_size=3, unique=True))),
        )
        for _ in range(count)
    )


styles = st.builds(
    Style,
    comments=st.booleans(),
    docstrings=st.booleans(),
    hints=st.booleans(),
    brackets=st.booleans(),
    backwards=st.booleans(),
    local=st.sampled_from(["total", "a", "helper_result"]),
    elsewhere=st.frozensets(st.integers(1, MOST)),
)


def digest_of(functions, style=Style()):  # noqa: B008 - a frozen value
    with TemporaryDirectory() as folder:
        return fingerprint(load(Path(folder), **written(functions, style)).f0).digest


def reached(functions):
    found, left = set(), [0]
    while left:
        number = left.pop()
        if number not in found:
            found.add(number)
            left += functions[number].calls
    return found


@settings(max_examples=25)
@given(projects(), styles)
def test_how_it_is_written_and_where_it_stands_is_no_change(functions, style):
    decorated = any(one.kind == "decorated" for one in functions)
    assume(not (decorated and style.hints))  # decorators may look at hints
    digest = digest_of(functions, style)
    assert digest == digest_of(functions)
    assert digest
    assert not digest.startswith("py")


@settings(max_examples=25)
@given(projects(), styles, st.data())
def test_what_any_function_that_is_used_does_is_a_change(functions, style, data):
    number = data.draw(st.sampled_from(sorted(reached(functions))))
    what = data.draw(st.sampled_from(FIELDS))
    other = replace(functions[number], **{what: 7})
    edited = (*functions[:number], other, *functions[number + 1 :])
    assert digest_of(edited, style) != digest_of(functions, style)


@settings(max_examples=25)
@given(projects(), styles, st.data())
def test_what_is_not_used_is_no_change(functions, style, data):
    unused = sorted(set(range(len(functions))) - reached(functions))
    assume(unused)
    number = data.draw(st.sampled_from(unused))
    other = replace(functions[number], literal=7, constant=8, listed=9)
    edited = (*functions[:number], other, *functions[number + 1 :])
    assert digest_of(edited, style) == digest_of(functions, style)


def test_lambdas_of_one_line_are_told_apart():
    def codes(text):
        source = _parsed(text)
        space = {}
        exec(compile(text, "work.py", "exec"), space)
        return [source.of_code(f.__code__).text for f in space["pair"]]

    one = codes("pair = (lambda x: x + 1), (lambda x: x + 2)")
    other = codes("pair = (lambda x: x + 2), (lambda x: x + 1)")
    assert one == other[::-1] != other
