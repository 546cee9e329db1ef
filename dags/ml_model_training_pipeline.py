"""Train every week, on features as they were known at the time, and register only a model that deserves it.

Rows are held against their contract, each gets the features of its moment, a forest learns from the earlier rows, and
the later ones tell how good it is, beside the champion. A model that is good enough gets the alias `staging`; one that
is not is left where it is, and the gate says why. Replace `write_rows` by what writes yours; the rest stays.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import CronTriggerTimetable, Param, chain, dag, task

from airfoil import (
    DataRef,
    Model,
    ModelRef,
    alert,
    apply_features,
    evaluate,
    gate,
    promote,
    quality,
    register,
    training_set,
    within,
)

if TYPE_CHECKING:
    from airfoil import MlflowRun, WorkArea

MODEL = "lost_customers"
CHAMPION = Model(MODEL).at("champion")
TARGET = "lost"
FEATURES = "lost_customer_v1"
SHOP = {"customers": 2000, "days": 120, "seed": 0}
TABLES = "../.airfoil/features"
"""Where the feature repository looks for its tables (features/customers.py), seen from the repository."""
SOON = timedelta(minutes=5)
"""A platform that first starts later than this after a run was due makes up for none of it."""


@dag(
    dag_id="ml_model_training_pipeline",
    description="Check rows, join features, train, evaluate, and register what is good enough",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("0 4 * * 0", timezone="UTC", run_immediately=SOON),
    catchup=False,
    max_active_runs=1,
    deadline=within(minutes=120),
    on_failure_callback=alert("The weekly training failed."),
    params={
        "trees": Param(100, type="integer", minimum=1, maximum=2000),
        "max_depth": Param(8, type="integer", minimum=1, maximum=50),
        "accuracy": Param(0.85, type="number", minimum=0, maximum=1, description="What a model has to reach"),
    },
    default_args={"owner": "airfoil", "retries": 2, "retry_delay": timedelta(seconds=30)},
    tags=["training", "features", "mlflow"],
)
def ml_model_training_pipeline() -> None:
    """Rows, features, a model, a verdict."""

    @task.mlflow
    def write_rows(work: WorkArea, dag_run: Any = None) -> DataRef:
        """Write what became of the customers of a shop that does not exist, and the tables of its features."""
        from airfoil import WorkArea
        from airfoil.provider.hooks.feast import FeastHook
        from airfoil.steps.shop_customers import ShopPlan, lost_rows, spending_rows, visit_rows

        plan, now = ShopPlan(**SHOP), dag_run.run_after
        tables = WorkArea((FeastHook().folder / TABLES).resolve())
        tables.write("customer_spending", spending_rows(plan, now))
        tables.write("customer_visits", visit_rows(plan, now))
        return work.write("rows", lost_rows(plan, now))

    @task.mlflow
    def part(table: DataRef, work: WorkArea, mlflow_run: MlflowRun) -> dict[str, DataRef]:
        """Part the rows by time: the model is measured on what came later than all that it has seen."""
        from airfoil.steps.data_contract import infer_contract
        from airfoil.steps.tabular_training import features_of
        from airfoil.steps.time_split import split_by_time

        mlflow_run.log_dataset("training_set", table)
        frame = work.read(table).to_pandas()
        contract = infer_contract(frame, TARGET, data=table.uri)
        ready = features_of(frame, contract).assign(**{TARGET: frame[TARGET].astype(str)})
        earlier, later = split_by_time(ready.assign(at=frame["event_timestamp"]), "at")
        return {
            "earlier": work.write("earlier", earlier.drop(columns="at")),
            "later": work.write("later", later.drop(columns="at")),
        }

    @task.mlflow(profile="training")
    def train(table: DataRef, work: WorkArea, mlflow_run: MlflowRun, params: dict[str, Any]) -> ModelRef:
        """Fit a random forest."""
        from airfoil.steps.data_contract import infer_contract
        from airfoil.steps.tabular_training import TableParameters, train_table

        parameters = TableParameters(trees=params["trees"], max_depth=params["max_depth"])
        mlflow_run.log_params(parameters.to_json())
        frame = work.read(table).to_pandas()
        trained = train_table(frame, infer_contract(frame, TARGET, data=table.uri), parameters)
        mlflow_run.log_metrics({f"guess_{name}": value for name, value in trained.baseline.values.items()})
        return mlflow_run.log_model(trained.estimator, name=MODEL, example=trained.example)

    rows = write_rows()
    registered = apply_features()
    checked = quality(rows, "contracts/lost_customers.yaml", dataset=MODEL)
    table = training_set(rows, FEATURES)
    parts: Any = part(table)
    model = train(parts["earlier"])
    comparison = evaluate(model, parts["later"], target=TARGET, against=CHAMPION)
    floor = "{{ params.accuracy }}"
    decision = gate(comparison, metric="accuracy", at_least=floor, better_than=CHAMPION, ties="pass")
    version = register(model, name=MODEL, when=decision)
    promote(version, alias="staging", because=decision)
    chain(rows, [checked, registered], table)


ml_model_training_pipeline()
