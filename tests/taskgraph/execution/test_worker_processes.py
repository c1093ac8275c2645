"""Workers as processes: standard input, signals, programs, files, and their end."""

import os
import signal
import time
from pathlib import Path

import pytest

from taskgraph.execution.processes import processors


@pytest.mark.parametrize("reading", ["sys.stdin.read()", "input()", "list(sys.stdin)"])
def test_a_jugfile_that_reads_standard_input_is_told_that_it_cannot(tg, reading):
    tg.write("job.py", f"import sys\n{reading}\n")

    refused = tg("execute", "job.py", code=2, stdin="a\nb\n")

    assert "job.py:2: " in refused.stderr
    assert "standard input can be read only once" in refused.stderr


def test_tasks_leave_standard_input_to_the_caller(tg):
    tg.write(
        "job.py",
        """
import subprocess, sys
from taskgraph import TaskGenerator
@TaskGenerator
def read():
    shown = subprocess.run(["cat"], capture_output=True, text=True).stdout
    return shown, sys.stdin.read()
read()
""",
    )
    for options in ((), ("--preload",)):
        tg("execute", "-q", *options, "job.py", stdin="mine\n")
        assert tg("value", "job.py", "read").stdout == "('', '')\n"
        tg("invalidate", "job.py", "--name", "read", "--yes")


PROGRAMS = """
import signal, subprocess
from taskgraph import TaskGenerator

@TaskGenerator
def end(how):
    program = subprocess.Popen(["sleep", "20"])
    program.send_signal(getattr(signal, how))
    try:
        return program.wait(3)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait()
        return "deaf"

@TaskGenerator
def all(codes):
    return codes

names = ["SIGINT", "SIGHUP", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGXCPU"]
all([end(name) for name in names])
"""


@pytest.mark.parametrize("options", [(), ("--preload",), ("--debug",)])
def test_programs_that_tasks_start_end_by_the_signals_that_are_sent_to_them(
    tg, options
):
    tg.write("job.py", PROGRAMS)

    tg("execute", "-q", *options, "job.py")

    numbers = [-2, -1, -15, -10, -12, -24]
    assert tg("value", "job.py", "all").stdout.strip() == str(numbers)


def test_a_program_that_ctrl_c_ends_is_no_failure_of_its_task(tg):
    tg.write(
        "job.py",
        """
import subprocess
from taskgraph import TaskGenerator
@TaskGenerator
def wait():
    open("began", "w").close()
    subprocess.run(["sleep", "20"], check=True)
wait()
""",
    )
    run = tg.start("execute", "job.py")
    tg.wait_for("began")
    time.sleep(0.3)

    os.killpg(run.pid, signal.SIGINT)

    assert run.wait(timeout=15) == 128 + signal.SIGINT
    assert tg.json("status", "job.py")["total"]["failed"] == 0
    assert tg.json("locks", "job.py") == []


WRITTEN = """
import atexit, gzip, os
from taskgraph import TaskGenerator

log = open("log.txt", "a")
{more}

@TaskGenerator
def step(i):
    log.write(f"did {{i}}; ")
    if i == 0:
        atexit.register(open("ended.txt", "w").write, "ended")
    return i

for i in range(5):
    step(i)
"""


@pytest.mark.parametrize(
    "options", [("-j", "2"), ("-j", "2", "--preload"), ("--debug",)]
)
def test_what_tasks_wrote_to_an_open_file_is_there_at_the_end(tg, options):
    tg.write("job.py", WRITTEN.format(more="log.write('begun; ')"))

    tg("execute", "job.py", "-q", *options)

    written = (tg.folder / "log.txt").read_text()
    assert written.count("did") == 5
    begun = {1, 2} if options == ("-j", "2") else {1}  # by each that was needed
    assert written.count("begun") in begun
    assert (tg.folder / "ended.txt").read_text() == "ended"


def test_a_worker_closes_its_files_as_any_program_does(tg):
    more = "import gzip; log = gzip.open('log.gz', 'wt')"
    tg.write("job.py", WRITTEN.format(more=more))

    tg("execute", "job.py", "-q")

    import gzip

    with gzip.open(tg.folder / "log.gz", "rt") as file:
        assert file.read().count("did") == 5


RENAMED = {
    "another name": "sys.modules['mine.ctypes'] = ctypes",
    "numba": "import numba.types",
    "moved to the end": "sys.modules['ctypes'] = sys.modules.pop('ctypes')",
    "forgotten": "del sys.modules['ctypes'], sys.modules['gc'], sys.modules['io']",
    "loaded anew": "del sys.modules['ctypes']; import ctypes",
    "all are others": "sys.modules.update({f'my.{n}': m for n, m in kept.items()})",
}


@pytest.mark.parametrize("what", RENAMED)
def test_a_worker_ends_well_whatever_modules_are_called(tg, what):
    more = f"import ctypes, sys; kept = dict(sys.modules)\n{RENAMED[what]}"
    tg.write("job.py", WRITTEN.format(more=more))

    said = tg("execute", "job.py", "-q")

    assert not said.stderr
    assert (tg.folder / "log.txt").read_text().count("did") == 5
    assert (tg.folder / "ended.txt").read_text() == "ended"


ENDING = """
import os
from taskgraph import TaskGenerator
import beside

class Noted:
    def __init__(self, name):
        self.name = name
        self.me = self
    def __del__(self):
        with open(os.path.join(folder, self.name), "w") as file:
            file.write(beside.words)

folder = os.getcwd()
of_the_jugfile, beside.of_a_neighbour = Noted("jugfile"), Noted("neighbour")
{more}

@TaskGenerator
def step(i):
    step.of_a_function = Noted("function")
    return i

step(1)
"""


@pytest.mark.parametrize("more", ["", "import numpy, json, pandas"])
def test_what_the_jugfile_made_is_ended_with_all_that_it_needs(tg, more):
    tg.write("beside.py", "words = 'as it was'\n")
    tg.write("job.py", ENDING.format(more=more))

    done = tg("execute", "job.py", "-q")

    assert "ignored" not in done.stderr
    for name in ("jugfile", "function", "neighbour"):
        assert (tg.folder / name).read_text() == "as it was"


def test_a_log_that_a_jugfile_without_imports_opened_has_all_lines(tg):
    """Nothing that it imports makes a collection of garbage before its end."""
    tg.write(
        "job.py",
        """
from taskgraph import TaskGenerator
log = open("log.txt", "a")
@TaskGenerator
def step(i):
    log.write(f"did {i}; ")
for i in range(5):
    step(i)
""",
    )

    tg("execute", "job.py", "-q")

    assert (tg.folder / "log.txt").read_text().count("did") == 5


ORPHANS = {
    "a task in Python": "while True: time.sleep(0.01)",
    "a task in C": "re.match('(a+)+$', 'a' * 64 + 'b')",
    "deaf": "[signal.signal(n, signal.SIG_IGN) for n in (2, 15)], time.sleep(99)",
    "stopped": "os.kill(os.getpid(), signal.SIGSTOP)",
}


@pytest.mark.parametrize("how", [*ORPHANS, "reading", "waiting"])
def test_workers_end_within_a_second_when_their_supervisor_is_gone(tg, how):
    began = "open('began', 'w').close()"
    top = {"reading": f"{began}; time.sleep(99)", "waiting": began}.get(how, "")
    tg.write(
        "job.py",
        f"""
import os, re, signal, time
from taskgraph import TaskGenerator
{top}
@TaskGenerator
def stay(i):
    {began}
    {ORPHANS.get(how, "")}
@TaskGenerator
def never(i): pass
never(stay(1))
""",
    )
    run = tg.start("execute", "job.py", *(["--name", "never"] * (how == "waiting")))
    tg.wait_for("began")
    time.sleep(1.0 if how == "waiting" else 0.2)
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()

    run.kill()
    run.wait()

    until = time.monotonic() + 1
    while any(map(alive, children)) and time.monotonic() < until:
        time.sleep(0.01)
    assert children
    assert not any(map(alive, children))


def alive(pid):
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.parametrize("how", ["os.system(LINE)", "shell()"])
def test_programs_of_a_task_end_with_it_at_its_timeout(tg, how):
    nap = f"sleep 7.31{os.getpid()}"  # others may run this test now, on this machine
    tg.write(
        "job.py",
        f"""
import os, subprocess
from taskgraph import TaskGenerator
LINE = "{nap}; touch late"
def shell():
    subprocess.run(LINE, shell=True)
@TaskGenerator(timeout=0.5)
def late():
    {how}
late()
""",
    )

    tg("execute", "job.py", "-q", code=1)

    assert tg.json("errors", "job.py")[0]["cause"] == "timeout"
    assert nap not in _commands()


def _commands():
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return "\n".join(lines)


def test_ctrl_c_ends_workers_that_read_the_jugfile_at_once(tg):
    tg.write("job.py", "import time\nopen('began', 'w').close()\ntime.sleep(60)\n")
    run = tg.start("execute", "job.py", "-j", "2")
    tg.wait_for("began")

    os.killpg(run.pid, signal.SIGINT)

    assert run.wait(timeout=10) == 128 + signal.SIGINT
    assert "Traceback" not in run.stdout.read()
    assert not (tg.folder / "job.tgdata").exists()


CPUS = """
import os
from taskgraph import TaskGenerator

read = os.environ["TG_CPUS"]

@TaskGenerator
def cpus(i):
    return read, os.environ["TG_CPUS"], os.popen("echo $TG_CPUS").read().strip()

@TaskGenerator
def all(found):
    return sorted(set(found))

all([cpus(i) for i in range(8)])
"""


@pytest.mark.parametrize(("jobs", "each"), [("1", "7"), ("3", "2"), ("9", "1")])
def test_workers_divide_the_processors_that_the_environment_grants(tg, jobs, each):
    tg.write("job.py", CPUS)

    tg("execute", "-q", "-j", jobs, "job.py", env={"TG_CPUS": "7"})

    assert tg("value", "job.py", "all").stdout == f"[{(each,) * 3}]\n"


def test_a_number_of_processors_that_is_none_is_refused(tg):
    tg.write("job.py", CPUS)

    refused = tg("execute", "job.py", code=2, env={"TG_CPUS": "all"})

    assert "TG_CPUS is 'all'" in refused.stderr


@pytest.mark.parametrize("name", ["OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"])
def test_processes_that_mpiexec_started_share_a_machine(monkeypatch, name):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(16), raising=False)

    assert processors.share(2, {}) == 8
    assert processors.share(2, {name: "4"}) == 2
    assert processors.share(2, {name: "4", "TG_CPUS": "4"}) == 2
