"""`tg show`: all that is known of a task, by real processes."""

import numpy as np


def test_show_tells_where_a_result_comes_from(outputs):
    shown = outputs.json("show", "outputs.py", "shifted")

    assert shown["function"] == "outputs.shifted"
    assert shown["arguments"].startswith("image:")
    assert shown["start"] < shown["end"]
    assert shown["wall"] >= 0
    assert shown["peak_rss"] > 1_000_000
    assert shown["host"]
    assert shown["packages"]["numpy"] == np.__version__
    assert shown["state"] == "done"
    assert shown["attempt"] == 1
    assert shown["size"] > 1000
    assert [blob["name"][-4:] for blob in shown["blobs"]] in ([".npy"], [".zst"])
    assert [need["function"] for need in shown["needs"]] == ["outputs.image"]
    text = outputs("show", "outputs.py", "shifted").stdout
    assert "peak RSS" in text
    assert "; the same now" in text


def test_show_keeps_all_that_a_task_printed(outputs):
    shown = outputs.json("show", "outputs.py", "text")

    assert shown["output"] == "from Python\nfrom C\nfrom a process\n"


def test_show_tells_that_the_code_differs_now(tg):
    path = tg.ran("sums.py")
    path.write_text(path.read_text().replace("x * x", "x * x * x"))

    assert tg.json("show", "sums.py", "total")["code_differs"] is False
    listed = tg.json("show", "sums.py", "square")
    assert {entry["state"] for entry in listed} == {"done"}
    assert tg.json("show", "sums.py", listed[0]["key"])["code_differs"] is True


def test_show_of_a_task_that_did_not_run_yet(tg):
    tg.ran("failing.py", code=1)

    blocked = [
        entry
        for entry in tg.json("show", "failing.py", "merge")
        if entry["state"] == "blocked"
    ]

    text = tg("show", "failing.py", blocked[0]["key"]).stdout
    assert "state      blocked" in text
    assert blocked[0]["arguments"]
    assert f"({blocked[0]['arguments']})" in text
