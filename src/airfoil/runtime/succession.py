"""A new scheduler takes over from one that was killed, at once.

Airflow hands the tasks of a dead scheduler to its successor only after its heartbeat has been silent for a while. On
one machine the stack knows better: it starts a scheduler only when the one before, its workers and their tasks are
gone. So the rows of schedulers of this host that still say "running" are closed before the new one starts, and
Airflow's own start-up check then puts their tasks back in the queue. If the table looks different some day, nothing
happens here and Airflow's time-out does the same work later.
"""

from __future__ import annotations

import logging

log = logging.getLogger(__name__)


def declare_predecessors_dead() -> int:
    """Close the job rows of dead schedulers on this host; how many there were."""
    try:
        from airflow.jobs.job import Job, JobState
        from airflow.utils.net import get_hostname
        from airflow.utils.session import create_session
        from sqlalchemy import update

        with create_session() as session:
            found = session.execute(
                update(Job)
                .where(
                    Job.job_type == "SchedulerJob",
                    Job.state == JobState.RUNNING,
                    Job.hostname == get_hostname(),
                )
                .values(state=JobState.FAILED)
            )
            closed = int(getattr(found, "rowcount", 0))
    except Exception:
        log.warning(
            "could not close the rows of earlier schedulers; their tasks wait for a time-out", exc_info=True
        )
        return 0
    if closed:
        log.info("closed %d scheduler(s) that ended without saying so", closed)
    return closed
