"""DAGs whose tasks are tracked: one that can be held in the middle of its training, one of fifty mapped tasks.

Texts, because only one test file wants them in its project.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.sizes import FULL
from tests.system.platforms import fetch

if TYPE_CHECKING:
    from tests.system.platforms import Platform

HEAD = """
from __future__ import annotations
import json, os, time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from airflow.sdk import dag, task
from airfoil import Scores

ROOT = Path(__file__).parents[1]
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
RETRIED = {"retries": 3, "retry_delay": timedelta(seconds=1)}

def note(ti):
    line = {"task": ti.task_id, "index": ti.map_index, "try": ti.try_number, "pid": os.getpid()}
    with (ROOT / "tracked.jsonl").open("a") as ledger:
        ledger.write(json.dumps(line) + "\\n")
"""
TRACKED = (
    HEAD
    + """
@dag(schedule=None, start_date=BEGIN, default_args=RETRIED)
def tracked():
    @task.mlflow
    def train(mlflow_run, ti) -> Scores:
        trees = ROOT / "trees"
        mlflow_run.log_params({"trees": trees.read_text() if trees.exists() else "5", "rows": 3})
        for step in range(20):
            mlflow_run.log_metrics({"loss": 1 / (step + 1)}, step=step)
            if step == 9:
                mlflow_run.flush()
                note(ti)
                while (ROOT / "hold").exists():
                    time.sleep(0.05)
        return Scores(values={"loss": 0.05}, rows=3)

    @task.mlflow
    def judge(scores: Scores, mlflow_run):
        mlflow_run.log_metrics({"judged": scores["loss"]})

    judge(train())

tracked()
"""
)
MAPPED = 50 if FULL else 12
"""How many tasks the mapped one becomes; two of them are killed once."""
SPREAD = (
    HEAD
    + f"""
MAPPED = {MAPPED}
"""
    + """
@dag(schedule=None, start_date=BEGIN, default_args=RETRIED)
def spread():
    @task
    def numbers():
        found = list(range(MAPPED))
        return found[::-1] if (ROOT / "reversed").exists() else found

    @task.mlflow
    def fit(number, mlflow_run, ti):
        mlflow_run.log_params({"number": number})
        mlflow_run.log_metrics({"square": number * number})
        if number in {3, 8} and ti.try_number == 1:
            os.kill(os.getpid(), 9)

    fit.expand(number=numbers())

spread()
"""
)


def furnish(platform: Platform) -> None:
    """Write the DAGs into a project."""
    for name, text in (("tracked", TRACKED), ("spread", SPREAD)):
        (platform.project.dags / f"{name}.py").write_text(text, encoding="utf-8")


def notes(platform: Platform) -> list[dict[str, Any]]:
    """What the held task has written: one line for each try that got to the middle."""
    path = platform.root / "tracked.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def mlflow_runs(platform: Platform, run_id: str) -> list[dict[str, Any]]:
    """Every MLflow run of a DAG run, in all experiments, as plain dictionaries."""
    address = f"{platform.url('mlflow')}/api/2.0/mlflow"
    found = fetch(f"{address}/experiments/search", method="POST", body={"max_results": 100}).json()
    query = {
        "experiment_ids": [row["experiment_id"] for row in found["experiments"]],
        "filter": f"tags.`airflow.run_id` = '{run_id}'",
        "max_results": 1000,
    }
    rows = fetch(f"{address}/runs/search", method="POST", body=query).json().get("runs", [])
    return [
        {
            "id": row["info"]["run_id"],
            "status": row["info"]["status"],
            "tags": {tag["key"]: tag["value"] for tag in row["data"].get("tags", [])},
            "params": {one["key"]: one["value"] for one in row["data"].get("params", [])},
        }
        for row in rows
    ]


def children(platform: Platform, run_id: str, task_id: str) -> list[dict[str, Any]]:
    """Those that belong to one task."""
    return [run for run in mlflow_runs(platform, run_id) if run["tags"].get("airflow.task_id") == task_id]


def curve(platform: Platform, run: str, metric: str) -> list[tuple[int, float]]:
    """All points of a metric as MLflow has them."""
    address = f"{platform.url('mlflow')}/api/2.0/mlflow/metrics/get-history"
    rows = fetch(f"{address}?run_id={run}&metric_key={metric}&max_results=1000").json()["metrics"]
    return sorted((int(row["step"]), float(row["value"])) for row in rows)
