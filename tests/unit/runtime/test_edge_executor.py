"""Jobs for workers on other hosts, in a database: which of them are handed out once more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from airflow.models import import_all_models
from airflow.models.taskinstance import TaskInstance
from airflow.providers.edge3.models.edge_job import EdgeJobModel
from airflow.providers.edge3.models.edge_worker import EdgeWorkerModel
from airflow.utils.state import TaskInstanceState
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from airfoil.runtime.edge_executor import EdgeExecutor

pytestmark = pytest.mark.unit

SILENCE_SECONDS = 120


@pytest.fixture
def session(monkeypatch):
    monkeypatch.setenv("AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT", str(SILENCE_SECONDS))
    import_all_models()  # what the columns of a task refer to
    engine = create_engine("sqlite://")
    for table in (TaskInstance, EdgeJobModel, EdgeWorkerModel):
        table.__table__.create(engine)
    with Session(engine) as session:
        yield session


def add(session, name, job="restarting", task="queued", seconds=SILENCE_SECONDS + 1, task_try=1):
    session.execute(
        TaskInstance.__table__.insert().values(
            id=uuid4(),
            dag_id="dag",
            run_id="run",
            task_id=name,
            map_index=-1,
            try_number=task_try,
            state=task,
            pool="default_pool",
            pool_slots=1,
            queue="edge",
        )
    )
    session.add(
        EdgeJobModel(
            dag_id="dag",
            run_id="run",
            task_id=name,
            map_index=-1,
            try_number=1,
            state=job,
            queue="edge",
            concurrency_slots=1,
            command="{}",
            edge_worker="far-1",
            last_update=datetime.now(UTC) - timedelta(seconds=seconds),
        )
    )
    session.commit()


def states(session):
    session.expire_all()
    return {job.task_id: str(job.state) for job in session.scalars(select(EdgeJobModel))}


def test_a_job_that_its_worker_never_began_is_handed_out_again_and_keeps_its_slot(session):
    executor = EdgeExecutor(parallelism=2)
    add(session, "lost")
    key = session.scalars(select(EdgeJobModel)).one().key
    executor.running.add(key)
    executor.sync(session=session)
    assert states(session) == {"lost": "queued"}
    assert executor.running == {key}
    assert executor.event_buffer == {}, "no try is burnt"


@pytest.mark.parametrize(
    "given",
    [
        {"seconds": SILENCE_SECONDS - 5},
        {"task": "running"},
        {"task": "success"},
        {"task_try": 2},
        {"job": "running", "seconds": 1},
    ],
)
def test_what_is_young_or_begun_or_of_another_try_stays_as_it_is(session, given):
    add(session, "one", **given)
    executor = EdgeExecutor(parallelism=2)
    executor.sync(session=session)
    assert states(session) == {"one": given.get("job", "restarting")}


def test_what_airflow_does_with_jobs_that_ran_it_still_does(session):
    add(session, "gone", job=TaskInstanceState.RUNNING, task="up_for_retry")
    EdgeExecutor(parallelism=2).sync(session=session)
    assert states(session) == {"gone": "up_for_retry"}
