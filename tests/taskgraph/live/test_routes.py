"""What pages are told: tasks, records, failures, values; and what they may not do."""

from __future__ import annotations

from threading import Event, Thread

import pytest

from taskgraph import invalidate
from taskgraph.api import run
from taskgraph.errors import UsageError
from taskgraph.live.acting import words_of

SCRIPT = """
import os, time
from pathlib import Path
from taskgraph import TaskGenerator
from datetime import date

def looked_at():  # to store what is pickled, it is loaded once; only later it turns bad
    return Path("stored").exists()

def leave(words):
    Path("ran.txt").write_text(words)
    return words

def end():
    if looked_at():
        os._exit(3)

def sleep():
    if looked_at():
        time.sleep(60)

class Ran:
    def __reduce__(self):
        return leave, ("unpickled",)

class Ends:
    def __reduce__(self):
        return end, ()

class Sleeps:
    def __reduce__(self):
        return sleep, ()

class Own:
    def _repr_html_(self):
        return "<script>alert(1)</script>"

@TaskGenerator
def plain(x):
    return {"x": x}
@TaskGenerator
def table(x):
    return [{"x": n, "name": "<b>"} for n in range(x)]
@TaskGenerator
def ran(): return Ran()
@TaskGenerator
def ends(): return Ends()
@TaskGenerator
def sleeps(): return Sleeps()
@TaskGenerator
def own(): return [Own(), date(2026, 1, 2)]
@TaskGenerator
def fails(x):
    print("so far", x)
    raise ValueError(f"no {x}")
@TaskGenerator
def total(all): return len(all)

parts = [plain(n) for n in range(30)]
total(parts)
table(300)
ran(), ends(), sleeps(), own()
[fails(n) for n in range(3)]
"""


@pytest.fixture
def jugfile(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "work.py"
    path.write_text(SCRIPT)
    run(path, store=str(path.with_suffix(".tgdata")), check=False, workers=0)
    (tmp_path / "ran.txt").unlink(missing_ok=True)
    (tmp_path / "stored").touch()
    return path


def test_tasks_are_found_filtered_sorted_and_paged(shown, jugfile):
    client, page = shown(jugfile)
    found = client.get("tasks", function="work.plain", start=5, count=10)
    assert found["total"] == 30
    assert [row["arguments"] for row in found["rows"]] == [str(n) for n in range(5, 15)]
    assert client.get("tasks", state="failed")["total"] == 3
    assert client.get("tasks", text="29", state="done")["total"] >= 1
    while page.following.reading:
        page.look()
    down = client.get("tasks", sort="took", down=1, state="done")["rows"]
    assert down == sorted(down, key=lambda row: -row["took"])
    key = down[0]["key"]
    assert [row["key"] for row in client.get("tasks", text=key[:12])["rows"]] == [key]
    for nonsense in ({"function": "no"}, {"state": "no"}, {"text": "no such thing"}):
        assert client.get("tasks", **nonsense)["total"] == 0
    assert client.answer("tasks", start="x")[0] == 400
    assert client.get("tasks", count=-1)["rows"] == []


def test_a_record_says_all_and_links_both_ways(shown, jugfile):
    client, _ = shown(jugfile)
    total = client.get("task", key=client.key("work.total"))
    assert total["needs_count"] == 30
    first = client.get("task", key=total["needs"][0]["key"])
    assert first["needed_by"][0]["key"] == total["key"]
    record = first["record"]
    assert record["host"]
    assert record["packages"]["taskgraph"]
    assert record["code"]
    assert client.answer("task", key="00" * 20)[0] == 404
    assert client.answer("task", key="no")[0] == 400


def test_failures_of_one_cause_are_together(shown, jugfile):
    client, _ = shown(jugfile)
    found = client.get("failures")
    assert found["total"] == 3
    (group,) = found["groups"]
    assert (group["count"], group["error"]) == (3, "ValueError")
    assert "raise ValueError" in group["traceback"]
    assert {one["message"] for one in group["tasks"]} == {"no 0", "no 1", "no 2"}


def test_a_pickle_is_loaded_only_if_somebody_asks(shown, jugfile):
    client, _ = shown(jugfile)
    key, left = client.key("work.ran"), jugfile.with_name("ran.txt")
    assert client.post("value/open", key=key)[1]["kind"] == "pickle"
    client.get("task", key=key)
    assert client.answer("value/page", key=key)[0] == 400
    assert not left.exists()
    assert client.post("value/open", key=key, unpickle=True)[1]["kind"] == "text"
    assert left.read_text() == "unpickled"


def test_a_value_that_ends_its_process_or_never_comes_ends_nothing_else(
    shown, jugfile, monkeypatch
):
    client, _ = shown(jugfile)
    key = client.key("work.ends")
    status, said = client.post("value/open", key=key, unpickle=True)
    assert (status, "died" in said["error"]) == (400, True)
    key = client.key("work.sleeps")
    with monkeypatch.context() as patch:
        patch.setattr("taskgraph.live.values.PATIENCE", 2.0)
        status, said = client.post("value/open", key=key, unpickle=True)
    assert (status, "more than 2 s" in said["error"]) == (400, True)
    key = client.key("work.plain")
    assert client.post("value/open", key=key)[1]["text"] == "{'x': 0}"


def test_nobody_waits_for_a_value_that_never_comes(shown, jugfile):
    client, page = shown(jugfile)
    key, plain = client.key("work.sleeps"), client.key("work.plain")
    asked = [
        Thread(target=client.post, args=["value/open"], kwargs=more)
        for more in [{"key": key, "unpickle": True}] * 12
    ]
    for one in asked:
        one.start()
    assert client.get("tasks")["total"] == 39
    assert client.post("value/open", key=plain)[1]["text"] == "{'x': 0}"
    assert client.answer("value/rows", key=plain)[0] == 400
    assert all(one.is_alive() for one in asked)
    page.values(plain=False).open = lambda *_: {}  # those that wait need not come
    while any(one.is_alive() for one in asked):
        if (process := page.values(plain=False)._process) is not None:
            process.kill()
        asked[0].join(0.1)


def test_two_that_ask_at_once_share_one_process(shown, jugfile, monkeypatch):
    _, page = shown(jugfile)
    got, begun, answered = [], Event(), Event()

    def make(*_):
        if not begun.is_set():  # the first waits here until the second has its answer
            begun.set()
            assert answered.wait(20)
        return object()

    monkeypatch.setattr("taskgraph.live.page.ValueProcess", make)
    first = Thread(target=lambda: got.append(page.values(plain=False)))
    first.start()
    assert begun.wait(20)
    got.append(page.values(plain=False))
    answered.set()
    first.join()
    assert got[0] is got[1] is page.values(plain=False)
    page._values.clear()  # they are no processes that could be closed


def test_a_value_of_a_task_that_ran_again_is_the_new_one(shown, jugfile):
    number = jugfile.with_name("number.txt")
    number.write_text("1")
    jugfile.write_text(
        "from pathlib import Path\nfrom taskgraph import TaskGenerator\n"
        "@TaskGenerator\ndef read(): return [int(Path('number.txt').read_text())]\n"
        "read()\n"
    )
    store = str(jugfile.with_suffix(".tgdata"))
    run(jugfile, store=store, workers=0)
    client, page = shown(jugfile)
    key = client.key("work.read")
    assert client.post("value/open", key=key)[1]["text"] == "[1]"
    number.write_text("2")
    invalidate(jugfile, name="read", store=store)
    run(jugfile, store=store, workers=0)
    page.look()
    assert client.post("value/open", key=key)[1]["text"] == "[2]"


def test_tables_are_sorted_and_saved_as_csv(shown, jugfile):
    client, _ = shown(jugfile)
    key = client.key("work.table")
    about = client.post("value/open", key=key)[1]
    assert (about["kind"], about["rows"]) == ("table", 300)
    rows = client.get("value/rows", key=key, start=0, count=2, by="x", down=1)
    assert [row[0][0] for row in rows] == ["299", "298"]
    status, headers, body = client.answer("value/csv", key=key)
    assert (status, headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert body.splitlines()[1] == b"0,<b>"
    assert client.answer("value/rows", key=key, by="no")[0] == 400


def test_html_of_a_value_is_a_page_that_runs_nothing(shown, jugfile):
    client, _ = shown(jugfile)
    key = client.key("work.own")
    about = client.post("value/open", key=key, unpickle=True)[1]
    assert [part["kind"] for _, part in about["parts"]] == ["html", "text"]
    _, headers, _ = client.answer("value/page", key=key, part="0")
    policy = headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script-src" not in policy
    assert client.answer("value/page", key=key, part="7")[0] == 400


def test_a_page_that_only_shows_changes_nothing(shown, jugfile):
    client, page = shown(jugfile)
    status, said = client.post("act", do="retry")
    assert (status, "--allow-actions" in said["error"]) == (400, True)
    assert page.state()["acts"] is False


def test_what_a_page_asks_for_is_words_of_the_command_line(shown, jugfile):
    called = []

    def act(words):
        called.append(words)
        return (
            (2, "", "tg: it is refused") if "undo" in words else (0, "[]", "tg: done")
        )

    client, _ = shown(jugfile, act=act)
    assert client.post("act", do="retry", function="work.fails")[1]["told"] == "done"
    status, said = client.post("act", do="undo", number=3)
    assert (status, said["error"]) == (400, "it is refused")
    assert called == [
        ["retry", "--json", "--name=work.fails"],
        ["undo", "--json", "--yes", "3"],
    ]


@pytest.mark.parametrize(
    "asked",
    [
        {"do": "execute"},
        {"do": None},
        {"do": "retry", "preview": True},
        {"do": "retry", "key": "ab"},
        {"do": "undo", "function": "f"},
        {"do": "undo", "number": [1]},
        {"do": "undo", "number": "--yes"},
        {"do": "undo", "number": float("inf")},
    ],
)
def test_nothing_else_can_be_asked_for(asked):
    with pytest.raises(UsageError):
        words_of(asked)


def test_a_name_is_never_an_option_nor_a_pattern():
    words = words_of({"do": "invalidate", "function": "--yes *"})
    assert words == ["invalidate", "--json", "--yes", "--name=--yes [*]"]


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff", b"3"])
def test_what_is_no_json_is_told(shown, jugfile, body):
    client, _ = shown(jugfile)
    status, said = client.post_raw("act", body)
    assert (status, said["error"]) == (400, "this is no JSON")


def test_the_state_names_hostile_things_as_they_are(shown, jugfile):
    client, page = shown(jugfile)
    page.look()
    names = [row["name"] for row in page.state()["functions"]]
    assert "work.plain" in names
    assert client.get("graph")["lines"][0]["title"] == "30 results needed"
    while page.following.reading:
        page.look()
    assert client.get("history")["counts"]["work.plain"]
    assert client.get("undoable") == []
