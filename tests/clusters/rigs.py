"""Slurm and Grid Engine on this machine, for as long as tests need them."""

from __future__ import annotations

import json
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

HERE = Path(__file__).parent
PROGRAMS = Path(sys.executable).parent
JOB = """
import sys
import time
from pathlib import Path
from taskgraph import TaskGenerator

seconds, count = float(sys.argv[1]), int(sys.argv[2])

@TaskGenerator
def nap(i, seconds):
    Path(f"began-{i}").touch()
    time.sleep(seconds)
    return i

naps = [nap(i, seconds) for i in range(count)]
"""


@contextmanager
def started(script, variable, *size, **variables):
    """Start a batch system; yield how commands are run by it and its folder."""
    work = Path(tempfile.mkdtemp(prefix="batch-"))
    environ = {k: v for k, v in os.environ.items() if not k.startswith("TG_")}
    environ |= {variable: str(work / "rig"), **variables}
    call = ["bash", str(HERE / script)]
    subprocess.run([*call, "up", *size], env=environ, check=True, stdout=sys.stderr)
    try:
        yield call, environ, work / "rig"
    finally:
        subprocess.run([*call, "down"], env=environ, check=True)
        shutil.rmtree(work)


class Cluster:
    """A folder of one test, and the commands of a batch system in it."""

    def __init__(self, folder, environ, hosts=()):
        self.folder, self.environ, self._hosts = folder, environ, hosts
        (folder / "job.py").write_text(JOB)

    def sh(self, line, code=0):
        words = ["bash", "-c", line]
        if self._hosts:
            words = [
                *self._hosts,
                "on",
                "1",
                f"cd {shlex.quote(str(self.folder))} && {line}",
            ]
        done = subprocess.run(
            words,
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == code, (line, done.stdout, done.stderr)
        return done

    def lose(self, host):
        """Cut the power of a host."""
        subprocess.run([*self._hosts, "lose", str(host)], env=self.environ, check=True)

    def tg(self, *words, code=0):
        return self.sh(shlex.join([str(PROGRAMS / "tg"), *map(str, words)]), code)

    def json(self, *words):
        return json.loads(self.tg(*words, "--json").stdout)

    def begun(self):
        return len(list(self.folder.glob("began-*")))

    def done(self):
        if not self.begun():  # the store may be in the making
            return 0
        return self.json("status", "job.py")["total"]["done"]

    def all_done(self, count):
        """Return whether so many tasks are done; asked only when all have begun."""
        return self.begun() >= count and self.done() >= count

    def no_lock_is_left(self):
        return not any(row["tasks"] for row in self.json("locks", "job.py"))

    def wait_until(self, holds, seconds=90.0):
        """Return when something holds; tell what jobs printed if it does not."""
        until = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < until, self.tg("jobs", "job.py", "--log").stdout
            time.sleep(0.3)

    def wait_for_jobs(self):
        """Return when no job is listed any more."""

        def ended():
            rows = self.json("jobs", "job.py")
            return all(row["ended"] == row["jobs"] for row in rows)

        self.wait_until(ended)

    def ran_by(self):
        """Return the batch system's names of the jobs that ran tasks, and the hosts."""
        from taskgraph.context import open_store

        results = open_store(self.folder / "job.tgdata")
        results.backend.poll()
        records = [results.record(key) for key in list(results.backend.keys())]
        about = [record.context for record in records if record is not None]
        return {one["job"] for one in about}, {one["host"] for one in about}

    def left_clean(self):
        """Return whether no lock is left, and no task blamed for a worker's death."""
        from backends.opening import open_backend

        backend = open_backend(self.folder / "job.tgdata", create=False)
        backend.poll()
        return not backend.locks() and not backend._state.deaths


@contextmanager
def slurm():
    port = str(random.randrange(20000, 30000, 10))
    with started("slurm_up.sh", "SLURM_WORK", "3", SLURM_PORT=port) as (_, env, rig):
        yield lambda folder: Cluster(
            folder, {**env, "SLURM_CONF": str(rig / "slurm.conf")}
        )


@contextmanager
def grid_engine():
    with started("sge_up.sh", "SGE_WORK", "2", "2") as (call, environ, _):
        yield lambda folder: Cluster(folder, environ, call)


def processes(environ, command=()):
    """Return the processes that have these in their environment and command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            told = (path / "environ").read_bytes().decode(errors="replace").split("\0")
            words = (path / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if {*environ} <= {*told} and {*command} <= {*words}:
                found.append(int(path.name))
    return found


def parents(pids, name):
    """Return those parents of processes whose name begins so."""
    found = set()
    for pid in pids:
        with suppress(OSError):
            stat = Path(f"/proc/{pid}/stat").read_text()
            parent = int(stat.rpartition(")")[2].split()[1])
            if Path(f"/proc/{parent}/comm").read_text().startswith(name):
                found.add(parent)
    return found


def kill(pids):
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def host_at_work(cluster):
    rows = cluster.json("jobs", "job.py", "1")
    return next(row for row in rows if row["host"])


def kill_node(cluster, node):
    """Cut a node's power: first those who would tell that the others have ended."""
    conf = f"SLURM_CONF={cluster.environ['SLURM_CONF']}"
    jobs = processes([conf, f"SLURMD_NODENAME={node}"])
    kill(processes([conf], ["slurmd", "-N", node]))
    kill(parents(jobs, "slurmstepd"))
    kill(jobs)


def wait_for_nodes(cluster):
    """Return when all nodes are there: one that was killed takes its time."""
    idle = "sinfo -h -p main -t idle -o %D"
    cluster.wait_until(lambda: cluster.sh(idle).stdout.strip() == "3", 150.0)
