"""What is renewed and what is added; that no event waits for the next one is an integration test's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from airflow.assets.manager import AssetManager
from airflow.models.asset import AssetDagRunQueue
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from airfoil.provider.asset_manager import RenewingAssetManager

pytestmark = pytest.mark.unit
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class Queued:
    """As much of a DAG as the queue needs."""

    timetable_partitioned = False

    def __init__(self, dag_id: str) -> None:
        self.dag_id = dag_id


@pytest.fixture
def session():
    engine = create_engine("sqlite://")
    with engine.begin() as connection:  # without the tables that it points to
        connection.exec_driver_sql(
            "create table asset_dag_run_queue (asset_id integer, target_dag_id text, created_at timestamp, "
            "primary key (asset_id, target_dag_id))"
        )
    with Session(engine) as found:
        yield found


def moments(session):
    rows = session.scalars(select(AssetDagRunQueue)).all()
    return {(row.asset_id, row.target_dag_id): row.created_at for row in rows}


def test_a_dag_that_is_queued_already_gets_the_moment_of_the_newest_event(session):
    session.add_all(
        AssetDagRunQueue(asset_id=asset, target_dag_id=dag, created_at=LONG_AGO)
        for asset, dag in [(1, "waits"), (2, "waits"), (1, "other")]
    )
    session.commit()
    before = datetime.now(UTC)
    RenewingAssetManager._queue_dagruns(
        asset_id=1,
        dags_to_queue={Queued("waits"), Queued("new")},
        session=session,
        partition_key=None,
        partition_date=None,
        event=None,
        task_instance=None,
    )
    session.commit()
    found = moments(session)
    assert {key for key, moment in found.items() if moment >= before} == {(1, "waits"), (1, "new")}
    assert {key for key, moment in found.items() if moment == LONG_AGO} == {(2, "waits"), (1, "other")}


def test_airflow_queues_where_we_think_it_does():
    assert "_queue_dagruns" in vars(AssetManager), "else nothing would be renewed, and nobody would notice"
