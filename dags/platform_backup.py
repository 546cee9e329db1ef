"""Back the platform up, and prove that the backup can be restored.

`airfoil backup schedule --at 01:30` says when; until then it runs only when somebody starts it. Where backups go and
how many stay stands under [backup] in airfoil.toml. `create` copies while everything runs, and only what is new;
`verify` restores into a scratch folder, compares, decrypts, and has a registered model predict.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag
from airflow.sdk.configuration import conf

from airfoil import alert, within
from airfoil.provider.operators.platform_command import PlatformCommandOperator

SCHEDULE = conf.get("airfoil", "backup_schedule", fallback="")
QUEUE = "maintenance"
"""On a server, of the one worker that may open the databases; a laptop has no queues."""
SOON = timedelta(minutes=5)
"""A platform that first starts later than this after a run was due makes up for none of it."""


@dag(
    dag_id="platform_backup",
    description="Back up databases, models and secrets, and try the backup out",
    doc_md=__doc__,
    schedule=CronTriggerTimetable(SCHEDULE, timezone="UTC", run_immediately=SOON) if SCHEDULE else None,
    catchup=False,
    max_active_runs=1,
    on_failure_callback=alert(),
    deadline=within(minutes=240),
    default_args={"owner": "airfoil", "queue": QUEUE, "retries": 2, "retry_delay": timedelta(minutes=5)},
    tags=["maintenance"],
)
def platform_backup() -> None:
    """Take it, then try it out."""
    create = PlatformCommandOperator(task_id="create", command=["backup", "create"])
    create >> PlatformCommandOperator(task_id="verify", command=["backup", "verify"])


platform_backup()
