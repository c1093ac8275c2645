"""Which benchmarks there are, each in a form that takes some seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """One table of the page, and the command that makes it."""

    name: str
    title: str
    about: str
    call: str
    """Script and arguments."""
    limit: float = 60
    """After how many seconds it is stopped."""

    @property
    def command(self) -> str:
        """What to type, from the checkout's folder."""
        return f"python benchmarks/{self.call}"


PARTS = (
    Part(
        "first-run",
        "The first run",
        "`segkit run` of one small image, with nothing compiled or cached, and again.",
        "first_run.py",
        90,
    ),
    Part(
        "pictures",
        "Pictures",
        "Labels drawn on an image, and saved as PNG; with the sizes of both files.",
        "filters.py pictures",
    ),
    Part(
        "thresholds",
        "Thresholds",
        "All global methods beside mahotas' Otsu, and beside scikit-image's.",
        "filters.py thresholds",
        40,
    ),
    Part(
        "median",
        "Median",
        "Square and cubic windows, one thread; in a plain install there is no OpenCV.",
        "filters.py median --runs 2",
        90,
    ),
    Part("h-maxima", "Maxima", "One thread.", "filters.py h_maxima --runs 2", 40),
    Part(
        "label",
        "Labels of planes",
        "One thread, ids as scipy's; beside the fastest of scipy, cc3d and OpenCV.",
        "labelling.py --planes 4096 8192 --runs 2",
        90,
    ),
    Part(
        "watershed",
        "Watershed",
        "From the markers at local minima.",
        "filters.py watershed --runs 2",
        70,
    ),
    Part(
        "threads",
        "Threads",
        "Two beside one. At best is what the machine gives: twice the time of one run, "
        "over that of two in two processes at once, which share nothing but its core, "
        "caches and memory; in brackets how much of that two threads reach. Of "
        "`minimum` only the counting is shared: each smoothing of the histogram goes "
        "on from the one before, to the same bit.",
        "threads.py --repeats 2",
        120,
    ),
    Part(
        "two-workers",
        "Two workers on a disk",
        "1,000 tasks for each, that sleep 10 ms.",
        "many_workers.py two --rounds 2",
        70,
    ),
    Part(
        "many-workers",
        "Many workers",
        "Tasks that sleep, on one store; what is compared with is the sleep alone.",
        "many_workers.py short middle long --rounds 1",
        70,
    ),
    Part(
        "tiny",
        "Tiny tasks",
        "10,000 calls that do nothing, and their sum; start-up included. A call takes"
        " 120,000 instructions of its worker (callgrind, CPython 3.11): 15 % to read "
        "it and make its key, 12 % to lock it, 10 % to publish its record, 62 % to "
        "run it. That is what is promised: the supervisor knows what runs, what is "
        "printed is told apart, folder and umask are put back, a child that returns "
        "is ended, time, CPU and memory are measured. The start of tg takes as many "
        "as 4,000 calls.",
        "engine.py overhead",
        150,
    ),
    Part(
        "warm",
        "Once more",
        "Commands on 100,000 tasks that are done.",
        "engine.py warm",
        120,
    ),
    Part(
        "million",
        "A million tasks",
        "Time, files and memory for each of them.",
        "engine.py million",
        120,
    ),
    Part(
        "barriers",
        "Barriers",
        "Time should grow as the number of tasks does.",
        "engine.py barriers",
        60,
    ),
    Part(
        "results",
        "Results",
        "Stored and loaded, in memory, by CPU time; joblib keeps no checksum.",
        "results.py",
        70,
    ),
    Part(
        "reducers",
        "Many tasks that load much",
        "What several tasks of one worker load.",
        "engine.py reducers",
        60,
    ),
    Part(
        "arrays",
        "Large arrays",
        "By the clock, through to the disk.",
        "engine.py arrays",
        60,
    ),
    Part(
        "waiting",
        "Waiting for each other",
        "Two workers, each of which needs what the other makes.",
        "engine.py waiting --runs 1",
        60,
    ),
    Part("start", "Start", "Of commands.", "engine.py start --runs 2", 30),
    Part(
        "build",
        "Writing tasks down",
        "From the call to the key, in one process.",
        "engine.py build --tasks 200000",
        60,
    ),
    Part(
        "joining",
        "Joining a store",
        "What a new worker reads of what the others have done.",
        "joining.py --results 200000 --segments 10000 --runs 3",
        60,
    ),
    Part(
        "keys",
        "Keys of tables",
        "pandas frames as arguments, beside joblib.",
        "keys_of_tables.py --runs 3",
    ),
    Part(
        "filters",
        "Filters and morphology",
        "One thread.",
        "filters.py filters morphology --runs 2",
        90,
    ),
    Part(
        "measurement",
        "Measuring objects",
        "One thread; values are the same.",
        "measurement.py --size 128 --runs 2",
    ),
    Part(
        "volumes",
        "Labels of volumes",
        "Whole and tile by tile, two threads if nothing else is said.",
        "labelling.py --size 256 --volumes blob --dask-size 0 --runs 2",
        60,
    ),
    Part(
        "stored-labels",
        "Labels as stored tasks",
        "Every tile, seam and merge is a task with a result that is kept.",
        "workflow_labelling.py --size 256 --runs 1",
        40,
    ),
    Part(
        "slic",
        "Superpixels",
        "One thread.",
        "superpixels.py --shape 32 128 128 --segments 1000",
        40,
    ),
    Part(
        "scores", "Scores", "Of one segmentation.", "accuracy/scores.py --size 96", 40
    ),
    Part(
        "io",
        "Images",
        "Written and read, in the page cache.",
        "io.py --planes 48 --runs 2 --writers 2",
        60,
    ),
    Part(
        "ndnt",
        "N-dimensional neighbourhood thresholding",
        "Beside FLoRIN's own, in an environment that is made at the first run.",
        "ndnt.py 4096^2 --runs 3",
        150,
    ),
    Part(
        "large-volume",
        "A volume tile by tile",
        "Threshold, labels, measures, classes and pictures; the table must be right.",
        "large_volume.py --gigabytes 0.5",
        60,
    ),
)
