"""Manifests for the batch services of clouds hold what those services accept.

AWS publishes a model of its API, with which its own client checks what it sends. Of the
others, the fields that their references list are written down here, all others refused.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from taskgraph.clusters.clouds import CLOUDS
from taskgraph.clusters.kubernetes import Kubernetes
from taskgraph.clusters.orders import Order, filled, template_of
from taskgraph.clusters.programs import ClusterError

from .test_submitting import SECRET

NAME = r"[a-z][a-z0-9-]{0,62}"
TEXT = r"(?s).+"
NUMBER = r"[1-9][0-9]*"
ENVIRONMENT = [{"name!": TEXT, "value!": "(?s).*"}]
GOOGLE = {
    "taskGroups!": [
        {
            "taskCount": int,
            "parallelism": int,
            "taskSpec!": {
                "runnables!": [
                    {
                        "container!": {
                            "imageUri!": TEXT,
                            "entrypoint": TEXT,
                            "commands": [TEXT],
                            "volumes": ["/mnt/disks/[^:]+:/.+"],
                        }
                    }
                ],
                "computeResource": {"cpuMilli": NUMBER, "memoryMib": NUMBER},
                "environment": {"variables": {...: str}, "secretVariables": {...: str}},
                "volumes": [{"gcs": {"remotePath!": TEXT}, "mountPath!": "/.+"}],
                "maxRunDuration": rf"{NUMBER}s",
                "maxRetryCount": range(11),
                "lifecyclePolicies": [
                    {
                        "action!": "RETRY_TASK|FAIL_TASK",
                        "actionCondition!": {"exitCodes!": [range(1, 256)]},
                    }
                ],
            },
        }
    ],
    "logsPolicy": {"destination!": "CLOUD_LOGGING|PATH"},
}
AZURE = {
    "job!": {"id!": r"[A-Za-z0-9_-]{1,64}", "poolInfo!": {"poolId!": TEXT}},
    "tasks!": [
        {
            "id!": r"[A-Za-z0-9_-]{1,64}",
            "commandLine!": TEXT,
            "containerSettings": {
                "imageName!": TEXT,
                "workingDirectory": "taskWorkingDirectory|containerImageDefault",
            },
            "requiredSlots": int,
            "environmentSettings": ENVIRONMENT,
            "constraints": {
                "maxTaskRetryCount": range(-1, 1000),
                "maxWallClockTime": rf"PT{NUMBER}S",
            },
        }
    ],
}
CODES = {"operator!": "In|NotIn", "values!": [range(1, 256)]}
KUBERNETES = {
    "apiVersion!": "batch/v1",
    "kind!": "Job",
    "metadata!": {"name!": NAME},
    "spec!": {
        "completionMode!": "Indexed",
        "completions!": int,
        "parallelism!": int,
        "backoffLimitPerIndex": int,
        "podFailurePolicy": {
            "rules!": [
                {
                    "action!": "Ignore|FailIndex|FailJob|Count",
                    "onPodConditions": [{"type!": TEXT, "status!": "True"}],
                    "onExitCodes": CODES,
                }
            ]
        },
        "template!": {
            "spec!": {
                "restartPolicy!": "Never",  # which a podFailurePolicy asks for
                "activeDeadlineSeconds": (int, type(None)),
                "terminationGracePeriodSeconds": int,
                "containers!": [
                    {
                        "name!": NAME,
                        "image!": TEXT,
                        "workingDir": "/.*",
                        "command": [str],
                        "envFrom": [{"secretRef!": {"name!": NAME, "optional": bool}}],
                        "resources": {"requests": {"cpu": NUMBER}},
                        "volumeMounts": [{"name!": NAME, "mountPath!": "/.*"}],
                    }
                ],
                "volumes": [
                    {"name!": NAME, "persistentVolumeClaim": {"claimName!": TEXT}}
                ],
            }
        },
    },
}


def faults(found, rule, where=""):
    """Return what of a manifest a service would refuse."""
    if isinstance(rule, dict):
        if not isinstance(found, dict):
            return [f"{where} is no object"]
        if ... in rule:
            return [f for k, v in found.items() for f in faults(v, rule[...], where)]
        known = {name.rstrip("!"): one for name, one in rule.items()}
        lacking = [f"{where}.{n}" for n in rule if n[-1] == "!" and n[:-1] not in found]
        unknown = [f"{where}.{n}" for n in found if n not in known]
        inner = [
            fault
            for name in found.keys() & known.keys()
            for fault in faults(found[name], known[name], f"{where}.{name}")
        ]
        return lacking + unknown + inner
    if isinstance(rule, list):
        if not isinstance(found, list):
            return [f"{where} is no list"]
        return [f for one in found for f in faults(one, rule[0], where)]
    if isinstance(rule, str):
        fits = isinstance(found, str) and re.fullmatch(rule, found)
    elif isinstance(rule, range):
        fits = type(found) is int and found in rule
    else:
        fits = isinstance(found, rule)
    return [] if fits else [f"{where} is {found!r}"]


def manifest(cloud, order):
    """Return the manifest of an order, without the values that only `tg` looks at."""
    values = cloud.values(order)
    return json.loads(cloud.manifest(filled(template_of(cloud.template), values, "")))


words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
arguments = words | st.sampled_from(["$(TG_LEASE)", "$$(TG_LEASE)", "$$", "$(X)$"])
orders = st.builds(
    Order,
    name=st.from_regex(
        r"tg-[a-z][a-z0-9-]{0,38}[a-z0-9]-[1-9][0-9]{0,3}", fullmatch=True
    ),
    count=st.integers(1, 60),
    command=st.lists(arguments, min_size=1, max_size=4).map(lambda more: ("tg", *more)),
    folder=words.map(lambda word: Path("/data") / word.replace("/", "_")),
    seconds=st.none() | st.floats(60, 1e6),
    cpus=st.integers(1, 64),
    image=st.just("lab/images:1"),
    environ=st.dictionaries(st.just("TG_LEASE"), words),
)
volumes = st.dictionaries(st.just("/data"), st.just("shelf"))
secrets = st.dictionaries(st.just("REDISCLI_AUTH"), st.just("arn:aws:ssm:x"))


def run_by(shell):
    """Return the folder and the words that a shell would run."""
    change, folder, _, _, *command = shlex.split(shell)
    assert change == "cd"
    return Path(folder), tuple(command)


@given(orders, volumes, secrets)
def test_aws_s_own_check_accepts_a_manifest(order, volumes, secrets):
    session = pytest.importorskip("botocore.session")
    validate = pytest.importorskip("botocore.validate").ParamValidator().validate
    model = session.get_session().get_service_model("batch")
    order = replace(order, queue="night", volumes=volumes, secrets=secrets)
    found = manifest(CLOUDS["aws"], order)
    for part, operation in (
        ("registerJobDefinition", "RegisterJobDefinition"),
        ("submitJob", "SubmitJob"),
    ):
        shape = model.operation_model(operation).input_shape
        assert validate(found[part], shape).generate_report() == ""
    container = found["registerJobDefinition"]["containerProperties"]
    assert run_by(container["command"][2]) == (order.folder, order.command)
    size = found["submitJob"].get("arrayProperties", {"size": 1})["size"]
    assert size == order.count


@given(orders, volumes, secrets)
def test_a_manifest_for_google_has_only_what_its_reference_lists(
    order, volumes, secrets
):
    found = manifest(CLOUDS["gcp"], replace(order, volumes=volumes, secrets=secrets))
    assert faults(found, GOOGLE) == []
    (group,) = found["taskGroups"]
    container = group["taskSpec"]["runnables"][0]["container"]
    assert run_by(container["commands"][1]) == (order.folder, order.command)
    assert group["taskCount"] == order.count


@given(orders)
def test_a_manifest_for_azure_has_only_what_its_reference_lists(order):
    found = manifest(CLOUDS["azure"], replace(order, queue="pool"))
    assert faults(found, AZURE) == []
    assert len({task["id"] for task in found["tasks"]}) == order.count
    program, flag, shell = shlex.split(found["tasks"][0]["commandLine"])
    assert (program, flag) == ("/bin/sh", "-c")
    assert run_by(shell) == (order.folder, order.command)


@given(orders, volumes)
def test_an_indexed_job_has_only_what_the_reference_of_kubernetes_lists(order, volumes):
    values = Kubernetes().values(replace(order, volumes=volumes), Path("/nowhere"))
    found = json.loads(filled(template_of(Kubernetes.template), values, ""))
    assert faults(found, KUBERNETES) == []
    (container,) = found["spec"]["template"]["spec"]["containers"]
    assert tuple(map(expanded, container["command"])) == order.command


def expanded(word):
    """Return a word as a pod gets it: variables put in, and of two dollars one."""
    said = {"$$": "$", "$(TG_LEASE)": "60"}
    return re.sub(r"\$\$|\$\([^)]*\)", lambda at: said.get(at[0], at[0]), word)


def test_a_rule_refuses_what_no_service_takes():
    """The check of these tests can fail."""
    good = manifest(CLOUDS["azure"], plain(queue="pool"))
    wrong = {"id": "a b", "poolInfo": {}}
    said = faults({**good, "job": wrong}, AZURE)
    assert sorted(said) == [".job.id is 'a b'", ".job.poolInfo.poolId!"]
    assert faults({**good, "more": 1}, AZURE) == [".more"]


def plain(**more):
    return replace(
        Order("tg-a-1", 2, ("tg", "execute"), Path("/data"), image="i"), **more
    )


@pytest.mark.parametrize(
    ("name", "more", "why"),
    [
        ("aws", {}, "--aws needs --queue"),
        ("azure", {}, "--azure needs --queue"),
        ("gcp", {"queue": "q"}, "--gcp has no queues"),
        ("gcp", {"image": ""}, "--gcp needs --image"),
        ("gcp", {"directives": ("-q",)}, "take --template"),
        ("gcp", {"count": 100_001}, "arrays of 100,000 jobs at most"),
        ("aws", {"count": 10_001, "queue": "q"}, "arrays of 10,000 jobs at most"),
        ("aws", {"queue": "q", "seconds": 59.0}, "time limits of 60 s or more"),
        ("azure", {"queue": "q", "volumes": {"/d": "x"}}, "--azure has no --volume"),
        ("azure", {"queue": "q", "secrets": {"A": "x"}}, "--azure has no --secret"),
    ],
)
def test_an_order_that_is_nothing_for_a_cloud_is_refused(name, more, why):
    with pytest.raises(ClusterError, match=why):
        manifest(CLOUDS[name], plain(**more))


def test_a_manifest_is_shown_and_nothing_is_submitted_or_kept(tg):
    tg.jugfile("slow.py")
    given = ("submit", "slow.py", "--gcp", "--image", "i", "-n", "3", "--time", "2h")
    words = ("-j", "2", "--export", "LANG=C", "--", "0", "4")

    job = json.loads(tg(*given, "--dry-run", *words).stdout)
    said = tg(*given, *words, code=2).stderr

    assert faults(job, GOOGLE) == []
    (command,) = job["taskGroups"][0]["taskSpec"]["runnables"]
    options = "--requeue --max-time 7200s --jobs 2 slow.py -- 0 4"
    assert command["container"]["commands"][1].endswith(f"exec tg execute {options}")
    assert "for that cloud's own program to submit: give --dry-run" in said
    assert not (tg.folder / "slow.tgjobs").exists()


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (("--export", "TOKEN"), "its value would stand in the manifest"),
        (("--secret", f"={SECRET}"), "--secret takes NAME=WHERE"),
        (("--template", "no.json"), "the manifest is no JSON"),
    ],
)
def test_nothing_secret_and_no_nonsense_stands_in_a_manifest(tg, more, why):
    tg.jugfile("slow.py")
    tg.write("no.json", "{")
    tg.env["TOKEN"] = SECRET
    given = ("submit", "slow.py", "--gcp", "--dry-run", "--image", "i", *more)
    done = tg(*given, "--", "0", "4", code=2)
    assert why in done.stderr
    assert SECRET not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--k8s",), True),
        (("--k8s", "--volume", "claim:/elsewhere"), True),
        (("--gcp",), True),
        (("--k8s", "--volume", "claim:{folder}"), False),
        (("--k8s", "--store", "{folder}/lab", "--volume", "claim:{folder}"), False),
        (("--k8s", "--template", "mine.json"), False),
        (("--local",), False),
    ],
)
def test_a_store_that_containers_would_not_see_is_told(tg, more, told):
    tg.jugfile("slow.py")
    tg.write("mine.json", "{}")
    image = () if more == ("--local",) else ("--image", "x")

    words = [word.format(folder=tg.folder) for word in more]
    said = tg("submit", "slow.py", *words, *image, "--dry-run").stderr

    assert ("each container computes everything for itself" in said) == told
