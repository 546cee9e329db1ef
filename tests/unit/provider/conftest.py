"""What tests of the provider share: an MLflow server in memory behind the hook, and a context as a task sees it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from airfoil.clients.testing import FakeMlflow
from airfoil.provider.hooks import mlflow as hook_module


@pytest.fixture
def mlflow(monkeypatch) -> FakeMlflow:
    """The server that the connection `mlflow_default` leads to."""
    server = FakeMlflow()
    real = hook_module.MlflowHttp

    def http(address):
        return real(address, pause=lambda _: None, transport=httpx.MockTransport(server))

    monkeypatch.setenv("AIRFLOW_CONN_MLFLOW_DEFAULT", "mlflow://mlflow.test:5000")
    monkeypatch.setattr(hook_module, "MlflowHttp", http)
    monkeypatch.setattr("airfoil.provider.task_tracking.MlflowHttp", http)
    return server


class Store(dict[str, Any]):
    """Airflow's task state: get and set."""

    def set(self, key: str, value: Any) -> None:
        self[key] = value


class Sick:
    """A task state that Airflow's server does not answer for."""

    def get(self, *_: Any) -> None:
        raise RuntimeError("API_SERVER_ERROR")

    set = get


@pytest.fixture
def make_context():
    """How to make a context: `make_context(try_number=2, store=None)`."""

    def make(store: Any = None, params: Any = None, **fields: Any) -> dict[str, Any]:
        pushed: dict[str, Any] = {}
        values = {
            "dag_id": "shop",
            "run_id": "manual__1",
            "task_id": "train",
            "map_index": -1,
            "try_number": 1,
        }

        def xcom_push(key: str, value: Any) -> None:
            pushed[key] = value

        ti = SimpleNamespace(**values | fields, xcom_push=xcom_push, pushed=pushed)
        context = {
            "ti": ti,
            "task_instance": ti,
            "run_id": ti.run_id,
            "params": params or {},
            "task": SimpleNamespace(owner="ana"),
            "outlet_events": {},
        }
        return context | ({"task_state_store": store} if store is not None else {})

    return make


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def sick_store() -> Sick:
    return Sick()
