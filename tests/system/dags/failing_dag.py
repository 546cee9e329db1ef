"""Fails on purpose, with a last word."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import dag, task


@dag(dag_id="failing", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))
def failing() -> None:
    """One task that raises."""

    @task
    def stumble() -> None:
        print("about to stumble")
        raise ValueError("stumbled over step 7")

    stumble()


failing()
