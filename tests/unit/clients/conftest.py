"""An MLflow server in memory: just enough of its REST API for the tracking client."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.tracking import Tracking


class MlflowInMemory:
    """Keeps experiments, runs, models and artifacts in dictionaries; `fail` makes a path answer an error."""

    def __init__(self) -> None:
        self.experiments: dict[str, dict[str, Any]] = {}
        self.runs: dict[str, dict[str, Any]] = {}
        self.models: dict[str, dict[str, Any]] = {}
        self.artifacts: dict[str, bytes] = {}
        self.calls: list[str] = []
        self.fail: dict[str, httpx.Response] = {}
        self._made = 0

    def forget(self) -> None:
        """Be a new server."""
        self.__init__()  # type: ignore[misc]

    def experiment_id(self, name: str) -> str:
        return str(self.experiments[name]["experiment_id"])

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = unquote(request.url.path).removeprefix("/api/2.0/")
        self.calls.append(path)
        if path in self.fail:
            return self.fail[path]
        if path.startswith("mlflow-artifacts/artifacts/"):
            self.artifacts[path.removeprefix("mlflow-artifacts/artifacts/")] = request.read()
            return httpx.Response(200, json={})
        body = json.loads(request.read() or b"{}")
        if path == "mlflow/experiments/get-by-name":
            return self._experiment(request.url.params["experiment_name"])
        if path == "mlflow/runs/get":
            return self._run(request.url.params["run_id"])
        if path.startswith("mlflow/logged-models/"):
            self.models[path.rpartition("/")[2]]["status"] = body["status"]
            return httpx.Response(200, json={})
        method = path.removeprefix("mlflow/").replace("/", "_").replace("-", "_")
        answer = getattr(self, method)(body)
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    def _experiment(self, name: str) -> httpx.Response:
        if name in self.experiments:
            return httpx.Response(200, json={"experiment": self.experiments[name]})
        return httpx.Response(404, json={"error_code": "RESOURCE_DOES_NOT_EXIST", "message": f"no {name}"})

    def experiments_search(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"experiments": list(self.experiments.values())[: body["max_results"]]}

    def experiments_create(self, body: dict[str, Any]) -> dict[str, Any] | httpx.Response:
        if body["name"] in self.experiments:
            return taken(body["name"])
        self._made += 1
        number = str(self._made)
        self.experiments[body["name"]] = {"experiment_id": number, "lifecycle_stage": "active"}
        return {"experiment_id": number}

    def experiments_update(self, body: dict[str, Any]) -> dict[str, Any] | httpx.Response:
        if body["new_name"] in self.experiments:
            return taken(body["new_name"])
        old = next(
            name for name, one in self.experiments.items() if one["experiment_id"] == body["experiment_id"]
        )
        self.experiments[body["new_name"]] = self.experiments.pop(old)
        return {}

    def experiments_delete(self, body: dict[str, Any]) -> dict[str, Any]:
        for one in self.experiments.values():
            if one["experiment_id"] == body["experiment_id"]:
                one["lifecycle_stage"] = "deleted"
        return {}

    def runs_search(self, body: dict[str, Any]) -> dict[str, Any]:
        tag, value = body["filter"].split("`")[1], body["filter"].split("'")[1]
        found = [
            run
            for run in self.runs.values()
            if run["tags"].get(tag) == value
            and run["info"]["experiment_id"] in body["experiment_ids"]
            and run["info"].get("lifecycle_stage") != "deleted"
        ]
        return {"runs": [{"info": run["info"]} for run in found[: body["max_results"]]]}

    def runs_create(self, body: dict[str, Any]) -> dict[str, Any]:
        number = f"run{len(self.runs) + 1}"
        info = {
            "run_id": number,
            "experiment_id": body["experiment_id"],
            "status": "RUNNING",
            "artifact_uri": f"mlflow-artifacts:/{body['experiment_id']}/{number}/artifacts",
        }
        tags = {tag["key"]: tag["value"] for tag in body["tags"]}
        self.runs[number] = {"info": info, "tags": tags, "params": {}, "metrics": [], "models": []}
        return {"run": {"info": info}}

    def runs_update(self, body: dict[str, Any]) -> dict[str, Any]:
        self.runs[body["run_id"]]["info"].update(body)
        return {}

    def _run(self, run_id: str) -> httpx.Response:
        if run_id not in self.runs:
            return httpx.Response(404, json={"error_code": "RESOURCE_DOES_NOT_EXIST", "message": run_id})
        run = self.runs[run_id]
        params = [{"key": key, "value": value} for key, value in run["params"].items()]
        return httpx.Response(200, json={"run": {"info": run["info"], "data": {"params": params}}})

    def runs_log_parameter(self, body: dict[str, Any]) -> dict[str, Any] | httpx.Response:
        if body["run_id"] not in self.runs:
            return httpx.Response(404, json={"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no run"})
        held = self.runs[body["run_id"]]["params"].setdefault(body["key"], body["value"])
        if held != body["value"]:
            return httpx.Response(400, json={"error_code": "INVALID_PARAMETER_VALUE", "message": "changed"})
        return {}

    def runs_set_tag(self, body: dict[str, Any]) -> dict[str, Any]:
        self.runs[body["run_id"]]["tags"][body["key"]] = body["value"]
        return {}

    def runs_delete_tag(self, body: dict[str, Any]) -> dict[str, Any] | httpx.Response:
        if self.runs[body["run_id"]]["tags"].pop(body["key"], None) is None:
            return httpx.Response(404, json={"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no tag"})
        return {}

    def runs_delete(self, body: dict[str, Any]) -> dict[str, Any]:
        self.runs[body["run_id"]]["info"]["lifecycle_stage"] = "deleted"
        return {}

    def runs_log_batch(self, body: dict[str, Any]) -> dict[str, Any]:
        run = self.runs[body["run_id"]]
        run["params"].update({row["key"]: row["value"] for row in body.get("params", [])})
        run["metrics"].extend(body.get("metrics", []))
        return {}

    def runs_outputs(self, body: dict[str, Any]) -> dict[str, Any]:
        self.runs[body["run_id"]]["models"] += [model["model_id"] for model in body["models"]]
        return {}

    def logged_models(self, body: dict[str, Any]) -> dict[str, Any]:
        number = f"m-{len(self.models) + 1}"
        self.models[number] = {**body, "status": "LOGGED_MODEL_PENDING"}
        uri = f"mlflow-artifacts:/{body['experiment_id']}/models/{number}/artifacts"
        return {"model": {"info": {"model_id": number, "artifact_uri": uri}}}


def taken(name: str) -> httpx.Response:
    return httpx.Response(400, json={"error_code": "RESOURCE_ALREADY_EXISTS", "message": f"{name} is there"})


@pytest.fixture
def server() -> MlflowInMemory:
    return MlflowInMemory()


@pytest.fixture
def http(server):
    address = MlflowServer("http://mlflow.test:5000", tries=1)
    with MlflowHttp(address, transport=httpx.MockTransport(server)) as client:
        yield client


@pytest.fixture
def tracking(http):
    return Tracking(http, clock=lambda: 1000.5)
