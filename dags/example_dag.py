"""Train a small wine classifier, and replace the one in use only by a better one.

Everything about the training is in one MLflow run: parameters, metrics, a chart and the model. Run it again, and the
gate says that the same forest is no better. Change a parameter: `airfoil run example_dag --conf '{"trees": 200}'`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param, dag, task

from airfoil import Model, gate, promote, register

if TYPE_CHECKING:
    from airfoil import MlflowRun

CHAMPION = Model("wine").at("champion")


@dag(
    dag_id="example_dag",
    description="Train a small classifier, register and promote it if it is better",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    params={
        "trees": Param(50, type="integer", minimum=1, maximum=1000),
        "max_depth": Param(4, type="integer", minimum=1, maximum=50),
    },
    default_args={"owner": "airfoil", "retries": 2, "retry_delay": timedelta(seconds=2)},
    tags=["example", "mlflow"],
)
def example_dag() -> None:
    """Train a model, judge it beside the champion, and let it take its place."""

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
        return {"model": model, "scores": trained.scores}

    training: Any = train_wine_classifier()
    decision = gate(training["scores"], metric="accuracy", at_least=0.9, better_than=CHAMPION)
    version = register(training["model"], name="wine", when=decision)
    promote(version, alias="champion", because=decision)


example_dag()
