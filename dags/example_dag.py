"""Train a small wine classifier and log it to MLflow: parameters, metrics, a chart and the model, all in one run.

Change a parameter when you trigger it: `airfoil run example_dag --conf '{"trees": 200}'`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param, dag, task

if TYPE_CHECKING:
    from airfoil import MlflowRun


@dag(
    dag_id="example_dag",
    description="Train a small classifier and log it to MLflow",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    params={
        "trees": Param(50, type="integer", minimum=1, maximum=1000),
        "max_depth": Param(4, type="integer", minimum=1, maximum=50),
    },
    default_args={"owner": "airfoil", "retries": 2, "retry_delay": timedelta(seconds=5)},
    tags=["example", "mlflow"],
)
def example_dag() -> None:
    """Train a model, then say how good it is."""

    @task.mlflow
    def train_wine_classifier(mlflow_run: MlflowRun, params: dict[str, Any]) -> dict[str, Any]:
        """Train, and log everything about it to the MLflow run of this task, which a further try continues."""
        # Imported here, so that this file is parsed in no time; the platform's workers have these modules loaded.
        from airfoil.steps.charts import draw_confusion
        from airfoil.steps.training import ForestParameters, train_forest, wine_data

        parameters = ForestParameters(**params)
        mlflow_run.log_params(parameters.to_json())
        trained = train_forest(wine_data(), parameters)
        mlflow_run.log_metrics(trained.scores.values)
        mlflow_run.log_figure(draw_confusion(trained.confusion, trained.label_names), "confusion.png")
        model = mlflow_run.log_model(trained.estimator, name="wine", example=trained.example)
        return {"accuracy": trained.scores["accuracy"], "model": model.uri, "mlflow_run": mlflow_run.url}

    @task
    def report(training: dict[str, Any]) -> None:
        """Say in the log what came out, and where to look at it."""
        print(f"Model {training['model']} is right in {training['accuracy']:.1%} of cases it never saw.")
        print(f"Look at it: {training['mlflow_run']}")

    report(train_wine_classifier())


example_dag()
