"""`@task.mlflow` in a real Airflow beside a real MLflow: records, mapping, deferral, and code that was pasted in."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from tests.integration.dag_scenes import play
from tests.integration.mlflow_servers import mlflow_server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(500)]

# The two bodies in the middle are those of mission document 000, as they stand there.
DAG = """
from __future__ import annotations
import os
from datetime import timedelta
from typing import TYPE_CHECKING
from airflow.sdk import dag, task
from airflow.triggers.temporal import TimeDeltaTrigger
from airfoil.provider.operators.mlflow_function import MlflowFunctionOperator
from airfoil.records import DataRef, Scores

if TYPE_CHECKING:
    from airfoil import MlflowRun, WorkArea

AGAIN = {"retries": 1, "retry_delay": timedelta(0)}

class Waiter(MlflowFunctionOperator):
    def execute_callable(self):
        self.defer(trigger=TimeDeltaTrigger(timedelta(seconds=1)), method_name="execute_complete")

    def execute_complete(self, context, event=None):
        context["mlflow_run"].log_params({"waited": True})

@dag(schedule=None, params={"trees": 5}, default_args=AGAIN)
def records():
    @task.mlflow
    def prepare(work: WorkArea) -> DataRef:
        import pyarrow as pa
        return work.write("train", pa.table({"x": [1, 2, 3]}))

    @task.mlflow
    def train(data: DataRef, seed, mlflow_run: MlflowRun, work: WorkArea, params, ti) -> dict:
        mlflow_run.log_params({"trees": params["trees"], "seed": seed})
        mlflow_run.log_metrics({"rows": work.read(data).num_rows})
        if seed == 1 and ti.try_number == 1:
            raise ValueError("once")
        return {"scores": Scores(values={"rows": data.rows, "seed": seed}, rows=3), "seed": seed}

    @task.mlflow
    async def best(scores: list[Scores], mlflow_run: MlflowRun) -> tuple:
        mlflow_run.log_metrics({"best": max(one["seed"] for one in scores)})
        return scores[0], scores[1]

    @task.mlflow
    def last(pair: tuple[Scores, Scores]):
        assert all(isinstance(one, Scores) for one in pair)

    trained = train.partial(data=prepare()).expand(seed=[0, 1, 2])

    @task.mlflow
    def pick(trained: list[dict]) -> list:
        return [Scores.from_json(one["scores"]) for one in trained]

    last(best(pick(trained)))
    Waiter(task_id="wait", python_callable=print)

@dag(schedule=None, default_args=AGAIN)
def pasted():
    @task.mlflow
    def train_model(ti):
        import mlflow

        mlflow.set_experiment("trading_models")
        with mlflow.start_run():
            # Your model training code
            mlflow.log_param("strategy", "momentum")
            mlflow.log_metric("sharpe_ratio", 1.8)
            if ti.try_number == 1:
                raise RuntimeError("once")

    @task.mlflow
    def log_everything(work):
        import mlflow
        import mlflow.sklearn
        from sklearn.linear_model import LinearRegression

        model = LinearRegression().fit([[1], [2]], [1, 2])
        os.chdir(work.path("chart.png").parent)
        work.path("chart.png").write_bytes(b"a chart")
        # Set tracking URI (automatically set via environment)
        mlflow.set_experiment("my_experiment")

        with mlflow.start_run():
            # Log parameters
            mlflow.log_param("symbol", "AAPL")

            # Log metrics
            mlflow.log_metric("profit", 123.45)

            # Log artifacts
            mlflow.log_artifact("chart.png")

            # Log models
            mlflow.sklearn.log_model(model, "model")

    @task.mlflow
    def without_a_block():
        import mlflow

        mlflow.log_metric("alone", 1)
        mlflow.log_param("left", "open")

    @task.mlflow(autolog=True)
    def fit():
        from sklearn.linear_model import LogisticRegression

        LogisticRegression(C=2.5).fit([[1], [2], [3], [4]], [0, 0, 1, 1])
        LogisticRegression(C=2.5).fit([[1], [2], [3], [4]], [0, 0, 1, 1])

    @task
    def after():
        left = [name for name in os.environ if name.startswith("MLFLOW_") and "TELEMETRY" not in name]
        assert not left, left

    train_model() >> log_everything() >> without_a_block() >> fit() >> after()

records()
pasted()
"""


@pytest.fixture(scope="module")
def scene(migrated_airflow, tmp_path_factory):
    """What became of the DAGs, and a way to look at their MLflow runs."""
    folder = tmp_path_factory.mktemp("code")
    home = migrated_airflow.copied_to(folder / "home")
    (folder / "dags").mkdir()
    file = folder / "dags" / "code.py"
    guide = (Path(__file__).parents[2] / "docs" / "tracking.md").read_text(encoding="utf-8")
    printed = guide.partition("```python\n")[2].partition("```")[0]
    file.write_text(DAG + printed.replace("from __future__ import annotations\n", ""), encoding="utf-8")
    with mlflow_server(folder / "mlflow") as server:
        found = play(home, file, AIRFLOW_CONN_MLFLOW_DEFAULT=f"mlflow://{server.uri.removeprefix('http://')}")
        yield found, runs_by_dag(server.uri)


def runs_by_dag(uri):
    """Every run of Airflow's work: by DAG, then by name."""
    api = f"{uri}/api/2.0/mlflow"

    def ask(path, body):
        return httpx.post(f"{api}/{path}", json=body, trust_env=False).raise_for_status().json()

    homes = [row["experiment_id"] for row in ask("experiments/search", {"max_results": 100})["experiments"]]
    found = {}
    for run in ask("runs/search", {"experiment_ids": homes, "max_results": 500})["runs"]:
        tags = {tag["key"]: tag["value"] for tag in run["data"].get("tags", [])}
        row = {
            "status": run["info"]["status"],
            "tags": tags,
            "params": {one["key"]: one["value"] for one in run["data"].get("params", [])},
            "metrics": {one["key"]: one["value"] for one in run["data"].get("metrics", [])},
            "models": run.get("outputs", {}).get("model_outputs", []),
            "files": httpx.get(
                f"{api}/artifacts/list", params={"run_id": run["info"]["run_id"]}, trust_env=False
            )
            .json()
            .get("files", []),
        }
        if "airfoil.anchor" not in tags:
            found.setdefault(tags.get("airflow.dag_id"), {}).setdefault(run["info"]["run_name"], []).append(
                row
            )
    return found


def test_every_task_is_green(scene):
    found, _ = scene
    assert {dag_id: run["state"] for dag_id, run in found.runs.items()} == {
        "slope": "success",
        "records": "success",
        "pasted": "success",
    }
    assert found.tasks("records")["train[1]"] == ("success", 2)


def test_every_task_has_one_run_and_no_other_run_was_made(scene):
    found, runs = scene
    assert set(runs) == {"records", "pasted", "slope"}, "no run without a DAG"
    for dag_id, by_name in runs.items():
        expected = {*found.tasks(dag_id), found.runs[dag_id]["run_id"]} - {"after"}
        assert set(by_name) == expected
        assert {name: len(rows) for name, rows in by_name.items()} == dict.fromkeys(expected, 1)
        states = {rows[0]["status"] for name, rows in by_name.items() if name in found.tasks(dag_id)}
        assert states == {"FINISHED"}


def test_records_and_mapped_values_arrive(scene):
    by_name = scene[1]["records"]
    assert by_name["train[1]"][0]["params"] == {"trees": "5", "seed": "1"}
    assert by_name["train[2]"][0]["metrics"] == {"rows": 3}
    assert by_name["best"][0]["metrics"] == {"best": 2}
    assert by_name["wait"][0]["params"] == {"waited": "True"}


def test_pasted_code_logs_to_the_run_of_the_task(scene):
    by_name = scene[1]["pasted"]
    (trained,), (logged,) = by_name["train_model"], by_name["log_everything"]
    assert trained["params"] == {"strategy": "momentum"}
    assert trained["metrics"] == {"sharpe_ratio": 1.8}
    assert logged["params"] == {"symbol": "AAPL"}
    assert logged["metrics"] == {"profit": 123.45}
    assert [file["path"] for file in logged["files"]] == ["chart.png"]
    assert len(logged["models"]) == 1
    assert by_name["without_a_block"][0]["metrics"] == {"alone": 1}
    assert by_name["without_a_block"][0]["params"] == {"left": "open"}


def test_autologging_logs_to_the_run_of_the_task(scene):
    (fitted,) = scene[1]["pasted"]["fit"]
    assert fitted["params"]["C"] == "2.5"
    assert "training_accuracy_score" in fitted["metrics"]
    assert fitted["models"] == [], "models are logged by hand, with their packages"


def test_the_dag_of_the_guide_runs_as_printed(scene):
    found, runs = scene
    assert runs["slope"]["train"][0]["params"] == {"rate": "0.05"}
    assert runs["slope"]["train"][0]["metrics"]["loss"] < 0.001
    assert "The slope is 2.000." in found.log
