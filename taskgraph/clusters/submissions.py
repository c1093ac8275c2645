"""What was submitted for a jugfile: a numbered folder each, beside it.

In it are the job script (``script``), what only its user may read (``environment``:
the store's URL may hold a password), what the jobs print (``log.1`` ...) and what
`tg jobs` needs to know (``about.json``).
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from taskgraph.clusters.programs import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_ABOUT = "about.json"


@dataclass(frozen=True, slots=True)
class Submission:
    """An array of jobs that was submitted.

    Attributes
    ----------
    number : int
        From 1, for this jugfile.
    system, job : str
        The batch system, and its own name for the array.
    count : int
        How many jobs.
    workers : int
        How many workers each of them starts.
    resources : str
        What each of them has, as it was written.
    at : float
        When, in seconds since 1970.
    """

    number: int
    system: str
    job: str
    count: int
    workers: int
    resources: str
    at: float
    place: Path = field(compare=False)

    def log(self, number: int) -> Path:
        """Return the file with what a job printed; none if it has not begun."""
        return self.place / f"log.{number}"


def folder_of(jugfile: Path) -> Path:
    """Return where the submissions for a jugfile are.

    Examples
    --------
    >>> from pathlib import Path
    >>> folder_of(Path("/data/thresholds.py"))
    PosixPath('/data/thresholds.tgjobs')
    """
    return jugfile.absolute().with_suffix(".tgjobs")


@contextmanager
def new_place(jugfile: Path) -> Iterator[tuple[int, Path]]:
    """Make the folder of a new submission; it goes again if the block raises.

    Yields
    ------
    int
        The submission's number.
    Path
        Its folder.

    Raises
    ------
    ClusterError
        Nothing can be written beside the jugfile.
    """
    folder = folder_of(jugfile)
    number = max(_numbers(folder), default=0)
    try:
        folder.mkdir(exist_ok=True)
        while True:
            number += 1
            with suppress(FileExistsError):  # somebody else submits, too
                (folder / str(number)).mkdir()
                break
    except OSError as error:
        raise ClusterError(
            f"job scripts are kept beside the jugfile, in {folder}, and that cannot be "
            f"written: {error.strerror}"
        ) from error
    place = folder / str(number)
    try:
        yield number, place
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        with suppress(OSError):
            folder.rmdir()  # if it was the first
        raise


def write_environment(place: Path, variables: Mapping[str, str]) -> None:
    """Write down the variables of the jobs, for a shell, and for nobody else's eyes."""
    lines = [f"{name}={shlex.quote(text)}\n" for name, text in variables.items()]
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(place / "environment", flags, 0o600), "w") as file:
        file.writelines(lines)


def write_script(place: Path, text: str) -> Path:
    """Write the job script; return its path."""
    path = place / "script"
    path.write_text(text)
    path.chmod(0o755)
    return path


def keep(submission: Submission) -> None:
    """Write down what was submitted."""
    about = asdict(submission)
    del about["place"]
    written = submission.place / f"{_ABOUT}.new"
    written.write_text(json.dumps(about, indent=1))
    written.replace(submission.place / _ABOUT)


def submissions_of(jugfile: Path) -> list[Submission]:
    """Return what was submitted for a jugfile, the first one first."""
    folder = folder_of(jugfile)
    found = []
    for number in sorted(_numbers(folder)):
        place = folder / str(number)
        with suppress(FileNotFoundError, ValueError, TypeError):
            about = json.loads((place / _ABOUT).read_text())
            found.append(Submission(**about, place=place))
    return found


def now_submitted(
    number: int,
    place: Path,
    system: str,
    job: str,
    count: int,
    workers: int,
    resources: str,
) -> Submission:
    """Return a submission of this moment."""
    now = time.time()
    return Submission(number, system, job, count, workers, resources, now, place)


def useful_jobs(ready: int, waiting: int, workers: int, most: int) -> int:
    """Return how many more jobs would find something to do now.

    Parameters
    ----------
    ready : int
        Tasks that can be run, and for which no worker is there.
    waiting : int
        Jobs that were submitted and have not begun.
    workers : int
        How many workers each job starts.
    most : int
        No more than so many jobs.

    Examples
    --------
    >>> useful_jobs(ready=92, waiting=10, workers=4, most=50)
    13
    >>> useful_jobs(ready=3, waiting=8, workers=1, most=50)
    0
    """
    lacking = ready - waiting * workers
    return max(0, min(most, -(-lacking // workers)))


def _numbers(folder: Path) -> list[int]:
    try:
        return [int(path.name) for path in folder.iterdir() if path.name.isdecimal()]
    except (FileNotFoundError, NotADirectoryError):
        return []
