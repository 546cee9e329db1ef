"""The MLflow run of a task instance, over tries: which run it is, how it is closed, what reaches Airflow."""

from __future__ import annotations

import httpx
import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskDeferred

from airfoil.clients.tracking import Tracking
from airfoil.errors import ServiceAnswerError
from airfoil.provider.task_tracking import CACHE_KEY, experiment_name, run_key
from airfoil.provider.task_tracking import task_run as real_task_run

pytestmark = pytest.mark.unit


def children(mlflow):
    return {
        name: run
        for name, run in mlflow.runs.items()
        if "airflow.task_id" in run["tags"] and run["info"].get("lifecycle_stage") != "deleted"
    }


def parents(mlflow):
    return [
        run
        for run in mlflow.runs.values()
        if "airflow.dag_id" in run["tags"] and "airflow.task_id" not in run["tags"]
    ]


def task_run(context, **options):
    """The real one, with a clock of its own, so that nobody waits for a server that stays away."""
    now = [1000.0]

    def pause(seconds):
        now[0] += seconds

    return real_task_run(
        context, tracking=lambda http: Tracking(http, clock=lambda: now[0], pause=pause), **options
    )


def attempt(context, error=None, **options):
    """One try; the id of its run."""
    try:
        with task_run(context, **options) as opened:
            opened.run.log_metrics({"loss": 1.0})
            if error is not None:
                raise error
    except BaseException as raised:
        if raised is not error:
            raise
    return opened.run.id


def test_a_task_has_a_run_below_the_run_of_its_dag_run(mlflow, make_context, store):
    context = make_context(store)
    with task_run(context, code="c1") as opened:
        inside = mlflow.runs[opened.run.id]
        assert inside["info"]["status"] == "RUNNING"
        assert context["ti"].pushed == {"_link_MlflowRunLink": opened.run.url}, (
            "the button is there while it runs"
        )
        assert context["task"].mlflow_run_url == opened.run.url
    assert inside["info"]["status"] == "FINISHED"
    (parent,) = parents(mlflow)
    assert inside["tags"]["mlflow.parentRunId"] == parent["info"]["run_id"]
    assert parent["info"]["status"] == "RUNNING", "other tasks may follow"
    assert parent["info"]["experiment_id"] == inside["info"]["experiment_id"] == mlflow.experiment_id("shop")
    assert store == {CACHE_KEY: opened.run.id}


def test_tags_lead_back_to_airflow(mlflow, make_context, monkeypatch):
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.test/base/")
    run_id = attempt(make_context(map_index=3, run_id="a b/c", try_number=2, hostname="w1"), code="c1")
    tags = mlflow.runs[run_id]["tags"]
    url = "https://airflow.test/base/dags/shop/runs/a%20b/c/tasks/train/mapped/3"
    expected = {
        "airflow.dag_id": "shop",
        "airflow.run_id": "a b/c",
        "airflow.task_id": "train",
        "airflow.map_index": "3",
        "airflow.try_number": "2",
        "airflow.host": "w1",
        "airflow.owner": "ana",
        "airflow.code_version": "c1",
        "airflow.url": url,
    }
    assert {key: tags[key] for key in expected} == expected
    assert f"({url})" in tags["mlflow.note.content"]
    (parent,) = parents(mlflow)
    assert parent["tags"]["airflow.url"] == "https://airflow.test/base/dags/shop/runs/a%20b/c"


@pytest.mark.parametrize("state", ["kept", "emptied", "garbage", "a stranger's", "absent", "sick"])
def test_a_further_try_continues_the_run_whatever_the_task_state_holds(
    mlflow, make_context, store, sick_store, state
):
    first = attempt(make_context(store), ValueError("x"))
    assert mlflow.runs[first]["info"]["status"] == "FAILED"
    stranger = attempt(make_context(task_id="other"))
    garbage = {"emptied": None, "garbage": "'; drop", "a stranger's": stranger, "kept": first}
    store.clear()
    if garbage.get(state):
        store[CACHE_KEY] = garbage[state]
    kept = {"absent": None, "sick": sick_store}.get(state, store)
    assert attempt(make_context(kept, try_number=2)) == first
    assert mlflow.runs[first]["info"]["status"] == "FINISHED"
    assert len(children(mlflow)) == 2
    assert len(parents(mlflow)) == 1


@pytest.mark.parametrize("odd", [3, ["x"], {"a": 1}, "", "x y"])
def test_a_task_state_that_is_no_id_is_not_asked_for(mlflow, make_context, store, odd):
    first = attempt(make_context(store))
    store[CACHE_KEY] = odd
    assert attempt(make_context(store, try_number=2)) == first
    assert store[CACHE_KEY] == first


def test_other_code_or_other_input_is_another_run_and_both_name_each_other(mlflow, make_context):
    first = attempt(make_context(), code="c1", given={"rows": 1})
    assert attempt(make_context(try_number=2), code="c1", given={"rows": 1}) == first
    second = attempt(make_context(try_number=3), code="c1", given={"rows": 2})
    third = attempt(make_context(try_number=4), code="c2", given={"rows": 2})
    assert len({first, second, third}) == 3
    assert mlflow.runs[first]["tags"]["airfoil.superseded_by"] == second
    assert mlflow.runs[third]["tags"]["airfoil.supersedes"] == second
    assert {run["info"]["status"] for run in children(mlflow).values()} == {"FINISHED"}


def test_a_mapped_list_in_another_order_gives_each_place_what_it_now_works_on(mlflow, make_context):
    def run_all(words, try_number):
        return [
            attempt(make_context(map_index=at, try_number=try_number), given=word)
            for at, word in enumerate(words)
        ]

    before = run_all("abc", 1)
    after = run_all("acb", 2)
    assert after[0] == before[0]
    assert not {*after[1:]} & {*before}
    open_runs = [run for run in children(mlflow).values() if "airfoil.superseded_by" not in run["tags"]]
    assert sorted(run["tags"]["airflow.map_index"] for run in open_runs) == ["0", "1", "2"]


# -- outcomes


@pytest.mark.parametrize(
    ("error", "status", "tag", "words"),
    [
        (ValueError("no price"), "FAILED", "airfoil.error", "no price"),
        (SystemExit(3), "FAILED", "airfoil.error", "3"),
        (AirflowSkipException("no data"), "KILLED", "airfoil.reason", "skipped: no data"),
        (AirflowFailException("no use"), "FAILED", "airfoil.error", "no use"),
        (KeyboardInterrupt(), "KILLED", "airfoil.reason", "stopped from outside"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_run_is_closed_with_what_happened(mlflow, make_context, error, status, tag, words):
    run = mlflow.runs[attempt(make_context(), error)]
    assert run["info"]["status"] == status
    assert words in run["tags"][tag]
    assert [row["key"] for row in run["metrics"]] == ["loss"], "what was measured is there"


def test_a_task_that_is_put_aside_goes_on_in_the_same_open_run(mlflow, make_context, store):
    deferred = TaskDeferred(trigger=None, method_name="resume")
    run_id = attempt(make_context(store), deferred)
    assert mlflow.runs[run_id]["info"]["status"] == "RUNNING"
    assert mlflow.runs[run_id]["metrics"], "what was measured is there"
    assert attempt(make_context(store), resuming=True) == run_id
    assert mlflow.runs[run_id]["info"]["status"] == "FINISHED"


def test_a_task_that_is_stopped_says_so_over_a_connection_of_its_own(mlflow, make_context):
    with task_run(make_context()) as opened:
        opened.stop("cleared")
        run = mlflow.runs[opened.run.id]
        assert (run["info"]["status"], run["tags"]["airfoil.reason"]) == ("KILLED", "cleared")
    assert run["info"]["status"] == "FINISHED", "unless it got to its end after all"
    opened.stop("too late")
    assert run["info"]["status"] == "FINISHED"


def test_the_last_words_of_a_task_raise_nothing(mlflow, make_context, caplog):
    with task_run(make_context()) as opened:
        mlflow.fail["mlflow/runs/update"] = httpx.Response(500, text="no")
        opened.stop("cleared")
        del mlflow.fail["mlflow/runs/update"]
    assert "stays open" in caplog.text


# -- MLflow in trouble


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (
            httpx.Response(401, text="You are not authenticated"),
            AirflowFailException,
            "refused us (HTTP 401)",
        ),
        (
            httpx.Response(403, json={"message": "Permission denied"}),
            AirflowFailException,
            "Permission denied",
        ),
        (httpx.Response(400, json={"message": "odd name"}), AirflowFailException, "odd name"),
        (httpx.Response(429, text="slow down"), ServiceAnswerError, "HTTP 429"),
        (httpx.Response(500, text="database is locked"), ServiceAnswerError, "database is locked"),
        (httpx.Response(200, text="<html>"), ServiceAnswerError, "does not speak like an MLflow server"),
    ],
)
def test_a_run_that_cannot_be_opened_is_one_sentence(mlflow, make_context, answer, kind, words):
    mlflow.fail["mlflow/experiments/get-by-name"] = answer
    with pytest.raises(kind) as caught, task_run(make_context()):
        pytest.fail("the work began without a run")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__suppress_context__, "no traceback of httpx in the task's log"


def test_work_that_is_done_fails_when_its_numbers_cannot_be_sent(mlflow, make_context):
    with pytest.raises(ServiceAnswerError, match="disk full"), task_run(make_context()) as opened:
        opened.run.log_metrics({"loss": 1.0})
        mlflow.fail["mlflow/runs/log-batch"] = httpx.Response(500, text="disk full")


def test_work_that_is_done_and_sent_is_not_done_again_for_a_status(mlflow, make_context, caplog):
    with task_run(make_context()) as opened:
        mlflow.fail["mlflow/runs/update"] = httpx.Response(500, text="no")
    assert f"{opened.run.id} stays open for now" in caplog.text


def test_the_error_of_the_work_is_the_one_to_report(mlflow, make_context, caplog):
    with pytest.raises(ValueError, match="no price"), task_run(make_context()):
        mlflow.fail["mlflow/runs/update"] = httpx.Response(500, text="no")
        raise ValueError("no price")
    assert "could not be brought up to date" in caplog.text


# -- names


def test_a_context_has_one_key(make_context):
    key = run_key(make_context(map_index=None))
    assert (key.dag_id, key.run_id, key.task_id, key.map_index) == ("shop", "manual__1", "train", -1)


def test_the_experiment_is_given_or_configured_or_the_dag(monkeypatch):
    assert experiment_name("shop") == "shop"
    monkeypatch.setenv("AIRFLOW__AIRFOIL__EXPERIMENT", " all ")
    assert experiment_name("shop") == "all"
    assert experiment_name("shop", "mine") == "mine"


def test_what_tracking_costs_in_requests(mlflow, make_context, store):
    """Each request is a wait of some 10 ms for the task; the cost of a task that does nothing is counted here."""
    attempt(make_context())
    for context, opening in (
        (make_context(store, task_id="b"), 5),
        (make_context(store, task_id="b", try_number=2), 5),
    ):
        mlflow.calls.clear()
        with task_run(context):
            assert len(mlflow.calls) <= opening, mlflow.calls
            mlflow.calls.clear()
        assert len(mlflow.calls) <= 2, mlflow.calls
