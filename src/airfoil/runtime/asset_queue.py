"""Lets Airflow's scheduler take the queue of DAGs with news whole, on SQLite as on a server.

The scheduler reads a DAG's notes, then its events, then clears the notes. On a server it holds the rows meanwhile.
SQLite has no such lock, and an event that comes in between is cleared with the others and waits for the next one. Here
the scheduler holds the database's write lock from before it reads. Leans on one method of Airflow; where there is none
of that name, everything stays as it was.
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)

METHOD = "_create_dag_runs_asset_triggered"
PARAMETERS = ["self", "dag_models", "session"]
CreateRuns = Callable[..., None]


def hold_while_read() -> bool:
    """Put it in; False when this Airflow creates such runs in another way."""
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner

    create = getattr(SchedulerJobRunner, METHOD, None)
    if create is None or list(inspect.signature(create).parameters) != PARAMETERS:
        log.warning("an event that comes while a DAG's run is created may wait for the next one")
        return False
    setattr(SchedulerJobRunner, METHOD, holding(create))
    return True


def holding(create: CreateRuns) -> CreateRuns:
    """Return Airflow's method, which first takes the lock that its transaction takes later anyway."""

    @functools.wraps(create)
    def create_alone(self: Any, *, dag_models: Any, session: Any) -> None:
        if dag_models and session.get_bind().dialect.name == "sqlite":
            _lock(session)
        create(self, dag_models=dag_models, session=session)

    return create_alone


def _lock(session: Any) -> None:
    """Begin to write, without changing anything."""
    from airflow.models.asset import AssetDagRunQueue
    from sqlalchemy import false, update

    nothing = update(AssetDagRunQueue).where(false()).values(asset_id=AssetDagRunQueue.asset_id)
    session.execute(nothing.execution_options(synchronize_session=False))
