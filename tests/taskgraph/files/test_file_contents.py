"""Contents of files are remembered for all processes, and never believed wrongly."""

import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from blake3 import blake3
from hypothesis import given, strategies as st

from taskgraph import File
from taskgraph.files import file_contents
from taskgraph.files.file_contents import content_of

SECOND = 10**9


def forget():
    file_contents._memory_of.cache_clear()
    file_contents._usable.cache_clear()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Have a cache folder of our own, and a clock by which all files are old."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    later = SimpleNamespace(time_ns=lambda: time.time_ns() + 100 * SECOND)
    monkeypatch.setattr(file_contents, "time", later)
    forget()
    yield tmp_path
    forget()


@pytest.fixture
def reads(monkeypatch):
    """Count what is read."""
    found, read = [], file_contents._digest_of

    def digest_of(path):
        found.append(Path(path).name)
        return read(path)

    monkeypatch.setattr(file_contents, "_digest_of", digest_of)
    return found


def write(path, text):
    path.write_text(text)
    return str(path), blake3(text.encode()).hexdigest()


def log_of(home):
    (log,) = (home / "cache" / "taskgraph" / "contents").iterdir()
    return log


def test_another_process_does_not_read_it(home, tmp_path):
    path, digest = write(tmp_path / "a.tif", "one")
    assert content_of(path) == digest
    program = (
        "import sys\nfrom taskgraph.files import file_contents\n"
        "file_contents._digest_of = None\n"
        "print(file_contents.content_of(sys.argv[1]))"
    )
    other = [sys.executable, "-c", program, "a.tif"]
    assert subprocess.check_output(other, cwd=tmp_path, text=True) == f"{digest}\n"


def test_a_change_that_hides_its_time_is_seen(home, reads):
    path, digest = write(home / "a.tif", "one")
    before = Path(path).stat()
    assert content_of(path) == content_of(path) == digest
    assert reads == ["a.tif"]
    for text in ("two", "six"):
        path, digest = write(home / "a.tif", text)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        forget()
        assert Path(path).stat().st_mtime_ns == before.st_mtime_ns
        assert content_of(path) == digest


def test_another_file_of_the_same_times_is_seen(home):
    path, digest = write(home / "a.tif", "one")
    other, _ = write(home / "b.tif", "two")
    assert content_of(path) == digest
    os.utime(other, ns=(1, Path(path).stat().st_mtime_ns))
    Path(other).replace(path)
    assert content_of(path) == blake3(b"two").hexdigest()


def test_what_has_just_changed_is_read_each_time(home, reads, monkeypatch):
    monkeypatch.setattr(file_contents, "time", time)
    path, digest = write(home / "a.tif", "one")
    assert content_of(path) == content_of(path) == digest
    assert reads == ["a.tif", "a.tif"]
    assert not list((home / "cache" / "taskgraph" / "contents").iterdir())


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["write", "read", "restart"]),
        st.sampled_from([0, 0, 1, 30, 90]),
    ),
    min_size=3,
    max_size=30,
)


@given(steps=STEPS, grain=st.sampled_from([1, 2]), skew=st.sampled_from([0, -50]))
def test_a_coarse_clock_never_hides_a_change(tmp_path_factory, steps, grain, skew):
    """All texts have one length, and the server's clock is coarse and another one."""
    folder = tmp_path_factory.mktemp("grain")
    path = folder / "a.txt"
    now, changed, text = 1000, 0, 0
    path.write_text("00000")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        clock = SimpleNamespace(time_ns=lambda: now * SECOND)
        patch.setattr(file_contents, "time", clock)
        mark = lambda _: (5, changed * SECOND, changed * SECOND, 1)  # noqa: E731 - short
        patch.setattr(file_contents, "_mark_of", mark)
        for step, seconds in steps:
            now += seconds
            if step == "write":
                text += 1
                changed = (now + skew) // grain * grain
                path.write_text(f"{text:05}")
            elif step == "restart":
                forget()
            else:
                assert content_of(str(path)) == blake3(path.read_bytes()).hexdigest()
    forget()


def test_a_log_that_was_cut_or_spoiled_anywhere_is_never_believed(home, reads):
    known = [write(home / f"{n}.tif", f"text {n}") for n in range(3)]
    for path, digest in known:
        assert content_of(path) == digest
    whole = log_of(home).read_bytes()
    for place in range(0, len(whole), 7):
        for spoiled in (
            whole[:place],
            whole[:place] + b"?" + whole[place + 1 :],
            whole[place:],
        ):
            log_of(home).write_bytes(spoiled)
            forget()
            assert [content_of(path) for path, _ in known] == [d for _, d in known]
    log_of(home).write_bytes(whole)
    forget()
    reads.clear()
    assert [content_of(path) for path, _ in known] == [d for _, d in known]
    assert reads == []


def test_who_was_killed_while_he_noted_something_costs_one_reading(home, reads):
    known = [write(home / f"{n}.tif", f"text {n}") for n in range(2)]
    assert content_of(known[0][0])
    with log_of(home).open("ab") as log:
        log.write(b'\n0123456789abcdef["1.tif", [6, 1')
    for path, digest in [*known, *known]:
        forget()
        assert content_of(path) == digest
    assert reads == ["0.tif", "1.tif"]


WORKER = """
import sys, time
from types import SimpleNamespace
from taskgraph.files import file_contents
file_contents.time = SimpleNamespace(time_ns=lambda: time.time_ns() + 10**11)
for number in range(60):
    file_contents.content_of(f"{number}.tif")
"""


def test_processes_that_read_at_once_leave_whole_lines(home, reads):
    known = [write(home / f"{n}.tif", f"text {n}") for n in range(60)]
    workers = [
        subprocess.Popen([sys.executable, "-c", WORKER], cwd=home) for _ in range(4)
    ]
    assert [worker.wait() for worker in workers] == [0, 0, 0, 0]
    assert [content_of(path) for path, _ in known] == [digest for _, digest in known]
    assert reads == []


def test_what_another_process_has_read_meanwhile_is_not_read_again(home, reads):
    first, _ = write(home / "59.tif", "first")
    for number in range(59):
        write(home / f"{number}.tif", "more")
    content_of(first)
    subprocess.run([sys.executable, "-c", WORKER], cwd=home, check=True)
    assert content_of(str(home / "7.tif")) == blake3(b"more").hexdigest()
    assert reads == ["59.tif"]


def test_a_log_does_not_grow_with_every_change(home):
    for number in range(400):
        path, digest = write(home / "a.tif", f"{number:04}")
        assert content_of(path) == digest
        if number % 50 == 0:
            forget()
    assert len(log_of(home).read_bytes().split(b"\n")) < 200


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o500])
def test_a_folder_that_others_may_write_to_is_not_used(home, reads, mode):
    folder = home / "cache" / "taskgraph" / "contents"
    folder.mkdir(parents=True)
    folder.chmod(mode)
    path, digest = write(home / "a.tif", "one")
    assert content_of(path) == digest
    forget()
    assert content_of(path) == digest
    if mode != 0o500 or os.geteuid():
        assert reads == ["a.tif", "a.tif"]
        assert not list(folder.iterdir())


@pytest.mark.parametrize("where", ["", "relative", "/dev/null/cache"])
def test_without_a_folder_files_are_read_once_in_a_process(
    home, reads, where, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", where)
    monkeypatch.setenv("HOME", "/dev/null")
    monkeypatch.chdir(home)
    path, digest = write(home / "a.tif", "one")
    assert content_of(path) == content_of("a.tif") == File("a.tif").content == digest
    assert reads == ["a.tif"]
    assert not (home / "relative").exists()
