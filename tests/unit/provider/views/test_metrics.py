"""Prometheus reads the metrics with its token, a person with a login, and nobody else."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from airflow.api_fastapi.core_api import security
from fastapi import FastAPI, HTTPException
from starlette.testclient import TestClient

from airfoil.clients.claims import Claims
from airfoil.clients.dataset_verdicts import keep_dataset_verdict
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.testing import FakeMlflow
from airfoil.provider.views.metrics import KEPT_SECONDS, routes
from airfoil.records import DatasetVerdict

pytestmark = pytest.mark.unit

TOKEN = "a-token-of-prometheus-s3cr3t"


class Gatekeeper:
    """An auth manager that knows the login `ana`, and may let her see the website."""

    allowed = True

    async def get_user_from_token(self, token):
        if token != "ana":
            raise security.InvalidTokenError
        return token

    def is_authorized_view(self, *, access_view, user):
        del access_view, user
        return self.allowed


@pytest.fixture
def gatekeeper(monkeypatch):
    made = Gatekeeper()
    monkeypatch.setattr(security, "get_auth_manager", lambda: made)
    return made


class Mlflow:
    """An MLflow whose visits are counted, and which may be away."""

    def __init__(self):
        self.server = FakeMlflow()
        self.asked = 0
        self.away = False

    def connect(self):
        self.asked += 1

        def answer(request):
            if self.away:
                raise httpx.ConnectError("refused")
            return self.server(request)

        address = MlflowServer("http://mlflow.test", tries=1)
        return MlflowHttp(address, transport=httpx.MockTransport(answer))


@pytest.fixture
def mlflow():
    made = Mlflow()
    verdict = DatasetVerdict(
        dataset="trips", at=datetime(2026, 11, 22, tzinfo=UTC), passed=False, reason="2 checks failed"
    )
    with made.connect() as http:
        http.do(keep_dataset_verdict(Claims(), verdict))
    made.asked = 0
    return made


@pytest.fixture
def now():
    return [0.0]


@pytest.fixture
def scrape(monkeypatch, gatekeeper, mlflow, now):
    """How to ask; `scrape(token=...)`, `scrape(headers=...)`."""
    monkeypatch.setenv("AIRFLOW__AIRFOIL__METRICS_TOKEN", TOKEN)
    app = FastAPI()
    app.include_router(routes(mlflow.connect, clock=lambda: now[0]))
    client = TestClient(app)

    def ask(token=TOKEN, **options):
        options.setdefault("headers", {"Authorization": f"Bearer {token}"} if token else {})
        return client.get("/metrics", **options)

    return ask


def test_prometheus_reads_with_its_token(scrape):
    answer = scrape()
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'airfoil_dataset_passed{dataset="trips"} 0.0' in answer.text
    assert "airfoil_mlflow_up 1.0" in answer.text


def test_the_token_may_be_the_password_of_basic_auth(scrape):
    assert scrape(headers={}, auth=("prometheus", TOKEN)).status_code == 200
    assert scrape(headers={}, auth=("prometheus", "wrong")).status_code == 401


def test_a_login_of_airflow_opens_it_too(scrape, gatekeeper):
    assert scrape("ana").status_code == 200
    assert scrape(headers={"Cookie": "_token=ana"}).status_code == 200
    gatekeeper.allowed = False
    assert scrape("ana").status_code == 403


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer wrong", f"Token {TOKEN}", "Basic !!!", "Basic w6Q=", "Bearer \xe4"],
)
def test_nobody_else(scrape, header):
    answer = scrape(headers={"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_without_a_token_set_an_empty_one_opens_nothing(monkeypatch, gatekeeper, mlflow):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__METRICS_TOKEN", "")
    app = FastAPI()
    app.include_router(routes(mlflow.connect))
    client = TestClient(app)
    for header in ("Bearer ", "Basic Og==", ""):
        assert client.get("/metrics", headers={"Authorization": header}).status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer ana"}).status_code == 200


def test_scrapes_within_seconds_ask_mlflow_once(scrape, mlflow, now):
    for second in (0.0, 1.0, KEPT_SECONDS - 0.1):
        now[0] = second
        scrape()
    assert mlflow.asked == 1
    now[0] = KEPT_SECONDS
    scrape()
    assert mlflow.asked == 2


def test_an_mlflow_that_is_away_is_a_metric(scrape, mlflow, now):
    mlflow.away = True
    answer = scrape()
    assert answer.status_code == 200
    assert "airfoil_mlflow_up 0.0" in answer.text
    assert "airfoil_dataset" not in answer.text
    mlflow.away = False
    now[0] = KEPT_SECONDS
    assert "airfoil_mlflow_up 1.0" in scrape().text


def test_a_connection_that_is_not_there_is_an_mlflow_that_is_away(monkeypatch, gatekeeper):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__METRICS_TOKEN", TOKEN)
    monkeypatch.setenv("AIRFLOW_CONN_MLFLOW_DEFAULT", '{"conn_type": "mlflow"}')
    app = FastAPI()
    app.include_router(routes())
    answer = TestClient(app).get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert "airfoil_mlflow_up 0.0" in answer.text


def test_without_the_library_it_is_said(scrape, monkeypatch):
    def missing(_):
        raise ModuleNotFoundError("prometheus_client")

    monkeypatch.setattr("airfoil.provider.views.metrics.exposition", missing)
    answer = scrape()
    assert (answer.status_code, "pip install prometheus-client" in answer.text) == (501, True)


def test_a_refusal_of_the_auth_manager_is_passed_on(monkeypatch, scrape):
    async def refuse(*_):
        raise HTTPException(403, "Invalid JWT token")

    monkeypatch.setattr(security, "get_user", refuse)
    assert scrape("x").status_code == 401
