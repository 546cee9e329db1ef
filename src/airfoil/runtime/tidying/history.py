"""Airflow's own history: rows of old DAG runs go, by Airflow's own `db clean`; and which runs are not over yet."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

COUNTED = {"dag_run": "DAG runs", "task_instance": "task instances", "xcom": "XComs", "log": "events"}
"""The tables that people know, and what they call a row."""


class RunId(NamedTuple):
    """A DAG run."""

    dag_id: str
    run_id: str


def clean(before: float, *, dry_run: bool) -> dict[str, int]:
    """Remove rows from before a moment (epoch seconds); the newest scheduled run of each DAG stays.

    Airflow asks no run whether it is over, so nothing goes that began after the oldest one that is not. Nothing is
    archived: a backup is the archive. A dry run counts the DAG runs alone, the rest follows them.
    """
    from airflow.utils.db_cleanup import run_cleanup

    moment = min([datetime.fromtimestamp(before, UTC), *_oldest_unfinished()])
    if dry_run:
        return {COUNTED["dag_run"]: _older(moment)}
    rows = _rows()
    run_cleanup(
        clean_before_timestamp=moment,  # type: ignore[arg-type]
        confirm=False,
        skip_archive=True,
        error_on_cleanup_failure=True,
    )
    left = _rows()
    return {name: max(0, rows[table] - left[table]) for table, name in COUNTED.items()}


def unfinished_runs() -> set[RunId]:
    """Return the DAG runs that may still work on their data, however old they are."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        found = session.execute(
            select(DagRun.dag_id, DagRun.run_id).where(DagRun.state.not_in(["success", "failed"]))
        )
        return {RunId(*row) for row in found}


def _oldest_unfinished() -> list[datetime]:
    """Return when the oldest run began that is not over, if there is one."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import func, select

    with create_session() as session:
        asked = select(func.min(func.coalesce(DagRun.start_date, DagRun.queued_at))).where(
            DagRun.state.not_in(["success", "failed"])
        )
        found: datetime | None = session.execute(asked).scalar_one()
        return [] if found is None else [found]


def _rows() -> dict[str, int]:
    from airflow.utils.session import create_session
    from sqlalchemy import text

    with create_session() as session:
        return {
            table: int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608 - our names
            for table in COUNTED
        }


def _older(moment: datetime) -> int:
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import func, select

    with create_session() as session:
        asked = select(func.count()).select_from(DagRun).where(DagRun.start_date < moment)
        return int(session.execute(asked).scalar_one())
