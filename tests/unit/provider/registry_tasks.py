"""A registry in memory that tasks reach through their hook, and the context of a task."""

from __future__ import annotations

from types import SimpleNamespace

import httpx
import pytest
from airflow.sdk.execution_time.context import OutletEventAccessors

from airfoil.clients.exchange import API, post
from airfoil.clients.mlflow_async_http import MlflowAsyncHttp
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.testing import FakeMlflow
from airfoil.provider.hooks.mlflow import MlflowHook
from airfoil.records import ModelRef

ADDRESS = MlflowServer("http://mlflow.test:5000", tries=1)


class Registry(FakeMlflow):
    """With short ways to have models in it."""

    def http(self) -> MlflowHttp:
        return MlflowHttp(ADDRESS, transport=httpx.MockTransport(self))

    def log_model(self) -> ModelRef:
        """Have a run with a model that is not registered."""
        with self.http() as http:
            run = {"experiment_id": "0", "run_name": "trained", "start_time": 1}
            run_id = http.do(post(f"{API}/runs/create", run))["run"]["info"]["run_id"]
            request = {"experiment_id": "0", "name": "forest", "source_run_id": run_id}
            model_id = http.do(post(f"{API}/logged-models", request))["model"]["info"]["model_id"]
        return ModelRef(name="forest", uri=f"models:/{model_id}", run_id=run_id)

    def add_versions(self, name: str, count: int) -> None:
        """Have a model with so many versions."""
        with self.http() as http:
            http.do(post(f"{API}/registered-models/create", {"name": name}))
            for _ in range(count):
                model = self.log_model()
                request = {
                    "name": name,
                    "source": model.uri,
                    "model_id": model.uri.removeprefix("models:/"),
                    "run_id": model.run_id,
                }
                http.do(post(f"{API}/model-versions/create", request))
        self.calls.clear()

    def version(self, name: str, number: int = 1):
        return self.registered[name]["versions"][number]

    def alias(self, name: str, alias: str = "champion") -> int | None:
        return self.registered[name]["aliases"].get(alias)

    def point(self, name: str, number: int, alias: str = "champion") -> None:
        """Have an alias that nobody moved."""
        self.registered[name]["aliases"][alias] = number

    def alive(self, name: str) -> list[int]:
        return [number for number, row in self.registered[name]["versions"].items() if not row["deleted"]]


@pytest.fixture
def registry(monkeypatch):
    """The server behind every connection."""
    server = Registry()

    async def async_http(_):
        return MlflowAsyncHttp(ADDRESS, transport=httpx.MockTransport(server))

    monkeypatch.setattr(MlflowHook, "http", lambda _: server.http())
    monkeypatch.setattr(MlflowHook, "async_http", async_http)
    return server


class TaskInstance(SimpleNamespace):
    """Remembers what is pushed."""

    def xcom_push(self, key, value):
        self.pushed[key] = value


@pytest.fixture
def context():
    """What a task of the first run of `wine_weekly` gets."""
    ti = TaskInstance(
        dag_id="wine_weekly", run_id="manual__1", task_id="it", map_index=-1, try_number=1, pushed={}
    )
    run = SimpleNamespace(dag_id="wine_weekly", run_id="manual__1", triggering_user_name=None)
    events = OutletEventAccessors()
    return {"ti": ti, "dag_run": run, "run_id": run.run_id, "params": {}, "outlet_events": events}


@pytest.fixture
def run(context):
    """Execute an operator as Airflow would: the task of its context, in its DAG."""

    def execute(operator):
        context["ti"].task_id = operator.task_id
        context["ti"].task = context["task"] = operator
        return operator.execute(context)

    return execute
