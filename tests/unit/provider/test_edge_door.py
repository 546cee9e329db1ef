"""Who may speak as a worker on another host: under its own name, about its own tasks, as long as it is on the list."""

from __future__ import annotations

import json
from types import SimpleNamespace
from uuid import UUID

import pytest
from airflow.models.taskinstancekey import TaskInstanceKey
from airflow.providers.edge3.models.edge_job import EdgeJobModel
from airflow.providers.edge3.worker_api.routes import logs
from fastapi import HTTPException
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from airfoil.provider import edge_door

pytestmark = pytest.mark.unit

OWN, OTHER = (f"019acc00-0000-7000-8000-00000000000{digit}" for digit in "12")
CLAIMS = {"sub": "far-1", "jti": "n1"}


@pytest.fixture(autouse=True)
def known(tmp_path, monkeypatch):
    file = tmp_path / "workers.json"
    file.write_text(json.dumps({"far-1": {"token": "n1"}, "far-2": {"token": "n2"}}), encoding="utf-8")
    monkeypatch.setenv("AIRFLOW__AIRFOIL__EDGE_WORKERS", str(file))
    return file


@pytest.fixture(autouse=True)
def jobs(monkeypatch):
    """The tasks that workers were handed, in a table as Airflow's."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    EdgeJobModel.__table__.create(engine)
    monkeypatch.setattr("airflow.utils.session.create_session", lambda: Session(engine))
    with Session(engine) as session:
        for task_id, worker, number in (("train", "far-1", OWN), ("secret", "far-2", OTHER)):
            job = {
                "dag_id": "shop",
                "task_id": task_id,
                "run_id": "manual__1",
                "map_index": -1,
                "try_number": 1,
            }
            said = {"state": "running", "queue": "edge", "concurrency_slots": 1, "command": "{}"}
            about = {"queued_dttm": None, "edge_worker": worker, "last_update": None}
            session.add(EdgeJobModel(**job, **said, **about, task_instance_id=number))
        session.commit()


def may(method, **claims):
    return edge_door.verify(CLAIMS | claims, SimpleNamespace(method=method))["authorized"]


@pytest.mark.parametrize("method", ["worker/far-1", "jobs/fetch/far-1", "worker/queues/far-1"])
def test_a_worker_speaks_for_itself(method):
    assert may(method)
    assert not may(method.replace("far-1", "far-2"))
    assert not may(f"{method}/more")


@pytest.mark.parametrize(
    "method",
    [
        "jobs/state/shop/train/manual__1/1/-1/success",
        "logs/push/shop/train/manual__1/1/-1",
        "logs/logfile_path/shop/train/manual__1/1/-1",
    ],
)
def test_it_speaks_of_tasks_that_it_was_handed(method):
    assert may(method)
    assert not may(method.replace("train", "other"))
    assert not may(method, sub="far-2", jti="n2")
    assert not may(f"{method}/more")


@pytest.fixture
def log_file(tmp_path, monkeypatch):
    """The log that Airflow would write to, whomever's it is."""
    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(tmp_path))
    monkeypatch.setattr(logs, "_logfile_path", lambda _task, _task_instance_id: "some.log")
    assert may("logs/push/shop/train/manual__1/1/-1")
    return tmp_path / "some.log"


def push(number):
    body = SimpleNamespace(log_chunk_time=None, log_chunk_data="a line", task_instance_id=number)
    logs.push_logs("shop", "train", "manual__1", 1, -1, body, SimpleNamespace(add=lambda _row: None))


@pytest.mark.parametrize("number", [UUID(OWN), None])
def test_a_worker_writes_the_log_of_its_task(log_file, number):
    push(number)
    assert log_file.read_text() == "a line"
    assert logs.logfile_path("shop", "train", "manual__1", 1, -1, number) == "some.log"


def test_it_does_not_write_the_log_of_a_task_whose_id_it_says_in_the_body(log_file):
    for _ in range(2):
        assert may("logs/push/shop/train/manual__1/1/-1")
        with pytest.raises(HTTPException) as refused:
            push(UUID(OTHER))
        assert refused.value.status_code == 403
    with pytest.raises(HTTPException):
        logs.logfile_path("shop", "train", "manual__1", 1, -1, UUID(OTHER))
    assert not log_file.exists()
    assert (
        logs._logfile_path(TaskInstanceKey("shop", "secret", "manual__1", 1, -1), UUID(OTHER)) == "some.log"
    )


@pytest.mark.parametrize("method", ["", "health", "ui/worker", "worker", "jobs/state/shop", "nothing/known"])
def test_it_may_nothing_else(method):
    assert not may(method)


def test_one_token_counts_for_a_name():
    assert not may("worker/far-1", jti="an older one")
    assert not may("worker/far-1", jti=None)
    assert not may("worker/far-3", sub="far-3")
    assert not may("worker/", sub="")


def test_the_list_is_read_anew(known):
    assert may("worker/far-1")
    known.write_text("{}", encoding="utf-8")
    assert not may("worker/far-1")
    known.unlink()
    assert not may("worker/far-1")


@pytest.mark.parametrize("text", ["", "[]", '{"far-1": 1}', '{"far-1": {"token": ""}}', '{"far-1": {}}'])
def test_a_list_that_says_nothing_lets_nobody_in(known, text):
    known.write_text(text, encoding="utf-8")
    assert not may("worker/far-1")
    assert not may("worker/far-1", jti="")
