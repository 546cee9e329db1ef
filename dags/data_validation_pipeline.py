"""Look at a table every six hours: is it what its contract says, does it look like its reference, which rows are odd.

Without an address it looks at taxi trips that are made up on the spot. Give them a fault and see what becomes of it:
`airfoil run data_validation_pipeline --param fault=drifted` (or `dirty`, or `broken`). For a table of yours set `data`,
`reference` and `contract`, here or when you run it. The page of each run is in the MLflow run of `report`; who is told
of a run that fails or is late stands in airfoil.toml, `[alerts]`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import CronTriggerTimetable, Param, chain, dag, task

from airfoil import alert, anomalies, drift, quality, report, within

if TYPE_CHECKING:
    from airfoil import WorkArea

DATASET = "trips"
# Times are never those of the reference, so they are not compared with it.
TIMES = ["tpep_pickup_datetime", "tpep_dropoff_datetime"]
PARAMS = {
    "data": Param("", type="string", description="Path or address of the table; empty: made-up trips"),
    "reference": Param("", type="string", description="Path or address of a table that is known to be good"),
    "contract": Param("contracts/trips.yaml", type="string", description="What the table has to be"),
    "p_value": Param(0.05, type="number", exclusiveMinimum=0, maximum=1),
    "effect": Param(0.1, type="number", minimum=0, maximum=1),
    "anomaly_rate": Param(0.1, type="number", minimum=0, maximum=1),
    "fault": Param("none", enum=["none", "drifted", "dirty", "broken"], description="Of the made-up trips"),
}
SOON = timedelta(minutes=5)
"""A platform that first starts later than this after a run was due makes up for none of it."""


@dag(
    dag_id="data_validation_pipeline",
    description="Check a table every six hours: schema, quality, drift, anomalies, and a report of it all",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("0 */6 * * *", timezone="UTC", run_immediately=SOON),
    max_active_runs=1,
    on_failure_callback=alert(),
    deadline=within(minutes=15),
    params=PARAMS,
    default_args={"owner": "airfoil", "retries": 2, "retry_delay": timedelta(seconds=10)},
    tags=["data", "validation"],
)
def data_validation_pipeline() -> None:
    """Let every check say what it finds, and the report decide."""

    @task.mlflow
    def find_tables(work: WorkArea, params: dict[str, Any]) -> dict[str, Any]:
        """Return the table and its reference, as the parameters say; trips that are made up when they say nothing."""
        if params["data"]:
            return {"data": params["data"], "reference": params["reference"]}
        from airfoil.steps.sample_trips import sample_trips

        now = datetime.now(UTC)
        reference = work.write("reference", sample_trips(seed=1, until=now - timedelta(days=1)))
        trips = work.write("trips", sample_trips(seed=2, until=now, fault=params["fault"]))
        if params["fault"] == "broken":
            file = work.path("trips.parquet")
            file.write_bytes(file.read_bytes()[:-5000])
        return {"data": trips, "reference": reference}

    tables: Any = find_tables()
    trips, reference, contract = tables["data"], tables["reference"], "{{ params.contract }}"
    told: dict[str, Any] = {"dataset": DATASET, "when_failed": "continue"}

    schema = quality(trips, contract, part="schema", task_id="schema", **told)
    content = quality(trips, contract, part="content", **told)
    drifted = drift(
        trips, reference, p_value="{{ params.p_value }}", effect="{{ params.effect }}", without=TIMES, **told
    )
    odd = anomalies(trips, reference, rate="{{ params.anomaly_rate }}", without=TIMES, **told)
    verdict = report(DATASET, quality=[schema, content], drift=drifted, anomalies=odd)
    chain(schema, content, drifted, odd, verdict)


data_validation_pipeline()
