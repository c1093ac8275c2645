"""A module that is being imported is not taken for one that is there."""

from importlib import import_module

from taskgraph.loaded import loaded

HALFWAY = """
from taskgraph.loaded import loaded
seen = loaded(__name__)
"""


def test_a_module_counts_when_its_import_has_ended(tmp_path, monkeypatch):
    (tmp_path / "halfway.py").write_text(HALFWAY)
    monkeypatch.syspath_prepend(tmp_path)
    assert loaded("halfway") is None

    module = import_module("halfway")

    assert module.seen is None
    assert loaded("halfway") is module
