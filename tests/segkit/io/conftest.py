"""What tests of all formats need."""

import pytest

import segkit

from .samples import VOLUME


@pytest.fixture
def volume(tmp_path):
    """A function that saves the volume, or another, under a name."""

    def save(name, array=VOLUME, **options):
        return segkit.save(tmp_path / name, array, **options)

    return save
