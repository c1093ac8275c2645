"""The gallery is built, and no public function of images is missing from it."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import segkit

ROOT = Path(__file__).parents[1]
TG = Path(sys.executable).with_name("tg")
NOT_SHOWN = {
    # Files and what they hold.
    "create_image", "open_image", "open_plate", "open_writer", "save", "save_png",
    "save_table",
    # The steps of functions that are shown, for tasks.
    "adjacent_tiles", "combine", "compare_tiles", "find_seam", "instance_tile",
    "label_tile", "measure_tile", "merge_instance_tiles", "merge_tiles",
    "properties_table", "relabel_tile",
    # Which labels of a table to keep: in `keep_within` and others.
    "border_ids", "drop_ids", "ids_within", "keep_ids", "largest_ids", "small_ids",
    # Numbers of one table, all of them in `scores`.
    "adapted_rand_error", "adjusted_rand_index", "average_precision", "contingency",
    "dice", "distances_of_runs", "foreground_rand", "hausdorff_distance",
    "hausdorff_of_runs", "jaccard", "label_runs", "match_objects",
    "object_counts", "object_distances", "pair_counts", "published_distances",
    "published_jaccard_index", "published_object_counts", "rand_index",
    "scores_of_runs", "table_scores",
    "variation_of_information",
    # About functions, not images.
    "check_halo", "declare_reach", "florinate", "probe_reach",
}  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gallery")
    jugfile = ROOT / "jugfiles" / "gallery.py"
    command = [str(TG), "execute", str(jugfile), "-q", "-j", "2", "--store", "store"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "gallery-out" / "index.html"


def public_functions():
    named = {name: getattr(segkit, name) for name in segkit.__all__}
    return {name for name, thing in named.items() if inspect.isfunction(thing)}


def test_every_public_function_of_images_is_shown(page):
    text = page.read_text()
    missing = [n for n in public_functions() - NOT_SHOWN if f"id={n}>" not in text]
    assert missing == []


def test_what_is_not_shown_exists():
    assert public_functions() >= NOT_SHOWN


def test_every_example_has_a_picture(page):
    text = page.read_text()
    pictures = [path for path in page.parent.glob("*.png") if path.stat().st_size > 500]
    assert len(pictures) == text.count("<img") > 50
