"""`@task.mlflow` in a real Airflow beside a real MLflow, under every blow: one run, finished, nothing lost."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress

import pytest
from tests.sizes import full_only
from tests.system.platforms import wait_until
from tests.system.tracked_work import MAPPED, children, curve, furnish, mlflow_runs, notes

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

LOSS = {step: 1 / (step + 1) for step in range(20)}


@pytest.fixture(scope="module")
def desk(make_platform):
    """Make a platform with Airflow's own LocalExecutor and tasks that are tracked."""
    platform = make_platform({"airflow": {"parallelism": 4}, "stack": {"engine": "plain"}})
    furnish(platform)
    platform.up()
    return platform


@pytest.fixture
def platform(desk):
    """Give it with no task held and no note of an earlier test."""
    for name in ("hold", "trees", "reversed", "tracked.jsonl"):
        (desk.root / name).unlink(missing_ok=True)
    return desk


@pytest.fixture
def airflow(platform):
    with platform.airflow() as client:
        yield client


def trigger(airflow, dag_id):
    run_id = f"{dag_id}-{time.time():.3f}"
    wait_until(lambda: _triggered(airflow, dag_id, run_id), 120, "the DAG is known")
    return run_id


def _triggered(airflow, dag_id, run_id):
    with suppress(Exception):
        airflow.trigger(dag_id, {}, None, run_id)
        return True
    return False


def wait_for_end(airflow, dag_id, run_id, state="success"):
    ended = {"success", "failed"}
    took = wait_until(
        lambda: airflow.run(dag_id, run_id)["state"] in ended, 400, "the run's end", step_seconds=0.5
    )
    assert airflow.run(dag_id, run_id)["state"] == state
    return took


def hold(platform):
    (platform.root / "hold").touch()


def let_go(platform):
    (platform.root / "hold").unlink()


def wait_for_try(platform, number):
    wait_until(
        lambda: [line for line in notes(platform) if line["try"] == number],
        120,
        f"try {number} in the middle",
    )
    return next(line for line in notes(platform) if line["try"] == number)


def assert_one_finished_run(platform, run_id, tries):
    """One child of the training, with everything it measured, after this many tries."""
    (run,) = children(platform, run_id, "train")
    assert run["status"] == "FINISHED"
    assert run["params"] == {"trees": "5", "rows": "3"}
    assert dict(curve(platform, run["id"], "loss")) == LOSS
    said = json.loads(run["tags"]["airfoil.tries"])
    assert [one["try"] for one in said] == tries
    assert said[-1]["outcome"] == "FINISHED"
    return run


def clear(airflow, dag_id, run_id, task_id):
    """Let it run again, with all that comes after it."""
    airflow.clear_tasks(dag_id, run_id, [task_id])


def forget(airflow, dag_id, run_id, task_id):
    """Wipe what Airflow remembers for a task between its tries."""
    place = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/state-store"
    before = airflow.parsed(airflow.call("GET", place))
    assert "airfoil_mlflow_run" in json.dumps(before)
    airflow.check(airflow.call("DELETE", place))


def test_a_killed_task_is_retried_into_the_same_run(platform, airflow):
    hold(platform)
    run_id = trigger(airflow, "tracked")
    first = wait_for_try(platform, 1)
    (running,) = children(platform, run_id, "train")
    assert running["status"] == "RUNNING"
    place = f"/dags/tracked/dagRuns/{run_id}/taskInstances/train/links"
    links = airflow.parsed(airflow.call("GET", place))["extra_links"]
    assert links["MLflow run"].endswith(f"/runs/{running['id']}"), "a click away while it runs"

    os.kill(first["pid"], 9)
    let_go(platform)
    took = wait_for_end(airflow, "tracked", run_id)

    run = assert_one_finished_run(platform, run_id, [1, 2])
    assert run["id"] == running["id"]
    (parent,) = [one for one in mlflow_runs(platform, run_id) if "airflow.task_id" not in one["tags"]]
    assert run["tags"]["mlflow.parentRunId"] == parent["id"]
    print(f"killed, retried, over after {took:.1f} s")

    # -- cleared afterwards, with Airflow's memory of it wiped
    forget(airflow, "tracked", run_id, "train")
    clear(airflow, "tracked", run_id, "train")
    wait_for_end(airflow, "tracked", run_id)
    assert assert_one_finished_run(platform, run_id, [1, 2, 3])["id"] == running["id"]

    # -- cleared with a parameter that changed: green, and the old run is closed
    (platform.root / "trees").write_text("6")
    clear(airflow, "tracked", run_id, "train")
    wait_for_end(airflow, "tracked", run_id)
    found = {run["params"]["trees"]: run for run in children(platform, run_id, "train")}
    assert set(found) == {"5", "6"}
    assert found["5"]["tags"]["airfoil.superseded_by"] == found["6"]["id"]
    assert found["6"]["tags"]["airfoil.supersedes"] == found["5"]["id"]
    assert found["6"]["status"] == "FINISHED"
    assert dict(curve(platform, found["6"]["id"], "loss")) == LOSS


@full_only
def test_a_task_that_is_cleared_while_it_runs_goes_on_in_the_same_run(platform, airflow):
    hold(platform)
    run_id = trigger(airflow, "tracked")
    wait_for_try(platform, 1)
    clear(airflow, "tracked", run_id, "train")
    wait_until(
        lambda: children(platform, run_id, "train")[0]["status"] == "KILLED",
        120,
        "the run says it was stopped",
    )
    (stopped,) = children(platform, run_id, "train")
    assert stopped["tags"]["airfoil.reason"].startswith("stopped from outside")
    let_go(platform)
    wait_for_end(airflow, "tracked", run_id)
    (run,) = children(platform, run_id, "train")
    assert (run["id"], run["status"]) == (stopped["id"], "FINISHED")


@full_only
def test_a_killed_scheduler_leaves_one_run(platform, airflow):
    hold(platform)
    run_id = trigger(airflow, "tracked")
    wait_for_try(platform, 1)
    os.kill(platform.pids()["scheduler"], 9)
    let_go(platform)
    took = wait_for_end(airflow, "tracked", run_id)
    (run,) = children(platform, run_id, "train")
    assert run["status"] == "FINISHED"
    assert dict(curve(platform, run["id"], "loss")) == LOSS
    print(f"scheduler killed, over after {took:.1f} s")


def test_mlflow_may_be_killed_while_a_task_logs(platform, airflow):
    hold(platform)
    run_id = trigger(airflow, "tracked")
    wait_for_try(platform, 1)
    os.kill(platform.pids()["mlflow"], 9)
    let_go(platform)
    took = wait_for_end(airflow, "tracked", run_id)
    assert_one_finished_run(platform, run_id, [1])
    print(f"MLflow killed, over after {took:.1f} s")


def test_mapped_tasks_are_as_many_runs_and_keep_their_places(platform, airflow):
    run_id = trigger(airflow, "spread")
    took = wait_for_end(airflow, "spread", run_id)
    first = children(platform, run_id, "fit")
    assert {run["status"] for run in first} == {"FINISHED"}
    assert sorted(int(run["tags"]["airflow.map_index"]) for run in first) == list(range(MAPPED))
    assert all(run["params"]["number"] == run["tags"]["airflow.map_index"] for run in first)
    print(f"{MAPPED} mapped tasks, two of them killed, over after {took:.1f} s")

    (platform.root / "reversed").touch()
    clear(airflow, "spread", run_id, "numbers")
    wait_for_end(airflow, "spread", run_id)
    now = [run for run in children(platform, run_id, "fit") if "airfoil.superseded_by" not in run["tags"]]
    assert {run["status"] for run in now} == {"FINISHED"}
    places = {int(run["tags"]["airflow.map_index"]): int(run["params"]["number"]) for run in now}
    assert places == {index: MAPPED - 1 - index for index in range(MAPPED)}
    assert len(now) == MAPPED
