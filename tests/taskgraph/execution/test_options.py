"""What a run is told, and each of its workers."""

from taskgraph import WorkerOptions
from taskgraph.execution.options import RunOptions, run_settings


def test_what_is_given_reaches_the_run_and_its_workers():
    given = {"jobs": 3, "quiet": True, "fail_fast": True, "max_wait": 5.0}

    options = RunOptions.of(given, select=str.isupper)

    assert options == RunOptions(
        workers=3, quiet=True, per_worker=WorkerOptions(str.isupper, True, False, 5.0)
    )


def test_what_is_not_given_has_its_default():
    assert RunOptions.of({}) == RunOptions()
    assert RunOptions().per_worker == WorkerOptions()


def test_other_options_of_a_command_are_left_alone():
    assert RunOptions.of({"name": ("f",), "as_json": True}) == RunOptions()


def test_every_setting_has_a_name_of_its_own():
    assert sorted(run_settings()) == [
        *(
            "also",
            "debug",
            "fail_fast",
            "jobs",
            "lease",
            "max_tasks",
            "max_time",
            "max_wait",
            "no_retry",
            "pdb",
            "quiet",
            "requeue",
            "resources",
            "retries_on",
            "retry",
        )
    ]
