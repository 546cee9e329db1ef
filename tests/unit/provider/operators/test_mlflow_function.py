"""The operator behind `@task.mlflow`: what a function is given, what becomes of its result, how it is stopped."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred

from airfoil.clients.task_run import MlflowRun
from airfoil.provider.hooks.mlflow import MlflowHook
from airfoil.provider.operators.mlflow_function import DEFAULT_CONNECTION, MlflowFunctionOperator
from airfoil.provider.work_area import WorkArea
from airfoil.records import DataRef, Scores

pytestmark = pytest.mark.unit

SCORES = Scores(values={"accuracy": 0.9}, rows=10)


@pytest.fixture
def run(mlflow, make_context, tmp_path, monkeypatch):
    """Run a function as a task; `run.context` is what it saw."""
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WORK_AREA", str(tmp_path))

    def call(function, *, operator=MlflowFunctionOperator, try_number=1, params=None, **arguments):
        task = operator(task_id="train", python_callable=function, **arguments).prepare_for_execution()
        call.context = make_context(try_number=try_number, params=params)
        call.context["task"] = task
        call.task = task
        return task.execute(call.context)

    return call


def the_run(mlflow):
    (found,) = [one for one in mlflow.runs.values() if "airflow.task_id" in one["tags"]]
    return found


def test_a_function_gets_what_it_asks_for_by_name(run):
    def train(rows, mlflow_run, work, params, ti, run_id="none"):
        return [rows, type(mlflow_run), type(work), params, ti.task_id, run_id]

    found = run(train, op_kwargs={"rows": 3}, params={"trees": 5})
    assert found == [3, MlflowRun, WorkArea, {"trees": 5}, "train", "manual__1"]


def test_a_function_that_takes_everything_gets_everything(run):
    found = run(lambda **rest: sorted({"mlflow_run", "work", "ti", "x"} & set(rest)), op_kwargs={"x": 1})
    assert found == ["mlflow_run", "ti", "work", "x"]


def test_what_the_dag_file_gives_wins(run):
    assert run(lambda work: work, op_kwargs={"work": "mine"}) == "mine"


def test_nothing_is_asked_of_a_work_area_that_nobody_uses(run, monkeypatch):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WORK_AREA", "s3://not/here")
    assert run(lambda: 1) == 1
    with pytest.raises(AirflowFailException, match="s3://not/here"):
        run(lambda work: work)


def test_records_go_in_and_json_comes_out(run):
    def train(data: DataRef, scores: list[Scores]) -> dict:
        assert isinstance(data, DataRef)
        return {"scores": scores, "n": len(scores)}

    data = {"uri": "file:///a", "content_hash": "x", "rows": None}
    found = run(train, op_args=[data], op_kwargs={"scores": [SCORES.to_json()]})
    assert found == {"scores": [SCORES.to_json()], "n": 1}


def test_a_value_that_does_not_fit_fails_the_task_at_once(run, mlflow):
    def train(data: DataRef): ...

    with pytest.raises(AirflowFailException, match="The argument 'data' of train should be DataRef"):
        run(train, op_args=[3])
    assert the_run(mlflow)["info"]["status"] == "FAILED"


def test_an_async_function_is_awaited(run, mlflow):
    async def train(scores: Scores, mlflow_run) -> Scores:
        mlflow_run.log_params({"rows": scores.rows})
        return scores

    assert run(train, op_args=[SCORES.to_json()]) == SCORES.to_json()
    assert the_run(mlflow)["params"] == {"rows": "10"}
    assert the_run(mlflow)["info"]["status"] == "FINISHED"


def test_a_retry_is_the_same_run(run, mlflow):
    def train(mlflow_run, ti):
        if ti.try_number == 1:
            raise ValueError("once")
        return mlflow_run.id

    with pytest.raises(ValueError, match="once"):
        run(train)
    assert run(train, try_number=2) == the_run(mlflow)["info"]["run_id"]


def test_a_param_that_changed_is_a_new_run_and_a_green_task(run, mlflow):
    def train(mlflow_run, params, ti):
        mlflow_run.log_params({"trees": params["trees"] if ti.try_number < 3 else 99})
        return mlflow_run.id

    first = run(train, params={"trees": 5})
    second = run(train, params={"trees": 6}, try_number=2)
    run(train, params={"trees": 6}, try_number=3)
    third = run.context["task"].mlflow_run_url.rpartition("/")[2]
    assert len({first, second, third}) == 3
    assert mlflow.runs[first]["tags"]["airfoil.superseded_by"] == second
    assert mlflow.runs[second]["tags"]["airfoil.superseded_by"] == third
    assert mlflow.runs[third]["params"] == {"trees": "99"}


class Waiter(MlflowFunctionOperator):
    """A subclass that defers, as a sensor of ours may."""

    def execute_callable(self):
        raise TaskDeferred(trigger=None, method_name="execute_complete")

    def execute_complete(self, context, event):
        context["mlflow_run"].log_params({"event": event})
        return Scores(values={"a": 1}, rows=1)


def test_a_deferred_subclass_goes_on_in_the_same_run(run, mlflow):
    with pytest.raises(TaskDeferred):
        run(print, operator=Waiter)
    assert the_run(mlflow)["info"]["status"] == "RUNNING"
    found = run.task.resume_execution("execute_complete", {"event": "done"}, run.context)
    assert found == {"values": {"a": 1.0}, "rows": 1}
    assert the_run(mlflow)["params"] == {"event": "done"}
    assert the_run(mlflow)["info"]["status"] == "FINISHED"


def test_a_trigger_that_failed_fails_the_run(run, mlflow):
    with pytest.raises(TaskDeferred):
        run(print, operator=Waiter)
    with pytest.raises(Exception, match="it broke"):
        run.task.resume_execution("__fail__", {"error": "it broke"}, run.context)
    assert the_run(mlflow)["info"]["status"] == "FAILED"


def test_a_task_that_is_killed_says_so(run, mlflow):
    seen = []

    def train():
        run.task.on_kill()
        seen.append((the_run(mlflow)["info"]["status"], the_run(mlflow)["tags"]["airfoil.reason"]))

    run(train)
    assert seen == [("KILLED", seen[0][1])]
    assert seen[0][1].startswith("stopped from outside")
    MlflowFunctionOperator(task_id="a", python_callable=print).on_kill()


def test_mlflows_own_functions_are_led_to_the_run(run, mlflow, monkeypatch):
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    before = dict(os.environ)

    def train(mlflow_run):
        return os.environ["MLFLOW_RUN_ID"] == mlflow_run.id, os.environ["MLFLOW_TRACKING_URI"]

    assert run(train) == (True, "http://mlflow.test:5000")
    assert dict(os.environ) == before


def test_nothing_heavy_is_loaded_to_track(run):
    loaded = {"mlflow", "pandas", "numpy", "sklearn", "pyarrow"} & set(sys.modules)
    run(lambda mlflow_run: None)
    assert {"mlflow", "pandas", "numpy", "sklearn", "pyarrow"} & set(sys.modules) == loaded


def test_it_is_mapped_and_placed_as_any_operator():
    with DAG("d", schedule=None):
        mapped = MlflowFunctionOperator.partial(
            task_id="a",
            python_callable=print,
            experiment="e",
            retries=3,
            execution_timeout=timedelta(seconds=5),
        ).expand(op_args=[[1], [2]])
    assert mapped.retries == 3
    assert mapped.partial_kwargs["experiment"] == "e"
    task = MlflowFunctionOperator(task_id="b", python_callable=print)
    assert (task.experiment, task.mlflow_conn_id, task.autolog) == (None, "mlflow_default", False)
    assert {"experiment", "mlflow_conn_id", "op_kwargs"} <= set(task.template_fields)
    assert [link.name for link in task.operator_extra_links] == ["MLflow run"]


def test_autologging_is_asked_for_by_name(run, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "airfoil.clients.fluent_session.fluent_session",
        lambda server, run_id, autolog: asked.append(autolog) or SimpleNamespace(__enter__=None),
    )
    for autolog in (True, False):
        with pytest.raises(TypeError):
            run(print, autolog=autolog)
    assert asked == [True, False]


def test_a_dag_file_that_is_parsed_loads_no_client():
    code = (
        "import sys, airfoil.provider.decorators.mlflow\n"
        "print(sorted(name for name in sys.modules if name.startswith('airfoil.clients')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert MlflowHook.default_conn_name == DEFAULT_CONNECTION
