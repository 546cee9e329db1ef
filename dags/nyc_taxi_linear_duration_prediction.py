"""How long will a taxi trip take: exact linear regression on zones and distance, once a month.

Learns from the month four months before the run and is tested on the one after it; the city publishes a month some two
months after its end, and a run that is early waits. Any two months, from any mirror, folder or store:
`airfoil run nyc_taxi_linear_duration_prediction --param train_month=2024-01 --param validation_month=2024-02`, and
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
    dag_id="nyc_taxi_linear_duration_prediction",
    description="Predict how long taxi trips take: linear regression on zones and distance",
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
    },
    default_args={"owner": "airfoil", "retries": 3, "retry_delay": timedelta(seconds=30)},
    tags=["taxi", "regression", "mlflow"],
)
def nyc_taxi_linear_duration_prediction() -> None:
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
    def train_model(months: dict[str, Any], work: WorkArea, mlflow_run: MlflowRun) -> dict[str, Any]:
        """Train on one month and test on the other: each is read once or twice, and nothing of it is kept."""
        from airfoil.provider.kept_tables import open_kept_tables
        from airfoil.steps.taxi import charts
        from airfoil.steps.taxi.evaluation import evaluate_trips
        from airfoil.steps.taxi.least_squares import fit_zone_regression, regression_error
        from airfoil.steps.taxi.trip_sums import sum_trips

        tables = [months["train"], months["validation"]]
        with open_kept_tables(tables, dag_file=__file__, folder=work.root) as (train, validation):
            sums = sum_trips([train.scan])
            model = fit_zone_regression(sums)
            found = evaluate_trips([validation.scan], model.predict)
        mlflow_run.log_params({name: months[name] for name in ("train_month", "validation_month")})
        mlflow_run.log_metrics({"train_rmse": regression_error(sums, model), "train_trips": sums.total})
        mlflow_run.log_metrics(found.scores.values)
        mlflow_run.log_dataset("train", train.ref)
        mlflow_run.log_dataset("validation", validation.ref, "validation")
        mlflow_run.log_json(found, "evaluation.json")
        mlflow_run.log_figure(charts.draw_predictions(found), "predictions.png")
        mlflow_run.log_figure(charts.draw_hours(found), "error_by_hour.png")
        mlflow_run.log_figure(charts.draw_zone_groups(found), "error_by_zone_group.png")
        mlflow_run.log_figure(charts.draw_coefficients(model), "coefficients.png")
        logged = mlflow_run.log_model(
            model.to_pipeline(), name="nyc-taxi-linear-duration", example=model.example()
        )
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
    register(trained["model"], name="nyc-taxi-linear-duration", tags={**tags, "rmse": trained["rmse"]})


nyc_taxi_linear_duration_prediction()
