"""Programs of batch systems that cannot be installed here: strict stand-ins.

They know the options that their manuals list and refuse all others, read directives
of scripts as the real ones do, begin jobs in the home folder, and run each of an array
as a process. ``fake_systems.py NAME ...`` is the program NAME; a job is a folder.
"""

from __future__ import annotations

import getopt
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

STATE = Path(os.environ.get("FAKE_SYSTEMS", "/nowhere"))


def say(text):
    sys.stdout.write(f"{text}\n")


def refuse(program, why, code=1):
    sys.stderr.write(f"{program}: {why}\n")
    sys.exit(code)


def options(program, words, letters):
    try:
        found, rest = getopt.gnu_getopt(words, letters)
    except getopt.GetoptError as error:
        refuse(program, f"invalid option: {error}", 2)
    return dict(found), rest


def directives(text, mark):
    """Return the words of a script's directives: they end at its first command."""
    words = []
    for line in text.splitlines():
        if line.startswith(mark):
            words += shlex.split(line.removeprefix(mark))
        elif line.strip() and not line.startswith("#"):
            break
    return words


def new_job(about):
    STATE.mkdir(exist_ok=True)
    number = 1 + max((int(p.name) for p in STATE.iterdir()), default=0)
    folder = STATE / str(number)
    folder.mkdir()
    (folder / "about.json").write_text(json.dumps(about))
    return number, folder


def start(folder, elements):
    """Run each element in the background, by this file again."""
    for element in elements:
        subprocess.Popen(
            [sys.executable, __file__, "run", str(folder), str(element)],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    for element in elements:  # what is listed at once
        while not (folder / f"pid.{element}").exists():
            time.sleep(0.01)


def run(folder, element):
    """Run one element, and again as long as its exit code asks for it."""
    folder = Path(folder)
    about = json.loads((folder / "about.json").read_text())
    environ = {**os.environ, **about["environ"].get(element, {}), **about["all"]}
    (folder / f"pid.{element}").write_text(str(os.getpid()))
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, lambda *_: None)
    while True:
        with (folder / f"begun.{element}").open("a") as begun:
            begun.write(".")
        code = subprocess.run(
            about["command"],
            cwd=about["folder"],
            env=environ,
            check=False,
        ).returncode
        if code not in about["again"]:
            break
    (folder / f"ended.{element}").write_text(str(code))


def living(folder):
    pids = {path.suffix[1:]: int(path.read_text()) for path in folder.glob("pid.*")}
    return {n: pid for n, pid in pids.items() if not (folder / f"ended.{n}").exists()}


def told(folder, signals, only=None):
    for element, pid in living(folder).items():
        if only in (None, element):
            for signo in signals:
                os.killpg(pid, signo)
                time.sleep(0.05)


# PBS, after the reference guide of OpenPBS 23


def qsub(words):
    given, rest = options("qsub", words, "J:v:")
    if len(rest) != 1:
        refuse("qsub", "script file missing", 2)
    script = Path(rest[0]).resolve()
    text = script.read_text()
    known = "N:j:o:e:r:l:q:A:V"
    told_by_script, odd = options("qsub", directives(text, "#PBS"), known)
    if odd:
        refuse("qsub", f"invalid directive {odd[0]}", 2)
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,229}", told_by_script.get("-N", "x")):
        refuse("qsub", "illegal -N value", 2)
    for limit in re.findall(r"#PBS -l (\S+)", text):
        form = r"select=1:ncpus=\d+|walltime=\d{2,}:\d\d:\d\d"
        if not re.fullmatch(form, limit):
            refuse("qsub", f"Illegal attribute or resource value Resource_List.{limit}")
    first, last = map(int, given.get("-J", "0-0").split("-"))
    if "-J" in given and first >= last:
        refuse("qsub", "illegal -J value", 2)
    elements = [str(n) for n in range(first, last + 1)]
    variables = dict(one.split("=") for one in given.get("-v", "").split(",") if one)
    number, folder = new_job({})
    array = "-J" in given
    about = {
        "command": ["bash", str(script)],
        "folder": str(Path.home()),
        "all": {**variables, "PBS_O_WORKDIR": str(Path.cwd())},
        "environ": {
            n: {"PBS_JOBID": f"{number}[{n}].fake", "PBS_ARRAY_INDEX": n}
            if array
            else {"PBS_JOBID": f"{number}.fake"}
            for n in elements
        },
        "again": [],
        "array": array,
        "variables": variables,
    }
    (folder / "about.json").write_text(json.dumps(about))
    start(folder, elements)
    say(f"{number}[].fake" if array else f"{number}.fake")


def pbs_job(program, name):
    match = re.fullmatch(r"(\d+)(?:\[(\d*)\])?\.fake", name)
    folder = STATE / match[1] if match else None
    if folder is None or not folder.exists():
        refuse(program, f"Unknown Job Id {name}", 153)
    if not living(folder):
        refuse(program, f"{name} Job has finished, use -x or -H", 35)
    return folder, match[2] or None


def qstat(words):
    given, (name, *_) = options("qstat", words, "tfF:x")
    folder, _ = pbs_job("qstat", name)
    assert given.get("-F") == "json"
    about = json.loads((folder / "about.json").read_text())
    if "-t" not in given:
        say("Resource_List.walltime = 01:00:00")
        return
    jobs = {}
    for element in living(folder):
        job = {"job_state": "R", "exec_host": f"{os.uname().nodename}/0"}
        job["Variable_List"] = about["variables"]
        if about["array"]:
            job["array_index"] = element
        jobs[about["environ"][element]["PBS_JOBID"]] = job
    if about["array"]:
        jobs[name] = {"job_state": "B", "array": "True"}
    say(json.dumps({"timestamp": 1, "pbs_version": "fake", "Jobs": jobs}))


def qdel(words):
    _, names = options("qdel", words, "")
    for name in names:
        folder, element = pbs_job("qdel", name)
        told(folder, [signal.SIGTERM], element)


# LSF, after the command reference of Spectrum LSF 10.1


def bsub(words):
    if words:
        refuse("bsub", f"Bad option: {words[0]}", 255)
    text = sys.stdin.read()
    given, odd = options("bsub", directives(text, "#BSUB"), "J:o:rQ:n:R:W:q:P:")
    if odd:
        refuse("bsub", f"{odd[0]}: Illegal option", 255)
    match = re.fullmatch(r"[\w-]+\[1-(\d+)\]", given["-J"])
    if match is None or not re.fullmatch(r"\d+:\d\d", given.get("-W", "0:01")):
        refuse("bsub", "Bad job array or run limit. Job not submitted.", 255)
    if int(match[1]) > 1000:
        refuse(
            "bsub", "Array index exceeds MAX_JOB_ARRAY_SIZE. Job not submitted.", 255
        )
    number, folder = new_job({})
    numbers = [str(n + 1) for n in range(int(match[1]))]
    script = folder / "spooled"
    script.write_text(text)
    about = {
        "command": ["bash", str(script)],
        "folder": str(Path.cwd()),
        "all": {"LSB_JOBID": str(number)},
        "environ": {n: {"LSB_JOBINDEX": n} for n in numbers},
        "again": [int(code) for code in given.get("-Q", "").split()],
    }
    (folder / "about.json").write_text(json.dumps(about))
    start(folder, list(about["environ"]))
    say(f"Job <{number}> is submitted to default queue <normal>.")


def lsf_job(name):
    match = re.fullmatch(r"(\d+)(?:\[(\d+)\])?", name)
    folder = STATE / match[1] if match else None
    if folder is None or not folder.exists():
        refuse("lsf", f"Job <{name}> is not found", 255)
    return folder, match[2]


def bjobs(words):
    if words[:2] == ["-noheader", "-o"] and words[2] == "time_left":
        say("2:00 L")
        return
    if words[:3] != ["-a", "-noheader", "-o"] or len(words) != 5:
        refuse("bjobs", f"Illegal option: {words}", 255)
    assert words[3] == "jobindex stat exec_host delimiter='|'"
    folder, _ = lsf_job(words[4])
    about = json.loads((folder / "about.json").read_text())
    going = living(folder)
    for element in about["environ"]:
        say(
            f"{element}|RUN|{os.uname().nodename}"
            if element in going
            else f"{element}|DONE|-"
        )


def bkill(words):
    (name,) = words
    folder, element = lsf_job(name)
    told(folder, [signal.SIGINT, signal.SIGTERM], element)


# Kubernetes, after the reference of batch/v1

_FIELDS = {
    "": {"apiVersion", "kind", "metadata", "spec"},
    "metadata": {"name"},
    "spec": {
        *("completionMode", "completions", "parallelism", "backoffLimitPerIndex"),
        *("podFailurePolicy", "template"),
    },
    "spec.podFailurePolicy": {"rules"},
    "spec.template": {"spec"},
    "spec.template.spec": {
        *("restartPolicy", "activeDeadlineSeconds", "containers", "volumes"),
        "terminationGracePeriodSeconds",
    },
}
_CONTAINER = {
    *("name", "image", "workingDir", "command", "envFrom", "resources", "volumeMounts"),
}


def kubectl(words):
    if words == ["create", "-f", "-"]:
        made = json.loads(sys.stdin.read())
        assert (made["apiVersion"], made["kind"]) == ("v1", "List")
        secrets = {
            s["metadata"]["name"]: s for s in made["items"] if s["kind"] == "Secret"
        }
        for job in made["items"]:
            if job["kind"] == "Job":
                pods(job, secrets)
    elif words[:3] == ["get", "pods", "-l"] and words[4:] == ["-o", "json"]:
        say(json.dumps({"items": list(listed(words[3].removeprefix("job-name=")))}))
    elif words[:3] == ["delete", "--ignore-not-found", "--wait=false"]:
        for name in words[3:]:
            kind, _, job = name.partition("/")
            if kind == "job" and (STATE / job).exists():
                told(STATE / job, [signal.SIGTERM])
    else:
        refuse("error", f"unknown command or flag: {words}")


def pods(job, secrets):
    for path, fields in _FIELDS.items():
        found = job
        for part in filter(None, path.split(".")):
            found = found[part]
        if set(found) - fields:
            refuse("error", f"unknown field {path}: {set(found) - fields}")
    spec, name = job["spec"], job["metadata"]["name"]
    (container,) = spec["template"]["spec"]["containers"]
    if set(container) - _CONTAINER:
        refuse("error", f"unknown field in container: {set(container) - _CONTAINER}")
    assert job["apiVersion"] == "batch/v1"
    assert spec["completionMode"] == "Indexed"
    assert re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", name)
    assert all(isinstance(word, str) for word in container["command"])
    again = [
        code
        for rule in spec["podFailurePolicy"]["rules"]
        if rule["action"] == "Ignore"
        for code in rule.get("onExitCodes", {}).get("values", ())
    ]
    (reference,) = container["envFrom"]
    secret = secrets.get(reference["secretRef"]["name"], {"stringData": {}})
    STATE.mkdir(exist_ok=True)
    folder = STATE / name
    folder.mkdir()
    about = {
        "command": container["command"],
        "folder": container["workingDir"],
        "all": secret["stringData"],
        "environ": {
            str(n): {"JOB_COMPLETION_INDEX": str(n)} for n in range(spec["completions"])
        },
        "again": again,
    }
    (folder / "about.json").write_text(json.dumps(about))
    start(folder, list(about["environ"]))


def listed(name):
    folder = STATE / name
    going = living(folder) if folder.exists() else {}
    for element in (
        json.loads((folder / "about.json").read_text())["environ"]
        if folder.exists()
        else ()
    ):
        yield {
            "metadata": {
                "annotations": {"batch.kubernetes.io/job-completion-index": element}
            },
            "spec": {"nodeName": "node"},
            "status": {"phase": "Running" if element in going else "Succeeded"},
        }


# ssh: a machine that is called near, and none else


def ssh(words):
    given = []
    while words and words[0] == "-o":
        given.append(words[1])
        words = words[2:]
    if words[0].startswith("-") or "BatchMode=yes" not in given:
        refuse("ssh", f"unknown option -- {words[0]}", 255)
    host, line = words
    if host != "near":
        refuse(
            "ssh", f"Could not resolve hostname {host}: Name or service not known", 255
        )
    sys.exit(subprocess.run(["bash", "-c", line], check=False).returncode)


PROGRAMS = {
    "pbs": (qsub, qstat, qdel),
    "lsf": (bsub, bjobs, bkill),
    "k8s": (kubectl,),
    "ssh": (ssh,),
}


def install(system, folder):
    """Put the programs of a system into a folder, for a PATH to begin with."""
    folder.mkdir()
    for program in PROGRAMS[system]:
        path = folder / program.__name__
        path.write_text(
            f'#!/bin/sh\nexec {sys.executable} {__file__} {program.__name__} "$@"\n'
        )
        path.chmod(0o755)


if __name__ == "__main__":
    name, *words = sys.argv[1:]
    if name == "run":
        run(*words)
    else:
        {p.__name__: p for ps in PROGRAMS.values() for p in ps}[name](words)
