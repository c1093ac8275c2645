"""`segkit explore`, the command: its address, its end, and what it refuses."""

import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
import pytest

import segkit

EXPLORE = [Path(sys.executable).with_name("segkit"), "explore"]


@pytest.fixture
def image(tmp_path):
    return segkit.save(tmp_path / "a.tif", np.eye(40, dtype=np.uint8), axes="yx")


def test_it_prints_its_address_serves_and_ends_with_ctrl_c(image):
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*EXPLORE, image], cwd=image.parent, stdout=pipe, stderr=pipe, text=True
    ) as process:
        address = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{20,}", address)
        with urlopen(address) as answer:
            assert answer.status == 200
        with pytest.raises(HTTPError, match="403"):
            urlopen(address.partition("?")[0])
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "whoever has the address can see it" in told
    assert "Traceback" not in told


@pytest.mark.parametrize("words", [[], ["no.tif"], ["a.tif", "no.toml", "--port", "x"]])
def test_what_cannot_be_explored_is_refused_in_a_sentence(image, words):
    done = subprocess.run(
        [*EXPLORE, *words],
        cwd=image.parent,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("segkit: ")
    assert "Traceback" not in done.stderr
