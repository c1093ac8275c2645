"""A pipeline that runs as an array of jobs of Slurm, and waits for them.

    python jugfiles/slurm_pipeline.py out a.tif b.tif

FLoRIN's documentation shows how to add a kind of pipeline of one's own: one that takes
options of `sbatch`, writes a job script, submits it, and blocks until all jobs have
ended. This is the same on top of `segkit submit`, which writes the script. Jobs that
die are no loss: their work is done by the others, or when it is called again.
"""

import argparse
import json
import subprocess
import time
from pathlib import Path

from segkit import Pipeline

HERE = Path(__file__).parent


class SlurmPipeline:
    """Runs steps over images in an array of jobs.

    Parameters
    ----------
    pipeline : Pipeline
        The steps.
    file : Path
        Where these are saved; job scripts, logs and the store are beside it.
    jobs : int
        How many jobs.
    limit : str
        The time limit of each, as "4h".
    sbatch : sequence of str
        More options for Slurm, as "--partition=long".
    system : str
        Where they run; "--sge" or "--local" will do, too.
    """

    def __init__(self, pipeline, file, jobs=4, limit="1h", sbatch=(), system="--slurm"):
        self.file = Path(file)
        self.options = [system, "-n", str(jobs), "--time", limit]
        self.options += [word for one in sbatch for word in ("--directive", one)]
        pipeline.save(self.file)

    def run(self, images, out):
        """Submit the jobs and return when they have ended, with all done.

        Raises
        ------
        subprocess.CalledProcessError
            Slurm refuses, or something failed; what it was is told.
        """
        told = [str(self.file), *map(str, images), "-o", str(out), *self.options]
        subprocess.run(["segkit", "submit", *told], check=True)
        while self.going_on():
            time.sleep(1)
        subprocess.run(["tg", "check", str(self.file)], check=True)

    def going_on(self):
        """Return whether jobs wait or run."""
        told = ["tg", "jobs", str(self.file), "--json"]
        rows = json.loads(subprocess.run(told, check=True, stdout=-1).stdout)
        return any(row["ended"] < row["jobs"] for row in rows)


if __name__ == "__main__":
    words = argparse.ArgumentParser(allow_abbrev=False)
    words.add_argument("out", metavar="OUT")
    words.add_argument("images", nargs="+", metavar="IMAGE")
    given = words.parse_args()
    pipeline = Pipeline.load(HERE / "pipeline.toml")
    SlurmPipeline(pipeline, "slurm_pipeline.toml").run(given.images, given.out)
