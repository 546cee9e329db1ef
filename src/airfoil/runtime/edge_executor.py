"""An EdgeExecutor that loses no job between the server and a worker on another host.

Airflow's own hands a job out and writes so before its answer has reached the worker. One that never arrived, or whose
worker died before it said "running", stays handed out: nobody else may fetch it, and its task is `queued` until
`task_queued_timeout`, which is a day here. This one lets it be fetched again after as long a silence as ends a running
task. Jobs, workers and everything else are Airflow's.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow.models.taskinstance import TaskInstance
from airflow.providers.edge3.executors import edge_executor
from airflow.providers.edge3.models.edge_job import EdgeJobModel
from airflow.utils.state import TaskInstanceState
from sqlalchemy import select

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

HANDED_OUT = TaskInstanceState.RESTARTING
"""What Airflow calls a job that was fetched and is not yet said to run."""


class EdgeExecutor(edge_executor.EdgeExecutor):
    """Airflow's, which hands a job out again that its worker never began."""

    def _update_orphaned_jobs(self, session: Session) -> bool:
        """Look after jobs that were handed out, beside those that ran."""
        again = self._hand_out_again(session)
        return super()._update_orphaned_jobs(session) or again

    def _hand_out_again(self, session: Session) -> bool:
        silence = timedelta(seconds=self.conf.getint("scheduler", "task_instance_heartbeat_timeout"))
        jobs = session.scalars(
            select(EdgeJobModel)
            .with_for_update(skip_locked=True)
            .where(
                EdgeJobModel.team_name == self.team_name,
                EdgeJobModel.state == HANDED_OUT,
                EdgeJobModel.last_update < datetime.now(UTC) - silence,
            )
        ).all()
        found = [job for job in jobs if _waits(job, session)]
        for job in found:
            self.log.warning("%s was handed to %s, which did not begin it.", job.key, job.edge_worker)
            job.state = TaskInstanceState.QUEUED
        return bool(found)


def _waits(job: EdgeJobModel, session: Session) -> bool:
    """Whether nobody has begun this try of its task: the API server starts a task that is `queued`, and no other."""
    task = TaskInstance.get_task_instance(job.dag_id, job.run_id, job.task_id, job.map_index, session=session)
    return task is not None and task.state == TaskInstanceState.QUEUED and task.try_number == job.try_number
