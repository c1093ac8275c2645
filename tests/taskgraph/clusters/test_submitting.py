"""`tg submit`, `jobs` and `cancel` where no batch system need be installed."""

from __future__ import annotations

import os
import shutil
import stat
import time
from contextlib import suppress
from pathlib import Path

import pytest

from taskgraph.clusters.machines import Machines
from taskgraph.clusters.orders import Element

from . import fake_systems

SECRET = "hunter2"
TOOLS = ("bash", "cut", "git", "hostname", "sed", "setsid", "sh")


@pytest.fixture(params=["pbs", "lsf", "k8s"])
def system(request, tg):
    """Let `tg` find the programs of one system, and others that all have."""
    use(tg, request.param)
    return request.param


def command_lines(folder):
    """Return those of processes in a folder: others may run the same tests."""
    lines = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            if (process / "cwd").readlink() == folder:
                lines.append((process / "cmdline").read_bytes())
    return lines


def use(tg, *names):
    """Let `tg` find programs of these systems, and no other batch system's."""
    tools = tg.folder / "tools"
    tools.mkdir()
    for name in TOOLS:
        (tools / name).symlink_to(shutil.which(name))
    paths = []
    for name in names:
        fake_systems.install(name, tg.folder / f"bin-{name}")
        paths.append(str(tg.folder / f"bin-{name}"))
    tg.env["PATH"] = ":".join([*paths, str(tools)])
    tg.env["FAKE_SYSTEMS"] = str(tg.folder / "fake")
    tg.env["HOME"] = str(tg.folder)


def more_for(system):
    return ("--k8s", "--image", "lab/images:1") if system == "k8s" else ()


def going_on(tg):
    """Return whether a process of a job goes on, as files tell: that is soon asked."""
    fake = [("pid", path) for path in tg.folder.glob("fake/*/pid.*")]
    real = [("process", path) for path in tg.folder.glob("*.tgjobs/*/process.*")]
    return any(
        not path.with_name(path.name.replace(word, "ended")).exists()
        for word, path in [*fake, *real]
    )


def ended(tg, jugfile="slow.py"):
    """Return the rows of `tg jobs` when all jobs have ended."""
    while True:
        while going_on(tg):
            time.sleep(0.05)
        rows = tg.json("jobs", jugfile)
        if all(row["ended"] == row["jobs"] for row in rows):
            return rows
        time.sleep(0.2)


def states_of(tg):
    return [row["state"] for row in tg.json("jobs", "slow.py", "1")]


def begun(tg):
    """Return how often each job of the fake system was begun."""
    return [len(p.read_text()) for p in (tg.folder / "fake").glob("*/begun.*")]


def test_an_array_runs_all_tasks_and_its_logs_are_kept(tg, system):
    tg.jugfile("slow.py")

    given = ("-n", "3", "--time", "2h", *more_for(system))
    tg("submit", "slow.py", *given, "--", "0.1", "12")

    (row,) = ended(tg)
    assert (row["system"], row["jobs"], row["number"]) == (system, 3, 1)
    assert tg.json("status", "slow.py")["total"]["done"] == 12
    if system != "k8s":  # its logs are those of the pods
        assert "12 done" in tg("jobs", "slow.py", "1.1", "--log").stdout


def test_jobs_whose_limits_leave_work_are_started_again(tg, system):
    tg.jugfile("slow.py")

    given = ("-n", "2", "--max-tasks", "2", *more_for(system))
    tg("submit", "slow.py", *given, "--", "0.05", "9")

    ended(tg)
    assert tg.json("status", "slow.py")["total"]["done"] == 9
    again = len(begun(tg)) > 2 if system == "pbs" else max(begun(tg)) > 1
    assert again


def test_jobs_that_are_cancelled_give_back_what_they_run(tg, system):
    tg.jugfile("slow.py")
    tg("submit", "slow.py", "-n", "2", *more_for(system), "--", "600", "4")
    tg.wait_for("began-*", 2)

    said = tg("cancel", "slow.py").stderr

    assert "2 jobs told to end" in said
    ended(tg)
    assert tg.json("locks", "slow.py") == []
    assert "no such job goes on" in tg("cancel", "slow.py", "1").stderr


@pytest.mark.parametrize("system", ["pbs", "lsf"])
def test_one_job_of_an_array_can_be_cancelled(tg, system):
    use(tg, system)
    tg.jugfile("slow.py")
    tg("submit", "slow.py", "-n", "2", "--", "600", "4")
    tg.wait_for("began-*", 2)

    tg("cancel", "slow.py", "1.2")

    while not list(tg.folder.glob("fake/*/ended.2")):
        time.sleep(0.05)
    states = [row["state"] for row in tg.json("jobs", "slow.py", "1")]
    assert states == ["running", "ended"]
    tg("cancel", "slow.py")
    ended(tg)


@pytest.mark.parametrize("system", ["lsf", "k8s"])  # by a file, or in a secret
def test_a_store_s_password_is_in_no_script_log_or_process_list(tg, system):
    use(tg, system)
    tg.jugfile("slow.py")
    store = tg.folder / f"store-{SECRET}"
    given = ("-n", "2", *more_for(system), "--export", f"TOKEN={SECRET}")
    said = tg("submit", "slow.py", "--store", store, *given, "--", "600", "4")
    tg.wait_for("began-*", 2)

    processes = command_lines(tg.folder)
    folder = tg.folder / "slow.tgjobs"
    kept = {p.name: p for p in folder.rglob("*") if p.is_file()}
    environment = kept.pop("environment")
    script = tg("submit", "slow.py", *given, "--store", store, "--dry-run").stdout

    mine = [line for line in processes if b"slow.py" in line]
    assert mine
    assert not any(SECRET.encode() in line for line in mine)
    assert not any(SECRET in path.read_text() for path in kept.values())
    assert SECRET not in script
    assert SECRET in environment.read_text()
    assert stat.S_IMODE(environment.stat().st_mode) == 0o600
    assert SECRET not in said.stderr + said.stdout
    tg("cancel", "slow.py")
    ended(tg)


def test_what_was_given_goes_to_the_workers_and_settings_of_files_too(tg):
    use(tg, "pbs")
    tg.jugfile("slow.py")
    tg.write("tg.toml", 'lease = 7.5\n[submit]\ncount = 3\ntime = "90m"\n')

    script = tg(
        *("submit", "slow.py", "-j", "2", "--name", "nap", "--retry", "--max-time"),
        *("1h", "--directive", "-q long", "--dry-run", "--", "1", "a b"),
    ).stdout

    assert "#PBS -l walltime=01:30:00\n#PBS -q long\n" in script
    assert "#PBS -l select=1:ncpus=2" in script
    command = next(line for line in script.splitlines() if "execute" in line)
    options = "--name nap --jobs 2 --retry --max-time 3600.0s --lease 7.5"
    assert options in command
    assert command.endswith("slow.py -- 1 'a b'")
    assert not (tg.folder / "slow.tgjobs").exists()


def test_as_many_jobs_are_submitted_as_are_useful(tg):
    use(tg, "lsf")
    tg.jugfile("slow.py")

    tg("submit", "slow.py", "-n", "3", "--", "600", "5")
    tg.wait_for("began-*", 3)
    tg("submit", "slow.py", "-n", "9", "--top-up", "--", "600", "5")

    first, *more = tg.json("jobs", "slow.py")
    # Two tasks are ready and three workers are there, which will take them.
    assert (first["jobs"], more) == (3, [])
    tg("cancel", "slow.py")
    ended(tg)
    said = tg("submit", "slow.py", "-n", "4", "--top-up", "--", "600", "5").stderr
    assert "submitted 4 jobs" in said
    tg("cancel", "slow.py")
    ended(tg)


def test_a_script_of_one_s_own_is_taken_instead(tg):
    use(tg, "pbs")
    tg.jugfile("slow.py")
    template = tg("submit", "slow.py", "--show-template").stdout
    tg.write("mine.sh", template.replace("@directives@", "#PBS -A lab\n@directives@"))
    tg.write("wrong.sh", template + "@partition@\n")

    given = ("submit", "slow.py", "--template")
    script = tg(*given, "mine.sh", "--dry-run").stdout
    said = tg(*given, "wrong.sh", code=2).stderr

    assert "#PBS -A lab\n#PBS -l select=1:ncpus=1" in script
    assert "wrong.sh: nothing is put for @partition@; there is @command@" in said
    assert not (tg.folder / "slow.tgjobs").exists()


def test_the_processes_of_this_machine_outlive_the_command(tg):
    tg.jugfile("slow.py")

    tg("submit", "slow.py", "-n", "2", "--local", "--", "0.2", "8")

    assert [row["host"] for row in tg.json("jobs", "slow.py", "1")]
    ended(tg)
    assert tg.json("status", "slow.py")["total"]["done"] == 8
    assert "8 done" in tg("jobs", "slow.py", "--log").stdout


def test_processes_of_this_machine_are_cancelled_and_nobody_else_s(tg):
    tg.jugfile("slow.py")
    tg("submit", "slow.py", "-n", "2", "--local", "--", "600", "4")
    assert states_of(tg) != ["ended"] * 2
    tg.wait_for("began-*", 2)
    place = tg.folder / "slow.tgjobs" / "1"
    host, _, since = (place / "process.1").read_text().split()
    stranger = f"{host} {os.getpid()} {int(since) + 1}"
    kept = (place / "process.1").read_text()

    (place / "process.1").write_text(stranger)  # as if the number were given anew
    tg("cancel", "slow.py", "1.2")
    (place / "process.1").write_text(kept)
    tg("cancel", "slow.py")

    ended(tg)
    assert tg.json("locks", "slow.py") == []


def test_a_process_that_ends_before_it_is_cancelled_is_no_refusal(
    tmp_path, monkeypatch
):
    machines, host = Machines("local"), os.uname().nodename
    (tmp_path / "process.1").write_text(f"{host} {2**22 + 1} 1")
    gone = [Element(1, "running", host)]  # as it was a moment ago
    monkeypatch.setattr(machines, "elements", lambda _job, _place: gone)

    machines.cancel("here", tmp_path, None)


def test_machines_are_reached_by_ssh_and_take_jobs_in_turn(tg):
    use(tg, "ssh")
    tg.jugfile("slow.py")

    tg("submit", "slow.py", "-n", "3", "--ssh", "near", "--", "1", "6")

    assert states_of(tg) != ["ended"] * 3
    ended(tg)
    assert tg.json("status", "slow.py")["total"]["done"] == 6


REFUSALS = [
    (("--ssh", "near,nowhere"), "nowhere: ssh refused: Could not resolve hostname"),
    (("--ssh", "near", "--slurm"), "--ssh and --slurm are two ways"),
    (("--lsf", "-n", "1001"), "bsub refused: Array index exceeds MAX_JOB_ARRAY_SIZE"),
    (("--lsf", "--directive", "-x yes"), "bsub refused"),
    (("--slurm",), "there is no sbatch on this machine"),
    (("--k8s",), "--k8s needs --image"),
    (("--local", "--directive", "-q long"), "no batch system that takes directives"),
    (("--lsf", "-n", "0"), "-n takes the number of jobs, 1 or more"),
    (("--lsf", "--time", "0"), "no time in which anything can be done"),
    (("--lsf", "--time", "240"), "write 240m or 240s"),
    (("--lsf", "--time", "4:30"), "write 4h30m or 4m30s"),
    (("--lsf", "--time", "1-12:00"), "write 1d12h0m or 1d12m0s"),
    (("--lsf", "-j", "0"), "-j takes the number of workers of each job"),
    (("--lsf", "--directive", "q=long"), "pass over what does not begin with a dash"),
    (("--lsf", "--directive", "#BSUB -q long"), "no mark before it"),
    (("--lsf", "--directive", "-q long\nrm x"), "one of their options"),
    (("--lsf", "--image", "x"), "--image and --volume are for --k8s and clouds"),
    (("--lsf", "--debug"), "nobody sits at a job's terminal"),
    (("--lsf", "--export", "NO_SUCH"), "there is no such variable here"),
    (("--lsf", "--export", "1=2"), "write NAME or NAME=VALUE"),
    (("--k8s", "--image", "x", "--volume", "claim"), "write WHAT:/where"),
    (("--lsf", "--store", "memory://"), "a store in memory ends with the command"),
]


@pytest.mark.parametrize(
    ("given", "why"), REFUSALS, ids=[" ".join(given) for given, _ in REFUSALS]
)
def test_what_cannot_be_submitted_is_refused_in_one_sentence(tg, given, why):
    use(tg, "lsf", "ssh")
    tg.jugfile("slow.py")

    said = tg("submit", "slow.py", *given, "--", "1", "4", code=2).stderr

    assert why in said
    assert not (tg.folder / "slow.tgjobs").exists()
    assert not list(tg.folder.glob("began-*"))


def test_where_no_batch_system_is_the_user_is_told_what_there_is_instead(tg):
    use(tg)
    tg.jugfile("slow.py")

    said = tg("submit", "slow.py", code=2).stderr

    assert "there is no batch system on this machine" in said
    assert "--ssh HOST,HOST or --local" in said


def test_a_dry_run_says_which_system_was_chosen_and_why(tg):
    use(tg, "lsf")
    tg.jugfile("slow.py")

    assert "LSF: it is the first" in tg("submit", "slow.py", "--dry-run").stderr
    assert (
        "processes: as asked for"
        in tg("submit", "slow.py", "--local", "--dry-run").stderr
    )


def test_nothing_is_submitted_to_a_stopped_store_or_of_a_broken_script(tg):
    use(tg, "lsf")
    tg.jugfile("slow.py")
    tg("execute", "-q", "slow.py", "--max-tasks", "1", "--", "0", "4", code=5)
    tg("stop", "slow.py")
    tg.write("broken.py", "def f(:\n")

    said = tg("submit", "slow.py", code=2).stderr

    assert "`tg stop slow.py --off` lets them work" in said
    assert "SyntaxError" in tg("submit", "broken.py", code=2).stderr
    assert "there is no jugfile none.py" in tg("submit", "none.py", code=2).stderr
    assert not (tg.folder / "slow.tgjobs").exists()


def test_a_folder_that_cannot_be_written_is_told(tg):
    use(tg, "lsf")
    tg.jugfile("slow.py")
    tg.write("slow.tgjobs", "a file")

    said = tg("submit", "slow.py", code=2).stderr

    assert "job scripts are kept beside the jugfile" in said


def test_only_what_was_submitted_can_be_listed_or_cancelled(tg):
    use(tg, "lsf")
    tg.jugfile("slow.py")

    assert "nothing was submitted" in tg("jobs", "slow.py").stderr
    tg("submit", "slow.py", "-n", "2", "--", "0", "2")
    for command in ("jobs", "cancel"):
        for word, why in (
            ("2", "there is no submission 2"),
            ("1.3", "submission 1 has the jobs 1 to 2"),
            ("first", "give a submission, as 3, or one of its jobs, as 3.7"),
        ):
            assert why in tg(command, "slow.py", word, code=2).stderr
    ended(tg)
    shutil.rmtree(tg.folder / "fake")  # the batch system has forgotten it
    assert tg.json("jobs", "slow.py")[0]["ended"] == 2


def test_the_store_that_a_script_chooses_is_the_one_that_counts(tg):
    use(tg, "lsf")
    tg.write(
        "chosen.py",
        "from taskgraph import TaskGenerator, set_jugdir\n"
        "set_jugdir('elsewhere')\n"
        "@TaskGenerator\n"
        "def f(n):\n"
        "    return n\n"
        "all = [f(n) for n in range(4)]\n",
    )
    tg("execute", "-q", "chosen.py")

    said = tg("submit", "chosen.py", "-n", "4", "--top-up").stderr
    assert "no task is ready" in said
    tg("stop", "chosen.py")
    assert "stopped the workers" in tg("submit", "chosen.py", code=2).stderr
