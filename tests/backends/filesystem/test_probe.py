"""What is said of directories, good and bad, and that nothing is left in them."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from backends.filesystem import probe as probe_module
from backends.filesystem.file_log import FileLog
from backends.filesystem.mounts import Mount, judged, mount_of
from backends.interface import Level
from backends.opening import open_backend, open_probe
from backends.store import JournalStore
from backends.testing.deeds import A, publish

from ...machine import needs_namespaces

SHOW = """
import sys
from backends.opening import open_probe
for found in open_probe(sys.argv[1]).facts():
    print(found.level.name, found.what, found.measured, found.meaning, sep="|")
"""


def facts(root):
    return {found.what: found for found in open_probe(root).facts()}


def measured(root):
    probe = open_probe(root)
    probe.make_scratch("doctor-x")
    try:
        return {found.what: found for found in probe.measures("doctor-x")}
    finally:
        probe.remove_scratch("doctor-x")


def mounted(tmp_path, options, prepare=":"):
    """Return what is said of a small file system in memory, mounted for us alone."""
    (tmp_path / "disk").mkdir()
    line = (
        f"mount -t tmpfs -o {options} none disk && {{ {prepare}; }} && "
        f"exec {sys.executable} -c '{SHOW}' disk/store"
    )
    command = ["unshare", "--mount", "sh", "-c", line]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    return [text.split("|") for text in done.stdout.splitlines()]


def test_a_place_for_a_store_is_fit_and_stays_as_it_was(tmp_path):
    found = facts(tmp_path / "new")
    assert found["store"].measured.startswith("none yet")
    assert found["writing"].level is Level.FINE
    assert all(one.level is Level.FINE for one in measured(tmp_path / "new").values())
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_for_a_store_stays_empty(tmp_path):
    assert facts(tmp_path)["writing"].level is Level.FINE
    measured(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_probe_left_in_a_store_goes_as_other_leftovers_do(tmp_path):
    store = JournalStore(FileLog(tmp_path / "store"), "anna")
    publish(store, A)
    probe = open_probe(tmp_path / "store")
    inner = JournalStore(FileLog(Path(probe.make_scratch("doctor-x"))), "bert")
    publish(inner, A)
    assert store.space.leftovers(-10.0) == ["doctor-x"]
    assert store.space.leftovers(-10.0, remove=True) == ["doctor-x"]
    assert list((tmp_path / "store/tmp").iterdir()) == []
    assert open_backend(tmp_path / "store").poll()[0].results == [A]


def test_workers_of_a_store_see_nothing_of_a_scratch_one(tmp_path):
    store = JournalStore(FileLog(tmp_path / "store"), "anna")
    publish(store, A)
    probe = open_probe(tmp_path / "store")
    scratch = open_backend(probe.make_scratch("doctor-x"), worker="bert")
    scratch.members.beat("bert", {})
    scratch.claim([A])
    assert store.poll() == []
    assert store.members.names() == set()
    assert store.locked_by(A) is None
    probe.remove_scratch("doctor-x")


def test_a_folder_of_somebody_else_is_unfit(tmp_path):
    (tmp_path / "letter.txt").touch()
    (found,) = open_probe(tmp_path).facts()
    assert found.level is Level.UNFIT
    assert "holds other files" in found.meaning


def test_a_store_that_everybody_may_write_to_is_told(tmp_path):
    publish(JournalStore(FileLog(tmp_path / "store"), "anna"), A)
    (tmp_path / "store/log").chmod(0o777)
    found = facts(tmp_path / "store")["rights"]
    assert found.level is Level.WARNING
    assert found.advice.startswith("chmod -R o-w")


@needs_namespaces
def test_a_place_that_can_only_be_read_is_unfit(tmp_path):
    level, what, _, why = mounted(tmp_path, "ro")[-1]
    assert (level, what) == ("UNFIT", "writing")
    assert "read-only; choose another --store" in why


@needs_namespaces
def test_a_full_disk_is_unfit(tmp_path):
    full = "head -c 1000000 /dev/zero >disk/full 2>/dev/null || true"
    level, what, _, why = mounted(tmp_path, "size=128k", full)[-1]
    assert (level, what) == ("UNFIT", "writing")
    assert "the disk or its inodes are full" in why


@needs_namespaces
def test_a_disk_with_few_inodes_is_told(tmp_path):
    found = {line[1]: line for line in mounted(tmp_path, "size=1m,nr_inodes=50")}
    assert found["free inodes"][0] == "WARNING"
    assert found["file system"][0] == "WARNING"  # it is in memory


def test_without_hard_links_folders_take_their_place(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    found = measured(tmp_path)["hard links"]
    assert found.level is Level.WARNING
    assert "folders that are renamed take their place" in found.meaning


def test_links_that_replace_are_unfit(tmp_path, monkeypatch):
    def replace(one, other):
        Path(other).write_bytes(Path(one).read_bytes())

    monkeypatch.setattr(probe_module.os, "link", replace)
    assert measured(tmp_path)["hard links"].level is Level.UNFIT


@pytest.mark.parametrize(
    ("kind", "options", "level", "word"),
    [
        ("ext4", {}, Level.FINE, "local"),
        ("nfs4", {"vers": "4.2", "hard": ""}, Level.FINE, "NFS 4.2"),
        ("nfs", {"vers": "3", "soft": ""}, Level.WARNING, "hard, the default"),
        ("nfs4", {"vers": "4.2", "noac": ""}, Level.WARNING, "noac"),
        ("nfs4", {"vers": "4.2", "acregmax": "0"}, Level.WARNING, "acregmax=0"),
        ("nfs", {"vers": "3", "local_lock": "all"}, Level.FINE, "local_lock=all"),
        ("overlay", {}, Level.WARNING, "mount a volume"),
        ("tmpfs", {}, Level.WARNING, "memory"),
        ("fuse.sshfs", {}, Level.WARNING, "--peer"),
        ("exfat", {}, Level.WARNING, "no hard links"),
        ("lustre", {}, Level.WARNING, "--peer"),
    ],
)
def test_a_file_system_is_judged_by_its_kind_and_options(kind, options, level, word):
    found = list(judged(Mount(kind, "/data", options)))
    assert max(one.level for one in found) is level
    assert any(word in f"{x.measured} {x.meaning} {x.advice}" for x in found)


def test_the_innermost_mount_counts_whatever_its_name():
    table = (
        "1 0 8:1 / / rw - ext4 /dev/a rw\n"
        "2 1 0:5 / /my\\040data rw shared:1 - nfs4 srv:/x rw,vers=4.2\n"
    )
    assert mount_of("/my data/store", table).options["vers"] == "4.2"
    assert mount_of("/my datum", table).kind == "ext4"
