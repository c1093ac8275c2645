"""Every block of the documentation runs, but for those that say why not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .page import blocks_of, commands_of

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *(
        p
        for p in sorted((ROOT / "docs").rglob("*.md"))
        if not {"_build", "gallery", "reference"} & set(p.parts)
    ),
]
RUNNING = [
    p
    for p in PAGES
    if any(not b.not_run and b.language for b in blocks_of(p.read_text()))
]


def named(page):
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", RUNNING, ids=named)
def test_every_block_of_the_page_runs(page, tmp_path):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TG_")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.docs.page", str(page)],
        cwd=tmp_path,
        env=environment
        | {"PYTHONPATH": str(ROOT), "CHECKOUT": str(ROOT), "MPLBACKEND": "agg"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]


def test_what_is_not_run_says_why():
    for page in PAGES:
        for block in blocks_of(page.read_text()):
            assert not block.not_run or len(block.not_run) > 10, (page, block.line)


def test_a_block_that_fails_fails_its_page(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```console\n$ true\n$ false\nsaid\n```\n")
    module = [sys.executable, "-m", "tests.docs.page", str(page)]
    done = subprocess.run(module, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"{page}, line 1" in done.stdout


def test_comments_before_a_block_belong_to_it():
    text = (
        "<!-- before: cp a b\ncp c d -->\n\n```sh\nls\n```\n\n"
        "<!-- not run: needs\nSlurm -->\n```console\n$ qsub \\\n  x\n```\n"
    )
    first, second = blocks_of(text)
    assert (first.before, first.not_run) == (("cp a b\ncp c d",), "")
    assert (second.before, second.not_run) == ((), "needs Slurm")
    assert commands_of(second.body) == ["qsub    x"]


def test_the_site_is_configured_whatever_its_command_is_told():
    # Its modules import examples of jugfiles, which read words of their own.
    words = ["sphinx", "-W", "--keep-going", "docs", "site"]
    code = f"import runpy, sys; sys.argv = {words}; runpy.run_path('docs/conf.py')"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert said.returncode == 0
