"""Make the golden store and keys anew, after a change that is meant to break both.

::

    unshare --uts sh -c 'hostname golden && LOGNAME=golden python tests/golden/make.py'

so that no record names a machine or a user. Raise the version of the store (and of the
encoding, if keys changed) with it.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from taskgraph import open_store
from taskgraph.tasks.jugfile import Jugfile

HERE = Path(__file__).parent


def main() -> None:
    """Run the jugfile next to this file; keep its keys and its store."""
    with tempfile.TemporaryDirectory(prefix="golden-") as scratch:
        script = shutil.copy(HERE / "jugfile.py", scratch)
        store = Path(scratch, "store")
        command = ["tg", "execute", "jugfile.py", "--store", "store"]
        subprocess.run(command, cwd=scratch, check=True)
        loaded = Jugfile(Path(script)).load(open_store(store, create=False))
        lines = [f"{task.key.hex()} {task.name}\n" for task in loaded.graph.tasks]
        (HERE / "keys.txt").write_text("".join(lines))
        shutil.make_archive(str(HERE / "store"), "zip", store)


if __name__ == "__main__":
    main()
