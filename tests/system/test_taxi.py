"""The taxi DAGs on the whole stack: what 6.8 million trips add to a chain of empty tasks, and a wait for a month."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from statistics import median

import pytest
from benchmarks.taxi_months import ROWS
from benchmarks.taxi_months import write_months as write_large_months
from tests.integration.taxi_months import NAME, write_months
from tests.sizes import full_only
from tests.system.platforms import wait_until

from airfoil.errors import AirfoilError

pytestmark = [pytest.mark.system, pytest.mark.alone, pytest.mark.timeout(1200), full_only]

DAGS = Path(__file__).parents[2] / "dags"
LINEAR, TREES = "nyc_taxi_linear_duration_prediction", "nyc_taxi_duration_prediction"
MOST_SECONDS_OVER = 10.0
RUNS = 3
EMPTY = '''"""As many tasks in the same order as the taxi DAGs have, and nothing to do."""

from airflow.sdk import chain, dag, task


@dag(schedule=None)
def empty_chain():
    @task
    def nothing():
        pass

    names = ["choose_months", "wait_for_months", "train_model", "register"]
    chain(*[nothing.override(task_id=name)() for name in names])


empty_chain()
'''
HOURLY, FORTNIGHT = "poke_interval=timedelta(hours=1)", "timeout=timedelta(days=14)"


def triggered(airflow, dag_id, run_id, conf):
    with suppress(AirfoilError):
        airflow.trigger(dag_id, conf, None, run_id)
        return True
    return False


def ended(airflow, dag_id, run_id, state="success"):
    """Wait for the end of a run; how long it took by Airflow's own clock."""
    ends = {"success", "failed"}
    wait_until(lambda: airflow.run(dag_id, run_id)["state"] in ends, 600, f"{run_id} ends", step_seconds=0.5)
    run = airflow.run(dag_id, run_id)
    assert run["state"] == state, dag_id
    began, end = (datetime.fromisoformat(run[key]) for key in ("start_date", "end_date"))
    return (end - began).total_seconds()


def run_seconds(airflow, dag_id, run_id, conf):
    wait_until(lambda: triggered(airflow, dag_id, run_id, conf), 120, f"{dag_id} is known")
    return ended(airflow, dag_id, run_id)


def test_the_whole_dag_takes_few_seconds_more_than_empty_tasks(platform, tmp_path):
    months = write_large_months(tmp_path, ROWS)
    for path, month in zip(months, ("2024-01", "2024-02"), strict=True):
        path.rename(tmp_path / f"yellow_tripdata_{month}.parquet")
    conf = {
        "source": str(tmp_path / NAME),
        "train_month": "2024-01",
        "validation_month": "2024-02",
    }
    (platform.project.dags / "empty_chain.py").write_text(EMPTY, encoding="utf-8")
    for name in (LINEAR, TREES):
        text = (DAGS / f"{name}.py").read_text(encoding="utf-8")
        (platform.project.dags / f"{name}.py").write_text(text, encoding="utf-8")
    given = {"empty_chain": {}, LINEAR: conf, TREES: conf}
    seconds = {dag_id: [] for dag_id in given}
    with platform.airflow() as airflow:
        for number in range(RUNS):
            for dag_id, one in given.items():
                seconds[dag_id].append(run_seconds(airflow, dag_id, f"timed_{number}", one))
    print(json.dumps(seconds))
    over = median(seconds[LINEAR]) - median(seconds["empty_chain"])
    print(f"linear: {over:.1f} s over an empty chain of {median(seconds['empty_chain']):.1f} s")
    print(f"trees: {median(seconds[TREES]) - median(seconds['empty_chain']):.1f} s over it")
    assert over <= MOST_SECONDS_OVER


@pytest.mark.parametrize("comes", [True, False], ids=["it comes", "it never comes"])
def test_a_month_that_is_not_published_yet_is_waited_for_without_a_worker(platform, tmp_path, comes):
    text = (DAGS / f"{LINEAR}.py").read_text(encoding="utf-8")
    assert HOURLY in text
    assert FORTNIGHT in text
    dag_id = f"waits_{'well' if comes else 'in_vain'}"
    text = text.replace(HOURLY, "poke_interval=timedelta(seconds=1)").replace(f'"{LINEAR}"', f'"{dag_id}"')
    text = text.replace(FORTNIGHT, f"timeout=timedelta(seconds={600 if comes else 5})")
    (platform.project.dags / f"{dag_id}.py").write_text(text, encoding="utf-8")
    folder = tmp_path / "months"
    with platform.airflow() as airflow:

        def state(task_id):
            found = {row["task_id"]: row for row in airflow.task_instances(dag_id, "waiting")}
            return found.get(task_id, {}).get("state")

        conf = {"source": str(folder / NAME)}
        wait_until(lambda: triggered(airflow, dag_id, "waiting", conf), 120, "the DAG is known")
        if comes:
            wait_until(lambda: state("wait_for_months") == "deferred", 120, "the sensor waits")
            write_months(tmp_path / "aside", rows=2_000)
            (tmp_path / "aside").rename(folder)  # both at once, and whole
            ended(airflow, dag_id, "waiting")
            return
        ended(airflow, dag_id, "waiting", "failed")
        assert state("train_model") == "upstream_failed"
        log = airflow.task_log(dag_id, "waiting", "wait_for_months", 1)
        assert "Not published after 5 seconds" in log
        assert str(folder) in log
