"""An MLflow server in memory that speaks the REST API our clients use.

    server = FakeMlflow()
    http = MlflowHttp(MlflowServer("http://mlflow.test"), transport=httpx.MockTransport(server))

It answers as MLflow 3.17 on a SQL database does, refusals included: the same tests run against both
(tests/integration/test_fake_is_real.py), and where they differ this one is wrong. Threads and event loops may share it.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from airfoil.clients.testing.artifacts import Artifacts
from airfoil.clients.testing.experiments import Experiments
from airfoil.clients.testing.faults import Faults
from airfoil.clients.testing.logged_models import LoggedModels
from airfoil.clients.testing.model_registry import ModelRegistry
from airfoil.clients.testing.model_versions import ModelVersions
from airfoil.clients.testing.refusals import RefusalError, optional_text, text
from airfoil.clients.testing.run_data import RunData
from airfoil.clients.testing.runs import Runs
from airfoil.clients.testing.state import Answer, Body, World
from airfoil.clients.testing.webhooks import Webhooks

VERSION = "3.17.2"
API = "/api/2.0/"
ARTIFACTS = "mlflow-artifacts/artifacts"
REPEATED = frozenset({"order_by", "experiment_ids"})
Handler = Callable[[Body], Answer]


class FakeMlflow:
    """One server; give it to `httpx.MockTransport`, for plain and async clients."""

    def __init__(self, *, clock: Callable[[], float] = time.time, seed: int = 0) -> None:
        """Begin empty; the same seed gives the same ids."""
        self._clock = clock
        self._seed = seed
        self._lock = threading.RLock()
        self.calls: list[str] = []
        """Every path that was asked for, such as `mlflow/runs/create`."""
        self.forget()

    def forget(self) -> None:
        """Be a new server."""
        world = World(self._clock, self._seed)
        self._experiments = Experiments(world)
        self._runs = Runs(world, self._experiments)
        self._logged = LoggedModels(world, self._experiments)
        self._versions = ModelVersions(world, self._runs, self._logged)
        self._registry = ModelRegistry(world, self._versions)
        self._webhooks = Webhooks(world)
        self._artifacts = Artifacts()
        self._routes = self._table()
        self.calls.clear()
        self.faults = Faults()

    # What a test looks at.

    @property
    def experiments(self) -> dict[str, dict[str, Any]]:
        """Experiments by name."""
        return self._experiments.by_name

    @property
    def runs(self) -> dict[str, dict[str, Any]]:
        """Runs by id: `info`, `tags`, `params`, `metrics` (every point), `models` and `datasets`."""
        return self._runs.by_id

    @property
    def models(self) -> dict[str, dict[str, Any]]:
        """Logged models by id."""
        return self._logged.by_id

    @property
    def registered(self) -> dict[str, dict[str, Any]]:
        """Registered models by name, with `aliases` and `versions`."""
        return self._versions.models

    @property
    def webhooks(self) -> dict[str, dict[str, Any]]:
        """Webhooks by id, with their secrets."""
        return self._webhooks.by_id

    @property
    def artifacts(self) -> dict[str, bytes]:
        """Files by path."""
        return self._artifacts.by_path

    @property
    def fail(self) -> dict[str, httpx.Response]:
        """Paths that always answer this."""
        return self.faults.fail

    def experiment_id(self, name: str) -> str:
        """Return the id of an experiment."""
        return str(self.experiments[name]["experiment_id"])

    def run_of(self, name: str) -> dict[str, Any]:
        """Return the one run with this name that is not deleted."""
        (found,) = [
            run
            for run in self.runs.values()
            if run["info"]["run_name"] == name and run["info"]["lifecycle_stage"] == "active"
        ]
        return found

    # What a client meets.

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        _, api, path = request.url.path.partition(API)
        path = path if api else request.url.path.lstrip("/")
        with self._lock:
            self.calls.append(path)
        answer = self.faults.before(path, request)
        if answer is None:
            with self._lock:
                answer = self._answer(path, request)
        self.faults.after(path, request)
        return answer

    def _answer(self, path: str, request: httpx.Request) -> httpx.Response:
        if path in {"health", "version"}:
            return httpx.Response(200, text="OK" if path == "health" else VERSION)
        try:
            if path.startswith(f"{ARTIFACTS}/"):
                return self._file(request.method, path.removeprefix(f"{ARTIFACTS}/"), request)
            return self._carry_out(path, request)
        except RefusalError as refusal:
            said = {"error_code": refusal.code, "message": refusal.message}
            return httpx.Response(refusal.status, json=said)

    def _carry_out(self, path: str, request: httpx.Request) -> httpx.Response:
        matching = [(route, re.fullmatch(route[1], path)) for route in self._routes]
        known = [(method, found) for (method, _), found in matching if found]
        for (method, pattern), found in matching:
            if found and method == request.method:
                body = {**_query(request), **_json(request), **found.groupdict()}
                return httpx.Response(200, json=self._routes[method, pattern](body))
        return httpx.Response(405 if known else 404, html="<!doctype html><title>Not Found</title>")

    def _file(self, method: str, path: str, request: httpx.Request) -> httpx.Response:
        if method == "PUT":
            self._artifacts.put(path, request.content)
            return httpx.Response(200)
        if method == "DELETE":
            self._artifacts.delete(path)
            return httpx.Response(200, json={})
        return httpx.Response(200, content=self._artifacts.get(path))

    def _table(self) -> Mapping[tuple[str, str], Handler]:
        """Return every request there is: method and pattern of the path, and what carries it out."""
        experiments, runs, data = self._experiments, self._runs, RunData(self._runs)
        logged, registry, versions, hooks = self._logged, self._registry, self._versions, self._webhooks
        model, hook = "mlflow/logged-models/(?P<model_id>[^/]+)", "mlflow/webhooks/(?P<webhook_id>[^/]+)"
        return {
            ("POST", "mlflow/experiments/create"): experiments.create,
            ("GET", "mlflow/experiments/get"): experiments.get,
            ("GET", "mlflow/experiments/get-by-name"): experiments.get_by_name,
            ("POST", "mlflow/experiments/update"): experiments.update,
            ("POST", "mlflow/experiments/delete"): self._delete_experiment,
            ("POST", "mlflow/experiments/restore"): self._restore_experiment,
            ("POST", "mlflow/experiments/set-experiment-tag"): experiments.set_tag,
            ("POST", "mlflow/experiments/search"): experiments.search,
            ("GET", "mlflow/experiments/search"): experiments.search,
            ("POST", "mlflow/runs/create"): runs.create,
            ("GET", "mlflow/runs/get"): runs.get,
            ("POST", "mlflow/runs/update"): runs.update,
            ("POST", "mlflow/runs/delete"): runs.delete,
            ("POST", "mlflow/runs/restore"): runs.restore,
            ("POST", "mlflow/runs/set-tag"): runs.set_tag,
            ("POST", "mlflow/runs/delete-tag"): runs.delete_tag,
            ("POST", "mlflow/runs/search"): runs.search,
            ("POST", "mlflow/runs/log-parameter"): data.log_parameter,
            ("POST", "mlflow/runs/log-metric"): data.log_metric,
            ("POST", "mlflow/runs/log-batch"): data.log_batch,
            ("POST", "mlflow/runs/log-inputs"): data.log_inputs,
            ("POST", "mlflow/runs/outputs"): data.outputs,
            ("GET", "mlflow/metrics/get-history"): data.history,
            ("GET", "mlflow/artifacts/list"): self._list_of_run,
            ("GET", "mlflow-artifacts/artifacts"): self._artifacts.list_folder,
            ("POST", "mlflow/logged-models"): logged.create,
            ("POST", "mlflow/logged-models/search"): logged.search,
            ("GET", model): logged.get,
            ("PATCH", model): logged.finalize,
            ("DELETE", model): logged.delete,
            ("PATCH", f"{model}/tags"): logged.set_tags,
            ("DELETE", f"{model}/tags/(?P<tag_key>.+)"): logged.delete_tag,
            ("POST", f"{model}/params"): logged.log_params,
            ("GET", f"{model}/artifacts/directories"): self._list_of_model,
            ("POST", "mlflow/registered-models/create"): registry.create,
            ("GET", "mlflow/registered-models/get"): registry.get,
            ("GET", "mlflow/registered-models/search"): registry.search,
            ("PATCH", "mlflow/registered-models/update"): registry.update,
            ("DELETE", "mlflow/registered-models/delete"): registry.delete,
            ("POST", "mlflow/registered-models/set-tag"): registry.set_tag,
            ("DELETE", "mlflow/registered-models/delete-tag"): registry.delete_tag,
            ("POST", "mlflow/registered-models/alias"): registry.set_alias,
            ("GET", "mlflow/registered-models/alias"): registry.get_by_alias,
            ("DELETE", "mlflow/registered-models/alias"): registry.delete_alias,
            ("POST", "mlflow/registered-models/get-latest-versions"): versions.latest_versions,
            ("POST", "mlflow/model-versions/create"): versions.create,
            ("GET", "mlflow/model-versions/get"): versions.get,
            ("GET", "mlflow/model-versions/get-download-uri"): versions.download_uri,
            ("GET", "mlflow/model-versions/search"): versions.search,
            ("PATCH", "mlflow/model-versions/update"): versions.update,
            ("DELETE", "mlflow/model-versions/delete"): versions.delete,
            ("POST", "mlflow/model-versions/set-tag"): versions.set_tag,
            ("DELETE", "mlflow/model-versions/delete-tag"): versions.delete_tag,
            ("POST", "mlflow/webhooks"): hooks.create,
            ("GET", "mlflow/webhooks"): hooks.list_all,
            ("GET", hook): hooks.get,
            ("PATCH", hook): hooks.update,
            ("DELETE", hook): hooks.delete,
        }

    def _delete_experiment(self, body: Body) -> Answer:
        self._experiments.delete(body)
        self._runs.move_all(str(body["experiment_id"]), "deleted")
        return {}

    def _restore_experiment(self, body: Body) -> Answer:
        self._experiments.restore(body)
        self._runs.move_all(str(body["experiment_id"]), "active")
        return {}

    def _list_of_run(self, body: Body) -> Answer:
        run = self._runs.find(text(body, "run_id"))
        return self._artifacts.list_below(run["info"]["artifact_uri"], optional_text(body, "path"))

    def _list_of_model(self, body: Body) -> Answer:
        model = self._logged.find(text(body, "model_id"))
        return self._artifacts.list_below(
            model["artifact_uri"], optional_text(body, "artifact_directory_path")
        )


def _query(request: httpx.Request) -> dict[str, Any]:
    """Return what stands in the address; a field that may repeat is a list."""
    given = request.url.params
    return {key: given.get_list(key) if key in REPEATED else given[key] for key in given}


def _json(request: httpx.Request) -> dict[str, Any]:
    given = json.loads(request.content or b"{}")
    return given if isinstance(given, dict) else {}
