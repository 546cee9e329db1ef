"""On the platform itself, whose scheduler is forked from a pre-loaded parent: nothing stays RUNNING in MLflow."""

from __future__ import annotations

import time

import psutil
import pytest
from tests.integration.orphan_dags import DYING
from tests.sizes import FULL, full_only
from tests.system.platforms import fetch, wait_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

IDLE_SECONDS = 60.0 if FULL else 20.0


def running(platform, run_id):
    """Names of the tasks (empty: the DAG run) whose MLflow runs are RUNNING."""
    url = f"{platform.url('mlflow')}/api/2.0/mlflow"
    homes = fetch(f"{url}/experiments/search", method="POST", body={"max_results": 1000}).json()[
        "experiments"
    ]
    query = {
        "experiment_ids": [home["experiment_id"] for home in homes],
        "filter": f"tags.`airflow.run_id` = '{run_id}' AND attributes.status = 'RUNNING'",
    }
    found = fetch(f"{url}/runs/search", method="POST", body=query).json().get("runs", [])
    tags = [{tag["key"]: tag["value"] for tag in run["data"]["tags"]} for run in found]
    return sorted(one.get("airflow.task_id", "") for one in tags)


def test_a_failed_dag_run_leaves_nothing_running(platform):
    (platform.project.dags / "dying.py").write_text(DYING)
    with platform.airflow() as airflow:
        wait_until(lambda: airflow.dag("dying"), 120, "the DAG is known")
        airflow.set_paused("dying", paused=False)
        run_id = f"dying-{time.time():.0f}"
        airflow.trigger("dying", {}, None, run_id)
        wait_until(lambda: airflow.run("dying", run_id)["state"] == "failed", 240, "the DAG run fails")
        took = wait_until(lambda: not running(platform, run_id), 60, "all its runs are closed")
    print(f"all closed {took:.1f} s after the end was seen")


@full_only
def test_the_scheduler_looks_for_them_in_one_thread_and_rests(platform):
    scheduler = psutil.Process(platform.pids()["scheduler"])
    before = {thread.id: thread.user_time + thread.system_time for thread in scheduler.threads()}
    time.sleep(IDLE_SECONDS)
    after = {thread.id: thread.user_time + thread.system_time for thread in scheduler.threads()}
    others = {one: after[one] - before.get(one, 0.0) for one in after if one != scheduler.pid}
    print(f"{len(others)} further threads, {sum(others.values()) / IDLE_SECONDS:.3%} of a processor")
    assert len(others) == 1
    assert sum(others.values()) / IDLE_SECONDS < 0.002
