"""Airflow's asset manager, for schedules that see each event in the run that follows it.

Airflow (3.3.2) notes in a queue that a DAG has news, with the moment of the first. Its scheduler starts a run with the
events up to that moment, and clears the note: what came between the two waits for the run after the *next* event, which
may be weeks away, or never come. Here each event renews the moment. Airflow takes this class by its own option
`[core] asset_manager_class`; see also `airfoil.runtime.asset_queue`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.assets.manager import AssetManager
from airflow.models.asset import AssetDagRunQueue
from sqlalchemy import update

if TYPE_CHECKING:
    from airflow.models.dag import DagModel
    from sqlalchemy.orm import Session


class RenewingAssetManager(AssetManager):
    """Queues DAGs as Airflow does, and renews the moment of those that are queued already."""

    @classmethod
    def _queue_dagruns(
        cls, *, asset_id: int, dags_to_queue: set[DagModel], session: Session, **event: Any
    ) -> None:
        """First renew, then add: a note that the scheduler clears meanwhile is waited for, and added anew."""
        session.execute(
            update(AssetDagRunQueue)
            .where(
                AssetDagRunQueue.asset_id == asset_id,
                AssetDagRunQueue.target_dag_id.in_([dag.dag_id for dag in dags_to_queue]),
            )
            .values(created_at=datetime.now(UTC))
            .execution_options(synchronize_session=False)
        )
        super()._queue_dagruns(asset_id=asset_id, dags_to_queue=dags_to_queue, session=session, **event)
