"""Run by the Python of an older Airflow: makes its tables, people, a connection, and two runs of a DAG."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from words import ANNE, BEN, CONNECTION, DAG, STATES, VARIABLE

DAGS = f"""
from airflow.sdk import dag, task

@dag(schedule=None, tags=["older"])
def {DAG}():
    @task
    def measure(dag_run=None):
        if dag_run.conf.get("fails"):
            raise ValueError("on purpose")
        return {{"rows": 7}}
    measure()

{DAG}()
"""


def airflow(*words: str) -> None:
    """Run one command of it."""
    from airflow.__main__ import main

    sys.argv = ["airflow", *words]
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise


def main() -> None:
    """Fill the database that Airflow's own variables name."""
    folder = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    folder.mkdir(parents=True)
    (folder / "older_dag.py").write_text(DAGS)
    airflow("db", "migrate")
    for (name, password), role in ((ANNE, "Admin"), (BEN, "Viewer")):
        person = ("--firstname", name, "--lastname", "X", "--email", f"{name}@example.com")
        airflow("users", "create", "--username", name, "--password", password, "--role", role, *person)
    name, password = CONNECTION
    airflow("connections", "add", name, "--conn-uri", f"postgresql://shop:{password}@db:5432/shop")
    airflow("variables", "set", *VARIABLE)
    airflow("dags", "reserialize")
    run_dag()


def run_dag() -> None:
    """Run the DAG in this process, as `airflow dags test` does."""
    from airflow.models.dagbag import DagBag

    for day, state in enumerate(STATES, start=1):
        dag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"], include_examples=False).dags[DAG]
        run = dag.test(logical_date=datetime(2026, 4, day, tzinfo=UTC), run_conf={"fails": state == "failed"})
        assert run.state == state, run.state


if __name__ == "__main__":
    main()
