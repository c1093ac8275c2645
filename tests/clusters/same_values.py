"""The jugfile of many lengths and sizes in a folder, its workers, and its values."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from backends.errors import NoStoreError
from backends.opening import open_backend

from ..nfs.rig import MOUNT, PYTHON, TG as NFS_TG
from ..taskgraph.rough import ENVIRONMENT, TG, end
from .digest import digest_of

if TYPE_CHECKING:
    from ..nfs.rig import Rig

ROOT = Path(__file__).parents[2]
JUGFILE = ROOT / "tests/jugfiles/same_values.py"
LEASE = 5


class Job:
    """The jugfile as `job.py` in a folder.

    Parameters
    ----------
    folder : Path
        Has nothing else in it that matters.
    size : (int, int)
        How many tasks, and how many bytes the largest array has.
    store : str
        Where its results go; beside it if there is none.
    """

    def __init__(self, folder: Path, size: tuple[int, int], store: str = "") -> None:
        self.folder = folder
        self.tasks = size[0]
        self.words = [str(number) for number in size]
        self.store = store or str(folder / "job.tgdata")
        self.runs: list[subprocess.Popen[bytes]] = []
        self.put()

    def put(self) -> None:
        """Put the jugfile into its folder."""
        shutil.copy(JUGFILE, self.folder / "job.py")

    def start(self, *options: object) -> None:
        """Start workers."""
        command = [TG, "execute", "job.py", "-q", "--lease", str(LEASE)]
        command += [*map(str, options), "--store", self.store, "--", *self.words]
        with (self.folder / "said").open("ab") as said:
            self.runs.append(
                subprocess.Popen(
                    command,
                    cwd=self.folder,
                    env=ENVIRONMENT,
                    stdout=said,
                    stderr=said,
                    start_new_session=True,
                )
            )

    def done(self) -> int:
        """Return how many tasks have a result."""
        try:
            backend = open_backend(self.store, create=False)
        except NoStoreError:
            return 0
        backend.poll()
        return len(list(backend.keys()))

    def wait_for(self, tasks: int, seconds: float) -> None:
        """Return when so many tasks have a result."""
        until = time.monotonic() + seconds
        while self.done() < tasks:
            assert time.monotonic() < until, self.done()
            time.sleep(0.3)

    def finish(self) -> None:
        """Wait until the workers that were started here have ended well."""
        try:
            for run in self.runs:
                assert run.wait(3000) == 0, (self.folder / "said").read_text()
        finally:
            for run in self.runs:
                end(run)

    def digest(self) -> str:
        return digest_of(self.folder / "job.py", self.store)


def digest_on_nfs(rig: Rig, size: tuple[int, int]) -> str:
    """Return the digest of what workers on all clients of a server did at once."""
    words = " ".join(map(str, size))
    run = f"{NFS_TG} execute job.py -q -j 2 --lease {LEASE} -- {words}"
    first, *_, last = rig.clients
    first.sh(f"mkdir {MOUNT}/same && cp {JUGFILE} {MOUNT}/same/job.py", check=True)
    runs = [node.start(f"cd {MOUNT}/same && {run}", 3000) for node in rig.clients]
    for each in runs:
        ended = each.result(3100)
        assert ended.rc == 0, ended
    paths = f"{MOUNT}/same/job.py {MOUNT}/same/job.tgdata"
    asked = f"cd {ROOT} && {PYTHON} -m tests.clusters.digest {paths}"
    return last.sh(asked, 600, check=True).out
