"""`tg doctor` on two clients of an NFS server, one of whose clocks is an hour ahead."""

import json

import pytest

from .rig import MOUNT, TG

pytestmark = [pytest.mark.nfs, pytest.mark.timeout(600)]


def test_two_clients_meet_and_find_what_their_store_carries(mounted):
    a, b = mounted.clients
    b.sh("date -s '+1 hour'", check=True)
    command = f"{TG} doctor --store {MOUNT}/doctored --meet 1 --json"
    runs = [node.start(command, 200) for node in (a, b)]
    ends = [run.result(200) for run in runs]
    b.sh("date -s '-1 hour'", check=True)
    (said,) = [end for end in ends if end.out.strip()]
    found = json.loads(said.out)
    what = {one["what"]: one for one in found["findings"]}
    assert said.rc == 1, found
    assert what["clocks"]["level"] == "warning"
    assert "ahead of the store's" in what["clocks"]["measured"]
    assert what["put if absent"]["level"] == "fine"
    assert "2 machines" in what["put if absent"]["measured"]
    assert "another machine" in what["news"]["measured"]
    assert found["carries"][-1]["workers"] == 10_000
    assert "requests a second" in found["assumed"]
    assert a.sh(f"ls -A {MOUNT} | grep doctor").out.strip() == ""
