"""Two machines that mount a directory of a third one."""

from __future__ import annotations

from itertools import count

import pytest

from .rig import MOUNT, Rig

_numbers = count()


@pytest.fixture(scope="module", params=["4.2", "3"])
def mounted(request):
    with Rig(clients=2, lease=10) as rig:
        rig.mount(f"vers={request.param}")
        yield rig


@pytest.fixture
def put(mounted, tmp_path):
    """Return what puts scripts into a folder on the mount, and returns its name."""

    def put(**scripts):
        a, b = mounted.clients
        folder = f"job{next(_numbers)}"
        for name, text in scripts.items():
            (tmp_path / f"{name}.py").write_text(text)
        source = f"{tmp_path}/*.py"
        a.sh(f"mkdir {MOUNT}/{folder} && cp {source} {MOUNT}/{folder}", check=True)
        b.sh(f"ls {MOUNT}/{folder}", check=True)
        return folder

    return put
