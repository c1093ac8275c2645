"""What several files of the project say agrees; changes are written down well."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import segkit
import taskgraph

ROOT = Path(__file__).parent.parent
KNOWN = tomllib.loads((ROOT / "pyproject.toml").read_text())
CLASSIFIED = re.findall(r"Python :: (3\.\d+)", str(KNOWN["project"]["classifiers"]))
PYTHONS = sorted(CLASSIFIED, key=lambda version: int(version[2:]))
KINDS = "|".join(kind["directory"] for kind in KNOWN["tool"]["towncrier"]["type"])
FRAGMENTS = [p for p in (ROOT / "changes").glob("*") if p.name != "README.md"]

pytestmark = pytest.mark.skipif(
    not (ROOT / "changes").exists(), reason="tested away from the checkout"
)


def test_the_version_is_said_once_and_repeated_rightly() -> None:
    said = {taskgraph.__version__, segkit.__version__}
    assert said == {KNOWN["project"]["version"]}


def test_nothing_says_to_install_us_from_a_registry_that_has_us_not() -> None:
    wrong = re.compile(r"pip install [^\n]*taskgraph-segkit(\[\w+\])?(?! @|[\w\[])")
    assert wrong.search("pip install 'taskgraph-segkit[web]'")
    folders = ("docs", "taskgraph", "segkit", "backends")
    pages = [
        p
        for f in folders
        for kind in ("md", "py")
        for p in (ROOT / f).rglob(f"*.{kind}")
    ]
    telling = [
        p.name
        for p in [ROOT / "README.md", *pages]
        if wrong.search(p.read_text("utf-8"))
    ]
    assert telling == []


def test_what_a_message_says_to_install_goes_where_this_python_looks() -> None:
    folders = ("taskgraph", "segkit", "backends")
    sources = [p for folder in folders for p in (ROOT / folder).rglob("*.py")]
    # The environments that uv makes, as in the README, have no module pip.
    telling = [p.name for p in sources if "-m pip install" in p.read_text("utf-8")]
    assert telling == []


def test_no_property_fails_by_the_pace_of_the_machine() -> None:
    assert settings().deadline is None
    assert HealthCheck.too_slow in settings().suppress_health_check


def test_the_oldest_python_is_what_is_required_and_checked() -> None:
    oldest = PYTHONS[0]
    assert KNOWN["project"]["requires-python"] == f">={oldest}"
    assert KNOWN["tool"]["mypy"]["python_version"] == oldest
    assert KNOWN["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"


def test_ci_runs_the_oldest_and_the_newest_python() -> None:
    workflow = ROOT / ".github" / "workflows" / "ci.yml"
    if not workflow.exists():
        pytest.skip("an sdist has no workflows")
    run = re.findall(r'"(3\.\d+)"', workflow.read_text().partition("python: [")[2])
    assert run == [PYTHONS[0], PYTHONS[-1]]


@pytest.mark.parametrize("fragment", FRAGMENTS, ids=lambda path: path.name)
def test_a_fragment_is_a_few_sentences_of_a_kind(fragment: Path) -> None:
    assert re.fullmatch(rf"[a-z_]+\.({KINDS})(\.\d+)?\.md", fragment.name)
    text = fragment.read_text()
    assert text.strip()
    assert text.endswith(".\n"), "sentences, and a newline"
    assert not text.startswith(("#", "-", "*")), "towncrier makes the list"
    assert max(map(len, text.splitlines())) <= 88
