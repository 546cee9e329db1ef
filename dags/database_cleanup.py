"""Remove every week what has had its time: Airflow's history, deleted MLflow runs, data and logs of runs.

What a registered model comes from is never removed, nor the ledger of aliases, nor anything of a DAG run that is not
over. The form of a run says for how many days each part is kept; the defaults hold for the weekly run.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, Param, dag

from airfoil import alert, within
from airfoil.provider.operators.platform_command import PlatformCommandOperator

KEPT_DAYS = {"work": 7, "logs": 30, "mlflow": 30, "airflow": 90}
QUEUE = "maintenance"
"""On a server, of the one worker that may open the databases; a laptop has no queues."""
SOON = timedelta(minutes=5)
"""A platform that first starts later than this after a run was due makes up for none of it."""


@dag(
    dag_id="database_cleanup",
    description="Remove old history, deleted MLflow runs, data and logs of runs",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("30 3 * * 0", timezone="UTC", run_immediately=SOON),
    catchup=False,
    max_active_runs=1,
    max_active_tasks=1,  # each works on a database that others write to
    params={
        f"{part}_days": Param(days, type="number", minimum=1, description=f"How many days of {part} stay")
        for part, days in KEPT_DAYS.items()
    },
    on_failure_callback=alert(),
    deadline=within(minutes=240),
    default_args={"owner": "airfoil", "queue": QUEUE, "retries": 1, "retry_delay": timedelta(minutes=5)},
    tags=["maintenance"],
)
def database_cleanup() -> None:
    """One task for each part; one that fails holds up none of the others."""
    for part in KEPT_DAYS:
        days = f"{{{{ params.{part}_days }}}}"
        PlatformCommandOperator(task_id=part, command=["clean", part, "--older-than", days])


database_cleanup()
