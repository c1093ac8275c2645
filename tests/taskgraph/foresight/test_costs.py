"""What functions cost, as `tg status` tells."""

JUGFILE = """
import os
import time
from taskgraph import TaskGenerator

@TaskGenerator
def nap(number):
    if number >= 4 and not os.path.exists("go"):
        raise OSError
    time.sleep(0.01)
    return bytes(1000 * number)

for number in range(8):
    nap(number)
"""


def test_status_tells_bytes_by_function_and_how_long_the_rest_takes(tg):
    tg.write("naps.py", JUGFILE)
    tg("execute", "naps.py", code=1)
    (row,) = tg.json("status", "naps.py", "--sizes")
    assert (row["name"], row["results"]) == ("naps.nap", 4)
    assert row["seconds"] >= 0.04
    assert row["peak_rss"] > 1_000_000
    assert "naps.nap" in tg("status", "naps.py", "--sizes").stdout
    assert "the rest takes" not in tg("status", "naps.py").stderr

    tg("retry", "naps.py")

    assert "the rest takes less than 1 s" in tg("status", "naps.py").stderr


def test_a_time_by_one_task_is_told_as_that(tg):
    tg.write("naps.py", JUGFILE.replace(">= 4", ">= 1"))
    tg("execute", "naps.py", code=1)
    tg("retry", "naps.py")

    assert "with 1 worker, by 1 task so far" in tg("status", "naps.py").stderr
