"""Fixtures of all tests of segkit."""

from __future__ import annotations

import pytest

from segkit.compiled import fallback


@pytest.fixture(autouse=True)
def compiled_code_runs(monkeypatch):
    """Fail a test in which compiled code failed: its result would still be right."""
    told = set()
    monkeypatch.setattr(fallback, "_told", told)
    yield
    assert not told
