from __future__ import annotations

import pytest

from airfoil.clients.run_keys import RunKey
from airfoil.clients.runs import RunInfo
from airfoil.errors import ServiceRefusedError, ServiceUnreachableError
from airfoil.provider import reaper as module
from airfoil.provider.airflow_states import AirflowFacts
from airfoil.provider.orphans import DagRunFacts, TaskFacts
from airfoil.provider.reaper import Reaper

pytestmark = pytest.mark.unit

DAG_RUN = RunKey("d", "r")
TASK = RunKey("d", "r", "t")


class Place:
    """An MLflow server whose exchanges are over when they begin; it is its own `runs`."""

    usable = True

    def __init__(self, *runs):
        self.open = {run.id: run for run in runs}
        self.closed = {}
        self.reasons = {}
        self.parents = {}
        self.candidates = []
        self.discarded = []
        self.asked = []
        self.error = None
        self.forbidden = ""
        self.failures = []
        self.runs = self

    def do(self, answer):
        return answer

    def running(self):
        self.asked.append("running")
        if self.error:
            raise self.error
        return list(self.open.values())

    def finish(self, run_id, status, tags):
        if run_id == self.forbidden:
            raise ServiceRefusedError("MLflow refused us (HTTP 403)")
        self.open.pop(run_id, None)
        self.closed[run_id] = status
        self.reasons[run_id] = tags["airfoil.reason"]

    def find_parent(self, key):
        self.asked.append("parent")
        return self.parents.get(key)

    def abandoned_candidates(self, seconds):
        return self.candidates

    def discard(self, run_id):
        self.discarded.append(run_id)

    def went_well(self):
        self.failures.append("")

    def failed(self, error):
        self.failures.append(str(error))


class Airflow:
    """What Airflow's database says, and how often it was asked."""

    def __init__(self, dag_runs=None, tasks=None):
        self.dag_runs = dag_runs or {}
        self.tasks = tasks or {}
        self.asked = []

    def __call__(self, keys):
        self.asked.append(set(keys))
        return AirflowFacts(dict(self.dag_runs), dict(self.tasks))


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def run(name, key=TASK, status="RUNNING", **tags):
    return RunInfo(name, "1", "", status, {**key.tags(), **tags})


def child(name="child", key=TASK, **tags):
    return run(name, key, **{"airfoil.run_key": "x"}, **tags)


def made(place, airflow, clock, **options):
    return Reaper([place], facts=airflow, clock=clock, **options)


def test_nothing_running_asks_mlflow_once_and_airflow_never(clock):
    place, airflow = Place(), Airflow()
    made(place, airflow, clock).round()
    assert (place.asked, airflow.asked) == (["running"], [])


def test_an_ended_dag_run_is_closed_with_all_that_is_below_it(clock):
    place = Place(run("parent", DAG_RUN), child())
    airflow = Airflow({DAG_RUN: DagRunFacts("failed")}, {TASK: TaskFacts("failed", 1, process_lives=False)})
    made(place, airflow, clock).round()
    assert place.closed == {"parent": "FAILED", "child": "FAILED"}
    assert place.reasons["child"] == "its task ended: failed"


def test_what_is_at_work_stays_open(clock):
    place = Place(run("parent", DAG_RUN), child())
    airflow = Airflow({DAG_RUN: DagRunFacts("running")}, {TASK: TaskFacts("running", 1)})
    made(place, airflow, clock).round()
    assert place.closed == {}


def test_what_is_not_sure_is_closed_at_a_second_look_that_comes_sooner(clock):
    place = Place(child())
    airflow = Airflow({DAG_RUN: DagRunFacts("running")}, {TASK: TaskFacts("failed", 1, ended_seconds_ago=1)})
    reaper = made(place, airflow, clock)
    assert reaper.pause_seconds() == 30
    reaper.round()
    assert place.closed == {}
    assert reaper.pause_seconds() == 20
    clock.now += 20
    reaper.round()
    assert place.closed == {"child": "FAILED"}
    assert reaper.pause_seconds() == 30


def test_a_suspect_that_is_at_work_again_is_forgotten(clock):
    place = Place(child())
    airflow = Airflow({DAG_RUN: DagRunFacts("running")}, {TASK: TaskFacts("failed", 1, ended_seconds_ago=1)})
    reaper = made(place, airflow, clock)
    reaper.round()
    clock.now += 20
    airflow.tasks[TASK] = TaskFacts("running", 2)
    reaper.round()
    clock.now += 20
    airflow.tasks[TASK] = TaskFacts("failed", 2, ended_seconds_ago=1)
    reaper.round()
    assert place.closed == {}


def test_a_deleted_dag_run_is_told_from_that_of_another_airflow_by_having_been_seen(clock):
    place = Place(child())
    airflow = Airflow()
    reaper = made(place, airflow, clock)
    for _ in range(3):
        reaper.round()
        clock.now += 30
    assert place.closed == {}, "never seen here: it may be somebody else's"
    airflow.dag_runs[DAG_RUN], airflow.tasks[TASK] = DagRunFacts("running"), TaskFacts("running", 1)
    reaper.round()
    airflow.dag_runs.clear()
    airflow.tasks.clear()
    reaper.round()
    clock.now += 30
    reaper.round()
    assert place.closed == {"child": "KILLED"}
    assert "deleted" in place.reasons["child"]


@pytest.mark.parametrize(
    ("own", "theirs", "closed"),
    [
        ("https://a.example.com", "https://a.example.com/dags/d/runs/r", True),
        ("https://a.example.com", "https://b.example.com/dags/d/runs/r", False),
        ("http://localhost:8080", "http://localhost:8080/dags/d/runs/r", False),
        ("", "", False),
    ],
)
def test_or_by_the_address_that_the_run_names(clock, own, theirs, closed):
    place = Place(child(**{"airflow.url": theirs}))
    reaper = made(place, Airflow(), clock, own_url=own)
    reaper.round()
    clock.now += 30
    reaper.round()
    assert bool(place.closed) is closed


def test_another_airflows_run_of_the_same_name_is_left_alone(clock):
    place = Place(run("parent", DAG_RUN, **{"airflow.url": "https://b.example.com/dags/d"}))
    airflow = Airflow({DAG_RUN: DagRunFacts("success")})
    made(place, airflow, clock, own_url="https://a.example.com").round()
    assert place.closed == {}


def test_work_in_one_round_is_bounded_and_goes_on_in_the_next(clock, monkeypatch):
    monkeypatch.setattr(module, "MAX_CLOSINGS", 2)
    place = Place(*(run(f"p{number}", DAG_RUN) for number in range(5)))
    reaper = made(place, Airflow({DAG_RUN: DagRunFacts("success")}), clock)
    for closed in (2, 4, 5):
        reaper.round()
        assert len(place.closed) == closed
    assert set(place.closed.values()) == {"FINISHED"}


def test_one_server_that_fails_does_not_keep_the_others_waiting(clock):
    silent, other = Place(), Place(run("parent", DAG_RUN))
    silent.error = ServiceUnreachableError("MLflow cannot be reached")
    airflow = Airflow({DAG_RUN: DagRunFacts("success")})
    Reaper([silent, other], facts=airflow, clock=clock).round()
    assert other.closed == {"parent": "FINISHED"}
    assert silent.failures == ["MLflow cannot be reached"]


def test_one_run_that_may_not_be_written_to_does_not_keep_the_others_open(clock, caplog):
    place = Place(run("theirs", DAG_RUN), run("parent", DAG_RUN))
    place.forbidden = "theirs"
    reaper = made(place, Airflow({DAG_RUN: DagRunFacts("success")}), clock)
    for _ in range(3):
        reaper.round()
    assert place.closed == {"parent": "FINISHED"}
    assert len([record for record in caplog.records if "cannot be closed" in record.getMessage()]) == 1


def test_what_stays_open_is_counted_for_airflows_metrics(clock):
    told = []
    place = Place(child("mine"), child("theirs"))
    place.forbidden = "theirs"
    airflow = Airflow({DAG_RUN: DagRunFacts("success")}, {TASK: TaskFacts("success", 1, process_lives=False)})
    reaper = made(place, airflow, clock, gauge=lambda name, value: told.append((name, value)))
    reaper.round()
    place.forbidden = ""
    reaper.round()
    place.error = ServiceUnreachableError("MLflow is away")
    reaper.round()
    assert told == [("airfoil.orphan_runs", 1), ("airfoil.orphan_runs", 0)]


def test_a_candidate_is_deleted_when_it_is_found_twice(clock):
    place = Place()
    place.candidates = [run("old")]
    reaper = made(place, Airflow(), clock)
    reaper.round()
    assert place.discarded == []
    for discarded in ([], ["old"]):
        clock.now += module.CANDIDATE_SECONDS
        reaper.round()
        reaper.round()
        assert place.discarded == discarded


def test_a_candidate_goes_with_its_task_and_not_before(clock):
    """Its maker died before it could use it; the next try may yet go on with it."""
    place = Place(run("left", TASK, **{"airfoil.candidate": "open"}))
    airflow = Airflow({DAG_RUN: DagRunFacts("running")}, {TASK: TaskFacts("running", 2)})
    reaper = made(place, airflow, clock)
    for _ in range(3):
        reaper.round()
        clock.now += module.GRACE_SECONDS
    assert place.discarded == []
    airflow.tasks[TASK] = TaskFacts("success", 2, ended_seconds_ago=module.GRACE_SECONDS + 1)
    reaper.round()
    assert place.discarded == ["left"]
    assert place.closed == {}


# -- settling


def test_an_ended_dag_run_is_settled_at_once_and_others_are_not_touched(clock):
    other = RunKey("d", "other")
    place = Place(run("parent", DAG_RUN), run("theirs", other))
    airflow = Airflow({DAG_RUN: DagRunFacts("success"), other: DagRunFacts("success")})
    assert made(place, airflow, clock).settle([("d", "r")]) == set()
    assert place.closed == {"parent": "FINISHED"}


@pytest.mark.parametrize(
    "facts",
    [
        ({DAG_RUN: DagRunFacts("running")}, {}),
        ({DAG_RUN: DagRunFacts("failed")}, {TASK: TaskFacts("failed", 1, ended_seconds_ago=0)}),
    ],
    ids=["not committed yet", "a task is being killed"],
)
def test_what_cannot_be_settled_yet_is_looked_at_again(clock, facts):
    place = Place(child())
    assert made(place, Airflow(*facts), clock).settle([("d", "r")]) == {("d", "r")}


def test_a_dag_run_without_runs_in_mlflow_or_without_a_trace_in_airflow_is_settled(clock):
    assert made(Place(), Airflow({DAG_RUN: DagRunFacts("success")}), clock).settle([("d", "r")]) == set()
    assert made(Place(), Airflow(), clock).settle([("d", "r")]) == set()


def test_the_parent_of_a_cleared_dag_run_takes_the_last_end(clock):
    place = Place()
    place.parents[DAG_RUN] = run("parent", DAG_RUN, "FAILED")
    airflow = Airflow({DAG_RUN: DagRunFacts("success", was_cleared=True)})
    made(place, airflow, clock).settle([("d", "r")])
    assert place.closed == {"parent": "FINISHED"}


def test_the_parent_is_not_looked_for_when_nothing_was_cleared(clock):
    place = Place()
    made(place, Airflow({DAG_RUN: DagRunFacts("success")}), clock).settle([("d", "r")])
    assert place.asked == ["running"]


def test_mlflow_away_at_the_end_leaves_it_to_the_rounds(clock):
    place = Place(run("parent", DAG_RUN))
    place.error = ServiceUnreachableError("MLflow cannot be reached")
    airflow = Airflow({DAG_RUN: DagRunFacts("failed")})
    reaper = made(place, airflow, clock)
    assert reaper.settle([("d", "r")]) == set()
    place.error = None
    reaper.round()
    assert place.closed == {"parent": "FAILED"}


def test_it_is_made_from_airflows_configuration(monkeypatch):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__MLFLOW_CONN_IDS", " one, two ,one,")
    monkeypatch.setenv("AIRFLOW__AIRFOIL__REAPER_SECONDS", "0")
    reaper = Reaper.from_configuration()
    assert [place.conn_id for place in reaper._places] == ["one", "two"]
    assert reaper.pause_seconds() == 0


def test_and_from_nothing():
    reaper = Reaper.from_configuration()
    assert [place.conn_id for place in reaper._places] == ["mlflow_default"]
    assert reaper.pause_seconds() == 30
