"""Train a wine classifier on the features of src/NAME/features.py and log it to MLflow.

Change a parameter when you trigger it: `airfoil run first_dag --param trees=200`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param, dag, task

if TYPE_CHECKING:
    from airfoil import MlflowRun


@dag(
    dag_id="first_dag",
    description="Train a classifier on features of our own and log it to MLflow",
    doc_md=__doc__,
    # Next edit 2: "@weekly" trains it every week; tests/test_dags.py says what it should be.
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    params={"trees": Param(50, type="integer", minimum=1, maximum=1000)},
    default_args={"owner": "{{name}}", "retries": 2, "retry_delay": timedelta(seconds=5)},
    tags=["{{name}}", "mlflow"],
)
def first_dag() -> None:
    """Train a model, then say how good it is."""

    @task.mlflow
    def train(mlflow_run: MlflowRun, params: dict[str, Any]) -> dict[str, Any]:
        """Train on our own features, and log everything about it to the MLflow run of this task."""
        # Imported here, so that this file is parsed in no time and a saved change counts from the next task on.
        from dataclasses import replace

        from NAME.features import add_ratios

        from airfoil.steps.training import ForestParameters, train_forest, wine_data

        # Next edit 3: read your own data. A library it needs: `airfoil add PACKAGE`, then import it here.
        wines = wine_data()
        table = replace(wines, features=add_ratios(wines.features))

        parameters = ForestParameters(trees=params["trees"])
        mlflow_run.log_params({**parameters.to_json(), "features": len(table.features.columns)})
        trained = train_forest(table, parameters)
        mlflow_run.log_metrics(trained.scores.values)
        model = mlflow_run.log_model(trained.estimator, name="wine", example=trained.example)
        return {"accuracy": trained.scores["accuracy"], "model": model.uri, "mlflow_run": mlflow_run.url}

    @task
    def report(training: dict[str, Any]) -> None:
        """Say in the log what came out, and where to look at it."""
        print(f"Model {training['model']} is right in {training['accuracy']:.1%} of cases it never saw.")
        print(f"Look at it: {training['mlflow_run']}")

    report(train())


first_dag()
