"""How long will a taxi trip take: boosted trees (XGBoost) on zones, and on distance if you like, once a month.

Learns from the month four months before the run and is tested on the one after it; the city publishes a month some two
months after its end, and a run that is early waits. Any two months, from any mirror, folder or store:
`airfoil run nyc_taxi_duration_prediction --param train_month=2024-01 --param validation_month=2024-02`, and
`--param 'source=/data/yellow_{year}-{month}.parquet'`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import CronTriggerTimetable, Param, dag, task

from airfoil import alert, register, within
from airfoil.provider.sensors.published_tables import PublishedTablesSensor
from airfoil.steps.taxi.months import TLC_PATTERN

if TYPE_CHECKING:
    from airfoil import MlflowRun, WorkArea

MONTH = r"^(\d{4}-\d{1,2})?$"
SOON = timedelta(minutes=5)
"""A platform that first starts later than this after a run was due makes up for none of it."""


@dag(
    dag_id="nyc_taxi_duration_prediction",
    description="Predict how long taxi trips take: boosted trees on zones",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("0 6 1 * *", timezone="UTC", run_immediately=SOON),
    catchup=False,
    max_active_runs=1,
    on_failure_callback=alert("Taxi trips have no new model."),
    deadline=within(minutes=15 * 24 * 60),  # months may be late by two weeks
    params={
        "source": Param(TLC_PATTERN, type="string", description="Where months lie, with {year} and {month}"),
        "train_month": Param(
            "", type="string", pattern=MONTH, description="2024-01; empty: four months back"
        ),
        "validation_month": Param("", type="string", pattern=MONTH, description="2024-02; empty: three back"),
        "with_distance": Param(False, type="boolean", description="Learn from the distance as well: slower"),
        "sets_of_zones": Param(False, type="boolean", description="Let a split ask for a set of zones"),
        "rounds": Param(30, type="integer", minimum=1, maximum=10_000),
        "max_depth": Param(8, type="integer", minimum=1, maximum=50),
        "learning_rate": Param(0.1, type="number", exclusiveMinimum=0, maximum=1),
    },
    default_args={"owner": "airfoil", "retries": 3, "retry_delay": timedelta(seconds=30)},
    tags=["taxi", "xgboost", "mlflow"],
)
def nyc_taxi_duration_prediction() -> None:
    """Choose the months, wait until they are there, train, register."""

    @task
    def choose_months(dag_run: Any = None, params: Any = None) -> dict[str, Any]:
        """Return the two months and where they lie; a run without a logical date counts from when it was asked for."""
        from airfoil.provider.task_tracking import one_sentence
        from airfoil.steps.taxi.months import choose_months as choose

        with one_sentence():  # a month that is none fails at once
            pair = choose(
                dag_run.logical_date or dag_run.run_after,
                pattern=params["source"],
                train_month=params["train_month"],
                validation_month=params["validation_month"],
            )
        return {"train": pair.train_location, "validation": pair.validation_location, **pair.tags}

    @task.mlflow(experiment="nyc-taxi-experiment")
    def train_model(
        months: dict[str, Any], work: WorkArea, mlflow_run: MlflowRun, params: Any = None
    ) -> dict[str, Any]:
        """Train on one month and test on the other: each is read where it lies, and nothing of it is kept."""
        from airfoil.provider.kept_tables import open_kept_tables
        from airfoil.steps.taxi import charts
        from airfoil.steps.taxi.boosted_trees import (
            TreeParameters,
            train_trees,
            tree_example,
            tree_predictions,
        )
        from airfoil.steps.taxi.evaluation import evaluate_trips

        names = ("rounds", "max_depth", "learning_rate", "with_distance", "sets_of_zones")
        parameters = TreeParameters(**{name: params[name] for name in names})
        tables = [months["train"], months["validation"]]
        with open_kept_tables(tables, dag_file=__file__, folder=work.root) as (train, validation):
            trees = train_trees([train.scan], parameters)
            predict = tree_predictions(trees, parameters)
            found = evaluate_trips([validation.scan], predict, with_distance=parameters.with_distance)
        mlflow_run.log_params({name: months[name] for name in ("train_month", "validation_month")})
        mlflow_run.log_params(parameters.to_json())
        mlflow_run.log_metrics(found.scores.values)
        mlflow_run.log_dataset("train", train.ref)
        mlflow_run.log_dataset("validation", validation.ref, "validation")
        mlflow_run.log_json(found, "evaluation.json")
        mlflow_run.log_figure(charts.draw_predictions(found), "predictions.png")
        mlflow_run.log_figure(charts.draw_hours(found), "error_by_hour.png")
        mlflow_run.log_figure(charts.draw_zone_groups(found), "error_by_zone_group.png")
        logged = mlflow_run.log_model(trees, name="nyc-taxi-duration", example=tree_example(parameters))
        return {"model": logged, "rmse": f"{found.rmse:.6f}"}

    months: Any = choose_months()
    waited = PublishedTablesSensor(
        task_id="wait_for_months",
        tables=[months["train"], months["validation"]],
        poke_interval=timedelta(hours=1),
        timeout=timedelta(days=14),
        deferrable=True,
    )
    trained: Any = train_model(months)
    waited >> trained
    tags = {name: months[name] for name in ("train_month", "validation_month")}
    register(trained["model"], name="nyc-taxi-duration", tags={**tags, "rmse": trained["rmse"]})


nyc_taxi_duration_prediction()
