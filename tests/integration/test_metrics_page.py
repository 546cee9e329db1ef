"""A real API server tells a real MLflow's verdicts to whoever has the token, and lives on when MLflow is away."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families as parse
from tests.integration.running_airflow import RunningAirflow, RunningMlflow

from airfoil.clients.claims import Claims
from airfoil.clients.dataset_verdicts import keep_dataset_verdict
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.records import DatasetVerdict

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

TOKEN = "made-for-this-test-and-long-enough"


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory):
    with RunningMlflow.started(tmp_path_factory.mktemp("mlflow")) as server:
        yield server


@pytest.fixture(scope="module")
def airflow(migrated_airflow, mlflow, tmp_path_factory):
    airflow = RunningAirflow.prepare(
        migrated_airflow,
        tmp_path_factory.mktemp("metrics") / "home",
        AIRFLOW_CONN_MLFLOW_DEFAULT=f'{{"conn_type": "mlflow", "host": "{mlflow.uri}"}}',
        AIRFLOW__AIRFOIL__METRICS_TOKEN=TOKEN,
        # Else Airflow itself logs everybody in.
        AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS="False",
    )
    try:
        airflow.start("api-server")
        yield airflow
    finally:
        airflow.stop()


def scrape(airflow, token):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.get(f"{airflow.url}/airfoil/metrics", headers=headers, trust_env=False, timeout=120)


def metrics(airflow):
    families = parse(scrape(airflow, TOKEN).text)
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def test_verdicts_reach_prometheus_and_nobody_else(airflow, mlflow):
    assert scrape(airflow, "").status_code == 401
    assert scrape(airflow, "wrong").status_code == 401
    verdict = DatasetVerdict(
        dataset="trips",
        at=datetime(2026, 11, 22, tzinfo=UTC),
        passed=False,
        reason="bad",
        numbers={"rows": 5.0},
    )
    with MlflowHttp(MlflowServer(mlflow.uri)) as http:
        http.do(keep_dataset_verdict(Claims(), verdict))
    found = metrics(airflow)
    assert found["airfoil_mlflow_up",] == 1
    assert (found["airfoil_dataset_passed", "trips"], found["airfoil_dataset_rows", "trips"]) == (0, 5)
    mlflow.kill()
    took = airflow.until(lambda: metrics(airflow)["airfoil_mlflow_up",] == 0, 60, "MLflow is seen to be away")
    assert took < 30
    assert scrape(airflow, TOKEN).status_code == 200
