"""A small synchronous client of MLflow's REST API: what the CLI and the status page show of it.

Read only. It must not import mlflow (that costs seconds and a quarter of a gigabyte).
"""

from __future__ import annotations

from typing import Any, Self
from urllib.parse import quote

from airfoil.errors import NeighbourError
from airfoil.stack.rest import OK, JsonService

# A search for runs must name its experiments; of more than this the least recently used are left out.
MAX_EXPERIMENTS = 1000
REGISTRY_PAGE = 100
LEDGER_EXPERIMENT = "airfoil-ledger"
"""Where the provider keeps its write-once cells: runs, but nobody's work."""


class MlflowRest:
    """MLflow's /api/2.0/mlflow, with basic auth when a user is given."""

    def __init__(
        self,
        base_url: str,
        username: str | None = None,
        password: str | None = None,
        timeout_seconds: float = 5,
    ) -> None:
        auth = (username, password) if username is not None and password is not None else None
        self._service = JsonService("MLflow", base_url, timeout_seconds, auth)

    server_version = ""
    """Set by whoever has asked for it."""

    def __enter__(self) -> Self:
        """Use as a context manager to close connections."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close connections."""
        self.close()

    def close(self) -> None:
        """Close pooled connections."""
        self._service.close()

    @property
    def base_url(self) -> str:
        """The address people open in a browser."""
        return self._service.base_url

    def healthy(self) -> bool:
        """Tell whether /health says OK; never raises for a neighbour that is down."""
        try:
            response = self._service.send("GET", "/health")
        except NeighbourError:
            return False
        return response.status_code == OK and response.text.strip() == "OK"

    def latest_runs(self, limit: int, filter_expression: str = "") -> list[dict[str, Any]]:
        """List the newest runs over all experiments, newest first."""
        names = self._experiment_names()
        if not names:
            return []
        body = {
            "experiment_ids": list(names),
            "filter": filter_expression,
            "max_results": limit,
            "order_by": ["attributes.start_time DESC"],
        }
        answer = self._call("POST", "runs/search", body=body)
        return [self._run(row, names) for row in self._rows(answer, "runs")]

    def runs_of_dag_run(self, dag_id: str, run_id: str, limit: int = 100) -> list[dict[str, Any]]:
        """List the runs that belong to one Airflow DAG run, by the tags that Airfoil's hook sets."""
        tags = {"airflow.dag_id": dag_id, "airflow.run_id": run_id}
        # MLflow's filter language has no escape: a quote in an id could only be matched by another literal.
        if any("'" in value for value in tags.values()):
            return []
        return self.latest_runs(
            limit, " AND ".join(f"tags.`{tag}` = '{value}'" for tag, value in tags.items())
        )

    def model_versions(self, limit: int) -> list[dict[str, Any]]:
        """List the newest registered model versions, newest first, each with its aliases."""
        query = {"max_results": min(limit, REGISTRY_PAGE), "order_by": "creation_timestamp DESC"}
        rows = self._rows(self._call("GET", "model-versions/search", query=query), "model_versions")
        aliases = self._aliases() if rows else {}
        return [self._version(row, aliases) for row in rows]

    def run_url(self, experiment_id: str, run_id: str) -> str:
        """Give the page of a run."""
        return f"{self.base_url}/#/experiments/{experiment_id}/runs/{run_id}"

    def _experiment_names(self) -> dict[str, str]:
        body = {
            "max_results": MAX_EXPERIMENTS,
            "order_by": ["last_update_time DESC"],
            "view_type": "ACTIVE_ONLY",
        }
        answer = self._call("POST", "experiments/search", body=body)
        rows = self._rows(answer, "experiments")
        names = {
            str(row["experiment_id"]): str(row.get("name", "")) for row in rows if "experiment_id" in row
        }
        return {number: name for number, name in names.items() if name != LEDGER_EXPERIMENT}

    def _aliases(self) -> dict[tuple[str, str], list[str]]:
        # The search for versions leaves aliases out; the search for models has them.
        query = {"max_results": REGISTRY_PAGE, "order_by": "last_updated_timestamp DESC"}
        found: dict[tuple[str, str], list[str]] = {}
        for model in self._rows(
            self._call("GET", "registered-models/search", query=query), "registered_models"
        ):
            for alias in self._rows(model, "aliases"):
                key = (str(model.get("name", "")), str(alias.get("version", "")))
                found.setdefault(key, []).append(str(alias.get("alias", "")))
        return found

    def _version(self, row: dict[str, Any], aliases: dict[tuple[str, str], list[str]]) -> dict[str, Any]:
        name, version = str(row.get("name", "")), str(row.get("version", ""))
        return {
            "name": name,
            "version": version,
            "aliases": sorted(aliases.get((name, version), [])),
            "run_id": row.get("run_id") or None,
            "status": str(row.get("status", "")),
            "created_at": _seconds(row.get("creation_timestamp")),
            "url": f"{self.base_url}/#/models/{quote(name, safe='')}/versions/{version}",
        }

    def _run(self, row: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
        info = row.get("info")
        info = info if isinstance(info, dict) else {}
        experiment_id = str(info.get("experiment_id", ""))
        run_id = str(info.get("run_id", ""))
        return {
            "run_id": run_id,
            "experiment_id": experiment_id,
            "experiment": names.get(experiment_id, ""),
            "name": str(info.get("run_name") or run_id),
            "status": str(info.get("status", "")),
            "start_time": _seconds(info.get("start_time")),
            "end_time": _seconds(info.get("end_time")),
            "url": self.run_url(experiment_id, run_id),
        }

    def _rows(self, answer: dict[str, Any], key: str) -> list[dict[str, Any]]:
        # MLflow leaves an empty list out of its answers.
        return self._service.rows({key: [], **answer}, key)

    def _call(
        self, method: str, name: str, *, query: dict[str, Any] | None = None, body: object = None
    ) -> dict[str, Any]:
        response = self._service.send(method, f"/api/2.0/mlflow/{name}", query=query, body=body)
        return self._service.object(response)


def _seconds(milliseconds: object) -> float | None:
    """Turn MLflow's epoch milliseconds (a number, or a string in older answers) into epoch seconds."""
    try:
        return float(milliseconds) / 1000 if milliseconds else None  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
