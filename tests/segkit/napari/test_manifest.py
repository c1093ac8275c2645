"""What napari reads of the plug-in before it imports any of it."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import TYPE_CHECKING

import pytest

from segkit.io.formats import formats

if TYPE_CHECKING:
    import npe2


@pytest.fixture(scope="module")
def manifest() -> npe2.PluginManifest:
    with warnings.catch_warnings():
        # npe2 0.10 with pydantic 2.14; nobody sees it who does not turn warnings on.
        warnings.simplefilter("ignore", DeprecationWarning)
        import npe2

    return npe2.PluginManifest.from_distribution("taskgraph-segkit")


def test_the_installed_manifest_is_valid(manifest: npe2.PluginManifest) -> None:
    manifest.validate_imports()
    assert manifest.display_name == "segkit"
    assert len(manifest.contributions.commands) == 3


def test_each_contribution_names_a_command(manifest: npe2.PluginManifest) -> None:
    listed = {one.id for one in manifest.contributions.commands}
    contributed = [
        *manifest.contributions.readers,
        *manifest.contributions.writers,
        *manifest.contributions.widgets,
    ]
    assert {one.command for one in contributed} == listed


def test_labels_are_saved_as_each_format_that_keeps_them(
    manifest: npe2.PluginManifest,
) -> None:
    lossy = {".jpg", ".jpeg", ".bmp", ".webp", ""}
    known = {suffix for one in formats() for suffix in one.suffixes} - lossy
    (writer,) = manifest.contributions.writers
    assert {*writer.filename_extensions} == known


def test_what_is_behind_the_manifest_imports_neither_napari_nor_qt() -> None:
    script = (
        "import sys, segkit.napari.files, segkit.napari.editing, segkit.napari.widget;"
        "loaded = {name.partition('.')[0] for name in sys.modules};"
        "assert not loaded & {'napari', 'magicgui', 'qtpy', 'PyQt6', 'pint'}, loaded"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
