"""Asking all services: how often, what is kept, and what counts as an answer."""

from __future__ import annotations

import asyncio
import socket

import pytest

from airfoil.stack.health import Answer, Health
from airfoil.stack.server_page import rounds
from airfoil.stack.server_page.rounds import Rounds, question, workers_in
from airfoil.stack.server_page.watched import WORKERS, Watched
from airfoil.stack.service import Probe

pytestmark = pytest.mark.unit

REDIS = Watched("redis", "Redis", Probe("http", "tcp://redis:6379"))
MLFLOW = Watched("mlflow", "MLflow", Probe("http", "http://mlflow:5000/mlflow/health"))


class Scene:
    """Services that answer as told, and a clock that is set by hand."""

    def __init__(self, *services):
        self.now, self.asked, self.down = 100.0, [], set()
        self.rounds = Rounds(services, ask=self.ask, clock=lambda: self.now, monotonic=lambda: self.now)

    def ask(self, service):
        self.asked.append(service.name)
        return Health(service.name not in self.down, "gone" if service.name in self.down else "")

    def look(self):
        return {one.service.name: one for one in asyncio.run(self.rounds.latest())}


def test_every_service_is_asked_once_in_a_round():
    scene = Scene(REDIS, MLFLOW)
    assert set(scene.look()) == {"redis", "mlflow"}
    assert sorted(scene.asked) == ["mlflow", "redis"]


def test_nobody_is_asked_again_so_soon():
    scene = Scene(REDIS)
    scene.look()
    scene.now += rounds.MAX_AGE_SECONDS - 0.1
    scene.look()
    assert scene.asked == ["redis"]
    scene.now += 0.1
    scene.look()
    assert scene.asked == ["redis", "redis"]


def test_since_is_when_the_state_changed():
    scene = Scene(REDIS)
    assert scene.look()["redis"].since == 100
    scene.now = 200
    assert scene.look()["redis"].since == 100
    scene.now, scene.down = 300, {"redis"}
    found = scene.look()["redis"]
    assert (found.healthy, found.detail, found.since) == (False, "gone", 300)


def test_nothing_to_ask_is_no_mistake():
    assert Scene().look() == {}


def test_a_port_is_connected_to():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        there = Watched("redis", "Redis", Probe("http", f"tcp://127.0.0.1:{port}"))
        assert question(there).healthy
    said = question(there)
    assert not said.healthy
    assert said.detail.startswith(f"no connection to 127.0.0.1:{port}: ")


def test_a_health_document_is_judged_by_what_it_says(monkeypatch):
    probe = Probe("http", "http://x/health", expect={"metadatabase": {"status": "healthy"}})
    service = Watched("airflow-api-server", "Airflow", probe)
    answers = {"healthy": True, "unhealthy": False}
    for status, well in answers.items():
        body = f'{{"metadatabase": {{"status": "{status}"}}}}'
        monkeypatch.setattr(rounds.health, "fetch", lambda _url, _seconds, body=body: Answer(200, body))
        assert question(service).healthy is well


METRICS = """# HELP flower_worker_online Worker online status
flower_worker_online{worker="celery@one"} 1.0
flower_worker_online{worker="celery@two"} 1.0
flower_worker_online{worker="celery@gone"} 0.0
flower_worker_number_of_currently_executing_tasks{worker="celery@one"} 1.0
"""


def test_workers_that_are_online_are_counted():
    assert workers_in(METRICS) == Health(True, "2 online")
    assert not workers_in(METRICS.replace("1.0", "0.0")).healthy


def test_the_worker_of_maintenance_is_none_of_those_that_take_tasks():
    metrics = METRICS + 'flower_worker_online{worker="maintenance@three"} 1.0\n'
    assert workers_in(metrics) == Health(True, "2 online")
    assert workers_in(metrics, maintenance=True) == Health(True, "1 online")
    assert not workers_in(METRICS, maintenance=True).healthy


def test_workers_are_asked_for_at_flower(monkeypatch):
    service = Watched(WORKERS, "Workers", Probe("http", "http://flower:5555/flower/metrics"))
    monkeypatch.setattr(rounds.health, "fetch", lambda _url, _seconds: Answer(200, METRICS))
    assert question(service).detail == "2 online"
    monkeypatch.setattr(rounds.health, "fetch", lambda _url, _seconds: Answer(0, "nothing listens there"))
    assert "no answer" in question(service).detail
