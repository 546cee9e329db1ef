"""Hello world: one Bash task a day. If this run is green, the platform schedules and executes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG(
    dag_id="simple_test_dag",
    description="Hello world: one Bash task",
    doc_md=__doc__,
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    dagrun_timeout=timedelta(hours=1),
    default_args={"owner": "airfoil"},
    tags=["example"],
):
    BashOperator(task_id="say_hello", bash_command="echo Hello from Airfoil")
