"""The lock that the scheduler takes on SQLite before it reads which DAGs have news."""

from __future__ import annotations

import pytest
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from airfoil.runtime import asset_queue

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def airflows_own(monkeypatch):
    """Whatever a test puts in is taken out again."""
    own = getattr(SchedulerJobRunner, asset_queue.METHOD)
    monkeypatch.setattr(SchedulerJobRunner, asset_queue.METHOD, own)
    return own


@pytest.fixture
def locks(monkeypatch):
    taken = []
    monkeypatch.setattr(asset_queue, "_lock", taken.append)
    return taken


@pytest.mark.parametrize(
    ("url", "dags", "locked"),
    [("sqlite://", ["a dag"], True), ("sqlite://", [], False), ("postgresql+psycopg2://", ["a dag"], False)],
)
def test_it_is_taken_first_and_only_where_needed(locks, url, dags, locked):
    seen = []
    create = asset_queue.holding(lambda self, *, dag_models, session: seen.append((list(locks), dag_models)))
    session = Session(create_engine(url))
    create("scheduler", dag_models=dags, session=session)
    assert seen == [([session] if locked else [], dags)]


def test_airflows_method_is_known_and_wrapped_once_asked(airflows_own):
    assert asset_queue.hold_while_read()
    assert getattr(SchedulerJobRunner, asset_queue.METHOD).__wrapped__ is airflows_own


@pytest.mark.parametrize("method", [None, lambda self, dags: None])
def test_another_airflow_stays_as_it_is(monkeypatch, caplog, method):
    monkeypatch.setattr(SchedulerJobRunner, asset_queue.METHOD, method)
    assert not asset_queue.hold_while_read()
    assert getattr(SchedulerJobRunner, asset_queue.METHOD) is method
    assert "may wait for the next one" in caplog.text
