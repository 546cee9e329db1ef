"""Airflow's REST API as any outsider uses it, the same for every contender; on purpose not our own client."""

from __future__ import annotations

import time
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

_UNAUTHORIZED, _CONFLICT = 401, 409
_TRIES, _PAUSE_SECONDS = 50, 0.2
COMPONENTS = ("scheduler", "triggerer", "dag_processor")


def moment(text: str) -> float:
    """Epoch seconds of a time stamp."""
    return datetime.fromisoformat(text).timestamp()


def unhealthy(health: Any, since_epoch: float) -> str:
    """Which part is not healthy, or has not sent a heartbeat since then; "" when all is well."""
    if not isinstance(health, dict):
        return "no health document"
    for name in ("metadatabase", *COMPONENTS):
        if (health.get(name) or {}).get("status") != "healthy":
            return name
    for name in COMPONENTS:
        beat = health[name].get(f"latest_{name}_heartbeat")
        if not beat or moment(beat) < since_epoch:
            return f"{name} (its heartbeat is of an earlier start)"
    return ""


class AirflowApi:
    """One connection, one login."""

    def __init__(
        self, url: str, password: Callable[[], str], timeout_seconds: float = 10.0, username: str = "admin"
    ) -> None:
        self._client = httpx.Client(base_url=url, timeout=timeout_seconds, trust_env=False)
        self._password = password
        self._username = username
        self.server_errors = 0

    def __enter__(self) -> Self:
        """Close at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self._client.close()

    def health(self) -> Any:
        """The health document; needs no login."""
        return self._client.get("/api/v2/monitor/health").raise_for_status().json()

    def call(self, method: str, path: str, **options: Any) -> Any:
        """One call below /api/v2, logging in when needed."""
        if "Authorization" not in self._client.headers:
            self._login()
        answer = self._client.request(method, f"/api/v2{path}", **options)
        if answer.status_code == _UNAUTHORIZED:
            self._login()
            answer = self._client.request(method, f"/api/v2{path}", **options)
        return answer.raise_for_status().json()

    def insist(self, method: str, path: str, **options: Any) -> Any:
        """A call that may be repeated: a server under load fails some ("database is locked"); they are counted."""
        for _ in range(_TRIES):
            try:
                return self.call(method, path, **options)
            except httpx.HTTPStatusError as error:
                if not error.response.is_server_error:
                    raise
            except httpx.TimeoutException:
                pass
            self.server_errors += 1
            time.sleep(_PAUSE_SECONDS)
        return self.call(method, path, **options)

    def unpause(self, dag_id: str) -> None:
        """Let it run."""
        self.insist("PATCH", f"/dags/{dag_id}", json={"is_paused": False})

    def trigger(self, dag_id: str, run_id: str = "") -> str:
        """Start a run now; its id, chosen here so that a repeated request starts nothing twice."""
        run_id = run_id or f"bench__{uuid.uuid4().hex}"
        try:
            self.insist("POST", f"/dags/{dag_id}/dagRuns", json={"logical_date": None, "dag_run_id": run_id})
        except httpx.HTTPStatusError as error:
            if error.response.status_code != _CONFLICT:
                raise
        return run_id

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """A run as it stands."""
        found: dict[str, Any] = self.insist("GET", f"/dags/{dag_id}/dagRuns/{run_id}")
        return found

    def successes(self, dag_id: str, run_id: str) -> int:
        """How many task instances of a run succeeded."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        return int(self.insist("GET", path, params={"state": "success", "limit": 1})["total_entries"])

    def _login(self) -> None:
        body = {"username": self._username, "password": self._password()}
        token = self._client.post("/auth/token", json=body).raise_for_status().json()["access_token"]
        self._client.headers["Authorization"] = f"Bearer {token}"
