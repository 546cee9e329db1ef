"""Written histories of a DAG run, and what is told about them."""

import pytest

from airfoil.cli import follow
from airfoil.cli.follow import Change, RunView, TaskView

pytestmark = pytest.mark.unit

NOW = 1_795_168_810.0  # 2026-11-20T10:00:10Z


def view(*tasks, state="running"):
    return RunView(state, 10.0, tasks)


def one(task_id, state, try_number=1, map_index=-1, seconds=None):
    return TaskView(task_id, map_index, state, try_number, seconds)


def told(*history):
    """What is said at each look."""
    befores = (None, *history)
    return [
        [
            f"{change.label} {change.state} {change.count or change.try_number}"
            for change in follow.changes(*pair)
        ]
        for pair in zip(befores, history, strict=False)
    ]


def test_a_task_from_waiting_to_success():
    history = [
        view(one("a", "", 0)),
        view(one("a", "scheduled", 0)),
        view(one("a", "queued")),
        view(one("a", "running")),
        view(one("a", "running")),
        view(one("a", "success")),
    ]

    assert told(*history) == [[], [], [], ["a running 1"], [], ["a success 1"]]


def test_steps_between_two_looks_are_not_invented():
    assert told(view(one("a", "")), view(one("a", "success", 2))) == [[], ["a success 2"]]


def test_a_retry_is_a_second_story():
    history = [
        view(one("a", "running", 1)),
        view(one("a", "up_for_retry", 1)),
        view(one("a", "queued", 2)),
        view(one("a", "running", 2)),
        view(one("a", "failed", 2)),
    ]

    assert told(*history) == [["a running 1"], ["a up_for_retry 1"], [], ["a running 2"], ["a failed 2"]]


def test_a_try_that_failed_unseen_shows_by_its_number():
    assert told(view(one("a", "running", 1)), view(one("a", "running", 2)))[1] == ["a running 2"]


def test_mapped_tasks_appear_when_they_are_expanded():
    history = [
        view(one("double", "", 0)),
        view(one("double", "running", map_index=0), one("double", "queued", map_index=1)),
        view(one("double", "success", map_index=0), one("double", "running", map_index=1)),
    ]

    assert told(*history) == [[], ["double[0] running 1"], ["double[0] success 1", "double[1] running 1"]]


def test_large_mapped_tasks_are_counted_and_failures_named():
    def moment(done, failed=0):
        states = ["failed"] * failed + ["success"] * done + ["running"] * (200 - done - failed)
        return view(*(one("double", state, map_index=index) for index, state in enumerate(states)))

    assert told(moment(0), moment(40), moment(40), moment(150, failed=1), moment(199, failed=1)) == [
        [],
        ["double[] running 40 of 200"],
        [],
        ["double[0] failed 1", "double[] running 151 of 200"],
        ["double[] failed 200 of 200"],
    ]


def test_skips_and_tasks_that_never_ran_are_told():
    assert told(view(one("a", "skipped", 0), one("b", "upstream_failed", 0), one("c", "removed", 0))) == [
        ["a skipped 0", "b upstream_failed 0"]
    ]


def test_a_cleared_task_is_told():
    assert told(view(one("a", "success")), view(one("a", "")), view(one("a", "queued")))[1:] == [
        ["a cleared 0"],
        [],
    ]


def test_look_reads_airflows_answers(task):
    run = {"state": "running", "start_date": "2026-11-20T10:00:00Z", "end_date": None}
    rows = [
        task("one", "success"),
        task("double", "running", map_index=1, duration=99),
        task("after"),
        task("double", "up_for_retry", map_index=0),
    ]

    found = follow.look(run, rows, NOW)

    assert found.seconds == 10
    assert [(one.label, one.seconds) for one in found.tasks] == [
        ("one", 2.5),
        ("double[0]", 2.5),
        ("double[1]", 9.0),
        ("after", None),
    ]
    assert not found.ended


def test_look_survives_odd_answers():
    found = follow.look({}, [{"task_id": None, "map_index": "x", "start_date": 7, "try_number": None}], NOW)

    assert found == RunView("", None, (TaskView("None", -1, "", 0, None),))


def test_a_run_that_ended_keeps_its_own_seconds():
    run = {
        "state": "success",
        "start_date": "2026-11-20T10:00:00Z",
        "end_date": "2026-11-20T10:00:05.25+00:00",
    }

    assert follow.look(run, [], NOW).seconds == 5.25
    assert follow.look(run, [], NOW).ended


def test_a_clock_behind_the_servers_gives_no_negative_seconds(task):
    assert follow.look({}, [task("a", "running")], NOW - 3600).tasks[0].seconds == 0


def test_failed_tasks_are_those_that_failed_themselves():
    found = view(one("a", "failed"), one("b", "upstream_failed"), one("c", "success"))

    assert [task.label for task in found.failed_tasks] == ["a"]


def test_active_shows_what_goes_on():
    mapped = [one("many", "success" if index < 3 else "running", map_index=index) for index in range(12)]

    found = follow.active(
        view(one("a", "success"), one("b", "running", seconds=2.0), one("c", "queued"), *mapped)
    )

    assert [(change.label, change.state, change.count) for change in found] == [
        ("b", "running", ""),
        ("c", "queued", ""),
        ("many[]", "running", "3 of 12"),
    ]


def test_looks_become_rarer():
    pace = [follow.poll_seconds(seconds) for seconds in (0, 60, 330, 600, 9000)]

    assert pace == [0.5, 0.5, 1.25, 2.0, 2.0]


def test_outcome_is_plain_json():
    found = follow.outcome(
        "d", "r", view(one("a", "success", 2, seconds=1.23456), one("b", "")), {"airflow_url": "u"}
    )

    assert found["tasks"] == [
        {"task_id": "a", "map_index": -1, "state": "success", "try_number": 2, "seconds": 1.235},
        {"task_id": "b", "map_index": -1, "state": None, "try_number": 1, "seconds": None},
    ]
    assert (found["schema"], found["state"], found["seconds"], found["airflow_url"]) == (
        1,
        "running",
        10.0,
        "u",
    )


def test_which_changes_are_last_words():
    assert Change("a", "success").ended
    assert not Change("a", "up_for_retry").ended
