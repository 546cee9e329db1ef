from datetime import UTC, datetime

import pytest

from airfoil.cli.backfill import Backfill, Wanted, dated_run_id, may_run, repeat_or_refuse
from airfoil.cli.context import Invocation
from airfoil.cli.dag_runner import DagRunner
from airfoil.errors import ConfigurationError

pytestmark = pytest.mark.unit

BASE = "/api/v2/dags/shop"
BEGIN, END = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 3, tzinfo=UTC)
SCHEDULED, UNSCHEDULED = {"timetable_periodic": True}, {"timetable_periodic": False}


class Telling:
    def __init__(self):
        self.said = []

    def progress(self, runs):
        self.said.append([run.state for run in runs])

    def ended(self, run):
        self.said.append((run.moment.day, run.state, [task.label for task in run.failed_tasks]))


@pytest.fixture
def runner(project, running, stack):
    invocation = Invocation(stack=stack, sleep=lambda _: None)
    running.add_dag("shop")
    with DagRunner(invocation, project, invocation.settings(project), stack.state) as found:
        yield found


@pytest.fixture
def server(running):
    return running.server


def row(day, state, run_id=None):
    return {
        "dag_run_id": run_id or f"r{day}",
        "logical_date": f"2026-10-0{day}T00:00:00Z",
        "state": state,
        "start_date": "2026-11-20T10:00:00Z",
        "end_date": "2026-11-20T10:00:02Z" if state in {"success", "failed"} else None,
    }


def backfill(runner, dag=SCHEDULED, **values):
    wanted = Wanted("shop", BEGIN, END, **{"conf": {}, **values})
    return Backfill(runner, wanted, dag, UTC)


def answer_dates(server, answer, none, every):
    def dates(request):
        days = none if request.body["reprocess_behavior"] == "none" else every
        return answer({"backfills": [{"logical_date": f"2026-10-0{day}T00:00:00Z"} for day in days]})

    server.on("POST", "/api/v2/backfills/dry_run", dates)


def test_airflow_says_which_dates_of_a_schedule_would_run(runner, server, answer):
    answer_dates(server, answer, [2, 3], [1, 2, 3])

    plan = backfill(runner).plan()

    assert [moment.day for moment in plan.moments] == [2, 3]
    assert (plan.left_alone, plan.by_airflow) == (1, True)


def test_a_schedule_without_a_date_in_the_range(runner, server, answer):
    answer_dates(server, answer, [], [])

    with pytest.raises(ConfigurationError, match="no date that is over from 2026-10-01 to 2026-10-03"):
        backfill(runner).plan()


def test_what_airflow_refuses_about_tasks_that_depend_on_their_past(runner, server, answer):
    detail = "You must set reprocess behavior to reprocess completed or reprocess failed."
    server.on("POST", "/api/v2/backfills/dry_run", answer({"detail": detail}, 422))

    with pytest.raises(ConfigurationError) as caught:
        backfill(runner).plan()

    assert caught.value.next_move == "Add --reprocess failed or --reprocess completed."


def test_a_locked_database_is_asked_again(runner, server, answer):
    answer_dates(server, answer, [1], [1])
    server.on("GET", "/api/v2/backfills", answer({"backfills": []}))
    server.on("POST", "/api/v2/backfills", answer({"detail": "Database is locked."}, 503), answer({"id": 4}))
    found = backfill(runner, conf={"a": 1})

    found.start(found.plan())

    sent = server.asked("/api/v2/backfills")[-1].body
    assert sent["dag_run_conf"] == {"a": 1}
    assert (sent["from_date"], sent["to_date"]) == ("2026-10-01T00:00:00Z", "2026-10-03T00:00:00Z")


def test_a_creation_whose_answer_was_lost_is_recognised(runner, server, answer):
    answer_dates(server, answer, [1], [1])
    over = {"id": 3, "completed_at": "2026-10-01T00:00:00Z"}
    server.on("GET", "/api/v2/backfills", answer({"backfills": [over]}), answer({"backfills": [{"id": 4}]}))
    server.on("POST", "/api/v2/backfills", answer("cut off", 502), answer({"detail": "running"}, 409))
    found = backfill(runner)

    found.start(found.plan())

    assert len([request for request in server.asked("/api/v2/backfills") if request.method == "POST"]) == 2


def test_a_backfill_whose_runs_have_ended_is_waited_for(runner, server, answer, capsys):
    earlier = {"id": 3, "completed_at": None, "from_date": "2026-09-01", "to_date": "2026-09-02"}
    closed = {**earlier, "completed_at": "2026-11-20"}
    answer_dates(server, answer, [1], [1])
    looks = [answer({"backfills": [row]}) for row in (earlier, earlier, earlier, closed)]
    server.on("GET", "/api/v2/backfills", *looks)
    server.on("GET", f"{BASE}/dagRuns", answer({"dag_runs": [row(1, "success")]}))
    server.on("POST", "/api/v2/backfills", answer({"id": 4}))
    found = backfill(runner)

    found.start(found.plan())

    assert "Airflow notices within half a minute" in capsys.readouterr().out
    made = [request.method for request in server.asked("/api/v2/backfills")]
    assert made == ["GET", "GET", "GET", "GET", "POST"]


def test_one_that_still_runs_does(runner, server, answer):
    earlier = {"id": 3, "completed_at": None, "from_date": "2026-09-01", "to_date": "2026-09-02"}
    answer_dates(server, answer, [1], [1])
    server.on("GET", "/api/v2/backfills", answer({"backfills": [earlier]}))
    server.on("GET", f"{BASE}/dagRuns", answer({"dag_runs": [row(1, "running")]}))
    found = backfill(runner)

    with pytest.raises(ConfigurationError, match="under way already"):
        found.start(found.plan())

    assert [request.method for request in server.asked("/api/v2/backfills")] == ["GET"]


def test_runs_are_told_as_they_end(runner, server, answer, task):
    answer_dates(server, answer, [1, 2], [1, 2])
    server.on("GET", "/api/v2/backfills", answer({"backfills": []}))
    server.on("POST", "/api/v2/backfills", answer({"id": 4}))
    looks = [
        [row(1, "running"), row(2, "queued")],
        [row(1, "failed"), row(2, "running"), row(3, "running", "somebody's")],
        [row(1, "failed"), row(2, "success")],
    ]
    server.on("GET", f"{BASE}/dagRuns", *[answer({"dag_runs": look}) for look in looks])
    server.on("GET", f"{BASE}/dagRuns/r1", answer(row(1, "failed")))
    tasks = [task("train", "failed"), task("report", "upstream_failed")]
    server.on("GET", f"{BASE}/dagRuns/r1/taskInstances", answer({"task_instances": tasks}))
    found, telling = backfill(runner), Telling()
    plan = found.plan()
    found.start(plan)

    runs = found.follow(plan, telling)

    assert [run.state for run in runs] == ["failed", "success"]
    assert telling.said == [
        ["running", "queued"],
        ["failed", "running"],
        (1, "failed", ["train"]),
        ["failed", "success"],
        (2, "success", []),
    ]


def test_a_run_that_was_never_made_is_said_to_be_missing(runner, server, answer):
    answer_dates(server, answer, [1], [1])
    server.on("GET", f"{BASE}/dagRuns", answer({"dag_runs": []}))
    found = backfill(runner)

    (run,) = found.follow(found.plan(), Telling())

    assert run.state == "missing"


def test_without_a_schedule_there_is_a_run_for_each_day(runner, server, answer, running):
    server.on("GET", f"{BASE}/dagRuns", answer({"dag_runs": [row(2, "success")]}))
    found = backfill(runner, UNSCHEDULED, conf={"rows": 3})

    plan = found.plan()
    found.start(plan)

    assert ([moment.day for moment in plan.moments], plan.left_alone) == ([1, 3], 1)
    sent = running.triggered["shop"]
    assert [body["logical_date"] for body in sent] == ["2026-10-01T00:00:00Z", "2026-10-03T00:00:00Z"]
    assert sent[0]["conf"] == {"rows": 3}
    assert sent[0]["dag_run_id"].startswith("manual__2026-10-01T00:00:00Z_")


def test_without_a_schedule_a_failed_day_is_run_again(runner, server, answer, running):
    server.on(
        "GET",
        f"{BASE}/dagRuns",
        answer({"dag_runs": [row(1, "success"), row(2, "failed"), row(3, "running")]}),
    )
    server.on("POST", f"{BASE}/dagRuns/r2/clear", answer({}))
    found = backfill(runner, UNSCHEDULED, reprocess="failed")

    plan = found.plan()
    found.start(plan)

    assert [moment.day for moment in plan.moments] == [2]
    assert server.asked(f"{BASE}/dagRuns/r2/clear")[0].body["dry_run"] is False
    assert running.triggered["shop"] == []


def test_a_repeated_run_keeps_its_parameters(runner, server, answer):
    server.on("GET", f"{BASE}/dagRuns", answer({"dag_runs": [row(2, "failed")]}))

    with pytest.raises(ConfigurationError, match="keeps the parameters it had"):
        backfill(runner, UNSCHEDULED, reprocess="failed", conf={"rows": 3}).plan()


def test_partitions_are_left_to_airflows_own_command(runner):
    with pytest.raises(ConfigurationError) as caught:
        backfill(runner, {"timetable_partitioned": True})

    assert "airfoil airflow backfill create --dag-id shop" in caught.value.next_move


@pytest.mark.parametrize(
    ("state", "reprocess", "may"),
    [
        ("success", "none", False), ("failed", "none", False),
        ("success", "failed", False), ("failed", "failed", True),
        ("success", "completed", True), ("failed", "completed", True),
        ("running", "completed", False), ("queued", "failed", False),
    ],
)  # fmt: skip
def test_which_dates_may_run_again_is_as_airflow_has_it(state, reprocess, may):
    assert may_run({"state": state}, reprocess) is may
    assert may_run(None, reprocess) is True


def test_run_ids_are_ours_and_never_collide():
    assert len({dated_run_id(BEGIN) for _ in range(50)}) == 50


def test_one_date_that_did_not_run_yet(runner, server, answer, running):
    server.on("GET", f"{BASE}/dagRuns", answer({"dag_runs": []}))

    run_id = repeat_or_refuse(runner, "shop", BEGIN, "none", {"a": 1})

    assert running.triggered["shop"][0]["dag_run_id"] == run_id


@pytest.mark.parametrize(
    ("state", "reprocess", "words", "move"),
    [
        ("success", "none", "ran for 2026-10-01 already: success", "To run it again: --reprocess completed."),
        ("failed", "none", "ran for 2026-10-01 already: failed", "To run it again: --reprocess failed."),
        ("success", "failed", "already: success", "To run it again: --reprocess completed."),
        ("running", "completed", "that is running", "Wait for its end."),
    ],
)
def test_one_date_that_ran(runner, server, answer, state, reprocess, words, move):
    server.on("GET", f"{BASE}/dagRuns", answer({"dag_runs": [row(1, state)]}))

    with pytest.raises(ConfigurationError, match=words) as caught:
        repeat_or_refuse(runner, "shop", BEGIN, reprocess, {})

    assert caught.value.next_move == move


def test_one_date_that_is_run_again(runner, server, answer, capsys):
    server.on("GET", f"{BASE}/dagRuns", answer({"dag_runs": [row(1, "failed")]}))
    server.on("POST", f"{BASE}/dagRuns/r1/clear", answer({}))

    assert repeat_or_refuse(runner, "shop", BEGIN, "failed", {}) == "r1"
    assert "Running r1 again, which was failed." in capsys.readouterr().out
    with pytest.raises(ConfigurationError, match="keeps the parameters"):
        repeat_or_refuse(runner, "shop", BEGIN, "failed", {"a": 1})
