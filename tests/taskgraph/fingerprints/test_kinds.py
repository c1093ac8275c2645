"""What counts as code of a function, by the kind of thing that it uses."""

from __future__ import annotations

import linecache

import pytest

from taskgraph.fingerprints.fingerprint import fingerprint
from tests.taskgraph.fingerprints.projects import load

HELPERS = """
SIGMA = 2
LEVELS = [1, 2]

def deep(x):
    return x * SIGMA

def grey(x, k=1):
    return deep(x) + k + LEVELS[0]

def unused(x):
    return 0
"""
USERS = {
    "a function by name": "from helpers import grey\ndef f(x): return grey(x)",
    "a function of a module": "import helpers\ndef f(x): return helpers.grey(x)",
    "a class": (
        "from helpers import grey\nclass Model:\n    def fit(self, x): return grey(x)\n"
        "def f(x): return Model().fit(x)"
    ),
    "a base class": (
        "from helpers import grey\nclass Base:\n    def fit(self, x): return grey(x)\n"
        "class Model(Base): pass\ndef f(x): return Model().fit(x)"
    ),
    "a lambda in an argument": (
        "from helpers import grey\ndef f(xs): return sorted(xs, key=lambda x: grey(x))"
    ),
    "a partial": (
        "import functools\nfrom helpers import grey\ng = functools.partial(grey, k=1)\n"
        "def f(x): return g(x)"
    ),
    "a table of functions": (
        "import helpers\nTABLE = {'grey': helpers.grey}\n"
        "def f(x): return TABLE['grey'](x)"
    ),
    "a decorator": (
        "import functools\nfrom helpers import grey\ndef twice(g):\n"
        "    @functools.wraps(g)\n    def inner(x): return g(grey(x))\n"
        "    return inner\n"
        "@twice\ndef f(x): return x"
    ),
    "a cached function": (
        "import functools\nfrom helpers import grey\n@functools.lru_cache\n"
        "def g(x): return grey(x)\ndef f(x): return g(x)"
    ),
    "a closure": (
        "from helpers import grey\ndef make(g):\n    def inner(x): return g(x)\n"
        "    return inner\nf = make(grey)"
    ),
    "an import when it runs": (
        "def f(x):\n    from helpers import grey\n    return grey(x)"
    ),
    "a default": "import helpers\ndef f(x, g=helpers.grey): return g(x)",
    "a property": (
        "from helpers import grey\nclass Model:\n    @property\n"
        "    def fit(self): return grey(1)\ndef f(x): return Model().fit"
    ),
}
CHANGES = {
    "helper": ("return deep(x) + k", "return deep(x) - k"),
    "helper's helper": ("x * SIGMA", "x / SIGMA"),
    "constant": ("SIGMA = 2", "SIGMA = 3"),
    "list": ("[1, 2]", "[1, 3]"),
    "default": ("k=1", "k=2"),
}


def digest_of(folder, user, helpers=HELPERS):
    return fingerprint(load(folder, helpers=helpers, work=user).f).digest


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("user", USERS)
def test_what_is_used_in_whatever_way_counts(tmp_path, user, change):
    before = digest_of(tmp_path, USERS[user])
    edited = HELPERS.replace(*CHANGES[change])
    assert digest_of(tmp_path, USERS[user], edited) != before


MADE = {
    "what a decorator has put into a table": (
        (
            "T = {}\ndef named(g):\n    T[g.__name__] = g\n    return g\n"
            "@named\ndef g(x): return x + 1\ndef f(x): return T['g'](x)"
        ),
        ("x + 1", "x + 2"),
    ),
    "what a decorator has put into an object": (
        (
            "class Table:\n    def __init__(self): self.all = {}\n"
            "    def named(self, g):\n        self.all['g'] = g\n        return g\n"
            "T = Table()\n@T.named\ndef g(x): return x + 1\n"
            "def f(x): return T.all['g'](x)"
        ),
        ("x + 1", "x + 2"),
    ),
    "a vectorized function": (
        "import numpy\n@numpy.vectorize\ndef g(x): return x + 1\ndef f(x): return g(x)",
        ("x + 1", "x + 2"),
    ),
    "which function of a library is meant": (
        "from math import sin as g\ndef f(x): return g(x)",
        ("sin", "cos"),
    ),
    "which ufunc is meant": (
        "from numpy import sin as g\ndef f(x): return g(x)",
        ("sin", "cos"),
    ),
    "which library is meant": (
        "import math as m\ndef f(x): return m.sqrt(x)",
        ("math", "cmath"),
    ),
    "which library is handed on": (
        "import math as m\ndef f(x): return x(m)",
        ("math", "cmath"),
    ),
    "an object of a library that is called": (
        "from operator import itemgetter\ng = itemgetter(1)\ndef f(x): return g(x)",
        ("(1)", "(2)"),
    ),
    "the object of a method": (
        (
            "class Model:\n    def __init__(self, k): self.k = k\n"
            "    def fit(self, x): return x * self.k\n"
            "g = Model(1).fit\ndef f(x): return g(x)"
        ),
        ("Model(1)", "Model(2)"),
    ),
    "an attribute that a class is given later": (
        "class Model:\n    k = 1\nModel.k = 2\ndef f(x): return Model.k",
        ("k = 2", "k = 3"),
    ),
    "a method that a class is given later": (
        (
            "class Model: pass\ndef fit(self, x): return x + 1\nModel.fit = fit\n"
            "def f(x): return Model().fit(x)"
        ),
        ("x + 1", "x + 2"),
    ),
}


@pytest.mark.parametrize("what", MADE)
def test_what_stands_elsewhere_than_what_is_used_counts(tmp_path, what):
    user, edit = MADE[what]
    before = digest_of(tmp_path, user)
    assert before == digest_of(tmp_path, f"# why\n{user}")
    assert before != digest_of(tmp_path, user.replace(*edit))


@pytest.mark.parametrize("user", USERS)
def test_a_comment_in_what_is_used_does_not_count(tmp_path, user):
    before = digest_of(tmp_path, USERS[user])
    edited = HELPERS.replace(
        "    return deep", '    "Doc."\n    # why\n    return deep'
    )
    assert digest_of(tmp_path, USERS[user], edited) == before


@pytest.mark.parametrize("user", ["a function by name", "a class", "a partial"])
def test_what_is_not_used_does_not_count(tmp_path, user):
    before = digest_of(tmp_path, USERS[user])
    edited = HELPERS.replace("return 0", "return 1")
    assert digest_of(tmp_path, USERS[user], edited) == before


def cell(space, number, text):
    """Run a cell of a notebook, as IPython does: its source is known by its name."""
    name = f"<ipython-input-{number}-trust>"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    exec(compile(text, name, "exec"), space)


@pytest.mark.parametrize(
    ("edited", "changes"),
    [
        ("def g(x):\n    # why\n    y = x\n    return y * K\n", False),
        ("def g(x):\n    total = (x)\n    return total * K\n", False),
        ("def g(x):\n    y = x\n    return y + K\n", True),
        ("def g(x):\n    y = x\n    return y * K\n\nK = 9\n", True),
    ],
)
def test_cells_of_a_notebook_count_like_files(edited, changes):
    space = {"__name__": "__main__"}
    cell(space, 1, "K = 2\ndef g(x):\n    y = x\n    return y * K\n")
    cell(space, 2, "def f(x):\n    return g(x)\n")
    before = fingerprint(space["f"])
    assert not before.is_of_one_python
    cell(space, 3, edited)
    assert (fingerprint(space["f"]).digest != before.digest) == changes


def test_which_of_two_of_one_name_is_used_where_counts(tmp_path):
    user = "import one, other\ndef f(x): return one.g(x) - other.g(x)"
    plus, minus = "def g(x): return x + 1", "def g(x): return x - 1"
    before = fingerprint(load(tmp_path, one=plus, other=minus, work=user).f)
    after = fingerprint(load(tmp_path, one=minus, other=plus, work=user).f)
    assert before.digest != after.digest


def test_what_tasks_fill_does_not_count(tmp_path):
    user = "CACHE, N = {}, 0\ndef f(x):\n    global N\n    N += 1\n    CACHE[x] = x"
    module = load(tmp_path, work=user)
    before = fingerprint(module.f).digest
    module.f(1)
    assert fingerprint(module.f).digest == before


def test_what_was_edited_after_it_was_loaded_is_not_taken_for_what_runs(tmp_path):
    module = load(tmp_path, work="def f(x): return x + 1")
    before = fingerprint(module.f)
    path = tmp_path.glob("*/work.py")
    next(path).write_text("def f(x): return x + 2")
    assert fingerprint(module.f).digest != before.digest
    edited = fingerprint(load(tmp_path, work="def f(x): return x + 2").f)
    assert fingerprint(module.f).digest != edited.digest


def test_a_line_above_it_does_not_count(tmp_path):
    before = fingerprint(load(tmp_path, work="def f(x): return x + 1").f).digest
    module = load(tmp_path, work="import os\n\n\ndef f(x): return x + 1")
    assert fingerprint(module.f).digest == before


class Hostile:
    def __getattr__(self, name):
        raise RuntimeError(name)

    def __eq__(self, other):
        raise RuntimeError

    __hash__ = None


def test_hostile_objects_circles_and_built_ins_do_no_harm(tmp_path):
    module = load(
        tmp_path,
        work="import numpy as np\n"
        "def f(x): return g(x) + len(x) + np.sum(x) + H.y + A[0]\n"
        "def g(x): return f(x)\nclass N:\n    def m(self): return N().m()\n"
        "def h(): return N, h\n",
    )
    module.H, module.A = Hostile(), []
    module.A.append(module.A)
    module.f.__wrapped__ = module.f
    assert fingerprint(module.f).digest == fingerprint(module.f).digest != ""
    assert fingerprint(module.h).digest
    assert fingerprint(len).digest == fingerprint(dict.fromkeys).digest == ""


def test_a_function_without_a_source_is_known_by_its_byte_code():
    space = {"__name__": "nowhere"}
    exec("def f(x): return x + K\nK = 1", space)
    before = fingerprint(space["f"])
    assert before.is_of_one_python
    space["K"] = 2
    assert fingerprint(space["f"]).digest != before.digest
