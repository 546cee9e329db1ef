"""What happened is found in each of Airflow's three kinds of context, and never invented."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException

from airfoil.errors import NeighbourError
from airfoil.provider.alert_story import FAILURE_KEY, NO_REASON, REPORT_KEY, alert_of, began, sentence_of
from airfoil.provider.links.mlflow_run import LINK_ATTRIBUTE, MlflowRunLink

pytestmark = pytest.mark.unit

RUN = {"dag_id": "churn", "run_id": "manual__1"}
PAGE = "http://airflow.test/dags/churn/runs/manual__1"


@pytest.fixture(autouse=True)
def airflow_here(monkeypatch):
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "http://airflow.test/")


def instance(task_id="train", state="failed", map_index=-1, xcoms=None, states=None):
    """A task instance as callbacks see it."""
    left = xcoms or {}

    def xcom_pull(*, task_ids, key, map_indexes):
        return left.get((task_ids, map_indexes, key))

    def get_task_states(dag_id, run_ids):
        if states is None:
            raise RuntimeError("Airflow's server does not answer")
        return {run_ids[0]: states}

    return SimpleNamespace(
        **RUN,
        task_id=task_id,
        state=state,
        map_index=map_index,
        xcom_pull=xcom_pull,
        get_task_states=get_task_states,
    )


def titles(alert):
    return {link.title: link.url for link in alert.links}


def of_dag(ti, reason="task_failure", tasks=("train", "score")):
    return {
        "dag": SimpleNamespace(dag_id="churn", task_ids=tasks),
        "run_id": "manual__1",
        "reason": reason,
    } | ({"ti": ti} if ti else {})


def test_a_task_that_failed_with_its_exception_and_its_places():
    task = SimpleNamespace(**{LINK_ATTRIBUTE: "http://mlflow.test/#/1"})
    ti = instance(map_index=3, xcoms={("train", 3, REPORT_KEY): "http://mlflow.test/report.html"})
    found = alert_of({"ti": ti, "task": task, "exception": ValueError("no rows\nat all")}, "hello")
    assert (found.kind, found.task_id, found.text) == ("failed", "train[3]", "hello")
    assert found.reason == "ValueError: no rows"
    assert titles(found) == {
        "Airflow": PAGE,
        "Log": f"{PAGE}/tasks/train/mapped/3",
        "MLflow run": "http://mlflow.test/#/1",
        "Report": "http://mlflow.test/report.html",
    }


@pytest.mark.parametrize(
    ("state", "kind"),
    [("success", "succeeded"), ("up_for_retry", "retried"), ("skipped", "skipped"), (None, "failed")],
)
def test_a_callback_of_another_kind(state, kind):
    assert alert_of({"ti": instance(state=state)}).kind == kind


def test_a_dag_run_with_the_reason_that_the_task_left():
    left = {
        ("train", -1, FAILURE_KEY): "accuracy 0.71 is below 0.85",
        ("train", -1, MlflowRunLink().xcom_key): "http://mlflow.test/#/1",
        ("train", -1, REPORT_KEY): {"not": "an address"},
    }
    states = {"train": "failed", "score": "upstream_failed", "clean": "failed", "load": "success"}
    found = alert_of(of_dag(instance(xcoms=left, states=states)))
    assert (found.kind, found.task_id, found.also) == ("failed", "train", ("clean",))
    assert found.reason == "accuracy 0.71 is below 0.85"
    assert titles(found)["MLflow run"] == "http://mlflow.test/#/1"
    assert "Report" not in titles(found)


def test_the_task_that_failed_is_told_and_not_the_one_that_never_ran():
    left = {("train", 2, FAILURE_KEY): "RuntimeError: gone"}
    ti = instance("score", "upstream_failed", xcoms=left, states={"train_2": "failed", "train_1": "success"})
    found = alert_of(of_dag(ti))
    assert (found.task_id, found.reason) == ("train[2]", "RuntimeError: gone")


def test_a_task_whose_name_ends_in_a_number_is_no_mapped_one():
    found = alert_of(of_dag(instance("score", states={"step_2": "failed"}), tasks=("step_2", "score")))
    assert found.task_id == "step_2"


def test_an_airflow_that_does_not_answer_costs_only_the_details():
    found = alert_of(of_dag(instance()))
    assert (found.task_id, found.also, found.reason) == ("train", (), NO_REASON)


@pytest.mark.parametrize(
    ("word", "kind", "reason"),
    [
        ("success", "succeeded", ""),
        ("timed_out", "failed", "It took longer than its dagrun_timeout."),
        ("all_tasks_deadlocked", "failed", "No task of it can go on any more."),
        ("task_failure", "failed", ""),
    ],
)
def test_a_dag_run_without_a_task(word, kind, reason):
    found = alert_of(of_dag(None, word))
    assert (found.kind, found.dag_id, found.run_id, found.reason) == (kind, "churn", "manual__1", reason)


@pytest.mark.parametrize(
    ("state", "kind", "words"),
    [
        ("running", "late", "and it still runs"),
        ("queued", "late", "and it has not even begun"),
        ("failed", "failed", "and it has failed"),
        ("success", "late", "and it was done later"),
    ],
)
@pytest.mark.parametrize("as_text", [True, False])
def test_a_deadline(state, kind, words, as_text):
    due = datetime(2026, 11, 22, 5, 15, tzinfo=timezone(timedelta(hours=1)))
    run = {"dag_id": "churn", "dag_run_id": "manual__1", "state": state}
    context = {"dag_run": run, "deadline": {"id": "1", "deadline_time": due.isoformat() if as_text else due}}
    found = alert_of(context)
    assert found.kind == kind
    assert found.reason == f"It was to be done at 2026-11-22 04:15:00 UTC, {words}."
    assert titles(found) == {"Airflow": PAGE}


def test_a_deadline_of_which_little_is_known():
    found = alert_of({"deadline": {"deadline_time": "soon"}, "dag_run": None})
    assert found.reason == "It was to be done, and it still runs."


def test_attempts_at_a_run_are_told_apart_and_alike_in_both_forms():
    moment = datetime(2026, 11, 22, 5, 15, 7, 123, tzinfo=UTC)
    as_value, as_text = SimpleNamespace(start_date=moment), {"start_date": "2026-11-22T06:15:07.000123+01:00"}
    assert began({"dag_run": as_value}) == began({"dag_run": as_text}) == "20261122T051507"
    assert began({"dag_run": {"start_date": None}}) == began({}) == "unknown"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NeighbourError("MLflow is away", "Wait."), "MLflow is away"),
        (AirflowFailException("The gate is closed. Train more."), "The gate is closed. Train more."),
        (ValueError(""), "ValueError"),
        (KeyError("x"), "KeyError: 'x'"),
        ("killed by signal 9", "killed by signal 9"),
        (OSError("postgres://u:geheim@h/db is away"), "OSError: postgres://u:***@h/db is away"),
    ],
)
def test_an_exception_is_one_sentence(error, said):
    assert sentence_of(error) == said
