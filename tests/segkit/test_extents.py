"""How much memory there is: of the machine, of a control group, of the process."""

import subprocess
import sys

import pytest

from segkit.extents import memory_limit


@pytest.mark.parametrize(
    ("groups", "files", "limit"),
    [
        ("0::/a/b\n", {"a/memory.max": "3000\n", "a/b/memory.max": "max\n"}, 3000),
        ("0::/a\n", {"memory.max": "2000\n"}, 2000),  # as a container sees it
        (
            "9:pids:/x\n4:cpu,memory:/x\n0::/\n",
            {"memory/x/memory.limit_in_bytes": "5000\n", "memory/memory.limit": "1"},
            5000,
        ),
    ],
)
def test_memory_is_that_of_the_control_group(tmp_path, groups, files, limit):
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(groups)
    for name, text in files.items():
        file = tmp_path / "sys/fs/cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert memory_limit(tmp_path) == limit
    assert memory_limit(tmp_path / "none") > limit


def test_a_limit_of_the_process_is_one_of_its_memory():
    code = (
        "import resource, segkit.extents as e;"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 34, 1 << 34));"
        "print(e.memory_limit() <= 1 << 34);"
        "e.require_memory((1 << 20, 1 << 20), 1, name='f', instead='crop it')"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert run.stdout == "True\n"
    assert "more than the memory that this process may have" in run.stderr
