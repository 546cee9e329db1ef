"""A small synchronous client of Airflow's REST API: what the CLI, the doctor and the status page ask it.

It must not decide anything (when to retry, what a state means) and must not import airflow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from airfoil.errors import ServiceAnswerError, ServiceRefusedError
from airfoil.stack import task_log
from airfoil.stack.rest import CONFLICT, EXAMINE, NOT_FOUND, UNAUTHORIZED, JsonService, path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

PAGE_ROWS = 100  # Airflow's own upper limit
MAX_LOG_CHUNKS = 200  # a task that logs faster than we read must not hold us for ever
# structured log entries (the default answer type streams them unparsed)
JSON_ONLY = {"Accept": "application/json"}


class AirflowRest:
    """Airflow's /api/v2 behind a password login."""

    def __init__(self, base_url: str, username: str, password: str, timeout_seconds: float = 5) -> None:
        self._service = JsonService("Airflow", base_url, timeout_seconds)
        self._credentials = {"username": username, "password": password}
        self._token: str | None = None

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

    # -- without a login ------------------------------------------------------------------------------------

    def health(self) -> dict[str, Any]:
        """Ask for the health of metadatabase, scheduler, triggerer and dag_processor (always 200)."""
        return self._service.object(self._service.send("GET", "/api/v2/monitor/health"))

    def version(self) -> str:
        """Ask for Airflow's version."""
        return str(self._service.object(self._service.send("GET", "/api/v2/version")).get("version", ""))

    # -- DAGs -----------------------------------------------------------------------------------------------

    def dags(self) -> list[dict[str, Any]]:
        """List every active DAG, sorted by id."""
        return self._pages("/dags", "dags", {"order_by": "dag_id"})

    def dag(self, dag_id: str) -> dict[str, Any] | None:
        """Get one DAG, or None when Airflow does not know it."""
        response = self._call("GET", path("dags", dag_id))
        return None if response.status_code == NOT_FOUND else self._service.object(response)

    def time_zone(self, dag_id: str) -> str:
        """Ask in which time zone a DAG is scheduled."""
        return str(self._get(path("dags", dag_id, "details")).get("timezone") or "UTC")

    def set_paused(self, dag_id: str, paused: bool) -> None:  # noqa: FBT001 - the value is the message
        """Pause or unpause a DAG."""
        self._service.check(self._call("PATCH", path("dags", dag_id), body={"is_paused": paused}))

    def parse_file(self, file_token: str) -> None:
        """Ask for a DAG file (`file_token` of a DAG) to be read again now instead of at its turn."""
        self._service.check(self._call("PUT", path("parseDagFile", file_token)))

    def import_errors(self) -> list[dict[str, Any]]:
        """List the DAG files that do not import (`filename`, `stack_trace`), newest first."""
        return self._pages("/importErrors", "import_errors", {"order_by": "-timestamp"})

    # -- runs -----------------------------------------------------------------------------------------------

    def trigger(
        self,
        dag_id: str,
        conf: Mapping[str, Any],
        logical_date: str | None = None,
        run_id: str | None = None,
    ) -> dict[str, Any]:
        """Create a run; with a `run_id` of one's own, asking again after a cut connection is safe."""
        # The key logical_date is mandatory even when null.
        body: dict[str, Any] = {"logical_date": logical_date, "conf": dict(conf)}
        if run_id is not None:
            body["dag_run_id"] = run_id
        response = self._call("POST", path("dags", dag_id, "dagRuns"), body=body)
        if response.status_code == CONFLICT and run_id is not None:
            return self.run(dag_id, run_id)
        return self._service.object(response)

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """Get one run."""
        return self._get(path("dags", dag_id, "dagRuns", run_id))

    def recent_runs(self, limit: int, dag_id: str = "~") -> list[dict[str, Any]]:
        """List the newest runs of all DAGs (or of one), newest first."""
        query = {"order_by": "-id", "limit": min(limit, PAGE_ROWS)}
        answer = self._get(path("dags", dag_id, "dagRuns"), query)
        return self._service.rows(answer, "dag_runs")

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """List every task instance of a run, mapped ones included, each once."""
        found = self._pages(
            path("dags", dag_id, "dagRuns", run_id, "taskInstances"), "task_instances", {"order_by": "id"}
        )
        # Rows that appear between two pages can shift others: keep one of each.
        return list({(row.get("task_id"), row.get("map_index", -1)): row for row in found}.values())

    def runs(self, dag_id: str, query: Mapping[str, Any], limit: int | None = None) -> list[dict[str, Any]]:
        """List the runs of a DAG that Airflow's filters (`state`, `logical_date_gte`, ...) let through."""
        location = path("dags", dag_id, "dagRuns")
        if limit is None:
            return self._pages(location, "dag_runs", query)
        return self._service.rows(self._get(location, {**query, "limit": limit}), "dag_runs")

    def clear_tasks(self, dag_id: str, run_id: str, task_ids: Sequence[str | tuple[str, int]]) -> int:
        """Let tasks of a run, and everything after them, run again with the code of today; how many that are."""
        body = {
            "dry_run": False,
            "dag_run_id": run_id,
            "task_ids": list(task_ids),
            "include_downstream": True,
            "only_failed": False,
            "reset_dag_runs": True,
            # Whoever mended the DAG wants the mended one.
            "run_on_latest_version": True,
        }
        response = self._call("POST", path("dags", dag_id, "clearTaskInstances"), body=body)
        return len(self._service.rows(self._service.object(response), "task_instances"))

    def clear_run(self, dag_id: str, run_id: str) -> None:
        """Let a whole run happen again with the code of today."""
        body = {"dry_run": False, "run_on_latest_version": True}
        self._service.check(self._call("POST", path("dags", dag_id, "dagRuns", run_id, "clear"), body=body))

    def task_log(self, dag_id: str, run_id: str, task_id: str, try_number: int, map_index: int = -1) -> str:
        """Read the log of one try as plain text, up to what is written now."""
        return "\n".join(task_log.lines(self.log_entries(dag_id, run_id, task_id, try_number, map_index)))

    def log_entries(
        self, dag_id: str, run_id: str, task_id: str, try_number: int, map_index: int = -1
    ) -> list[Any]:
        """Read the log of one try as Airflow keeps it: objects, or text where it could not parse a line."""
        location = path("dags", dag_id, "dagRuns", run_id, "taskInstances", task_id, "logs", str(try_number))
        entries: list[Any] = []
        query: dict[str, Any] = {"map_index": map_index, "full_content": "true"}
        for _ in range(MAX_LOG_CHUNKS):
            answer = self._get(location, query, JSON_ONLY)
            content = answer.get("content")
            chunk = content if isinstance(content, list) else [] if content is None else [content]
            entries.extend(chunk)
            token = answer.get("continuation_token")
            # A running task hands out tokens for ever; an empty chunk means we have caught up.
            if not token or not chunk:
                break
            query = {**query, "token": token}
        return entries

    # -- backfills ------------------------------------------------------------------------------------------

    def dates_to_run(self, order: Mapping[str, Any]) -> list[str]:
        """List the logical dates for which such a backfill would make a run."""
        answer = self._service.object(self._call("POST", "/backfills/dry_run", body=order))
        return [str(row.get("logical_date")) for row in self._service.rows(answer, "backfills")]

    def create_backfill(self, order: Mapping[str, Any]) -> dict[str, Any] | None:
        """Start a backfill; None when this DAG has one under way already."""
        response = self._call("POST", "/backfills", body=order)
        return None if response.status_code == CONFLICT else self._service.object(response)

    def last_backfill(self, dag_id: str) -> dict[str, Any] | None:
        """Get the newest backfill of a DAG, or None."""
        answer = self._get("/backfills", {"dag_id": dag_id, "order_by": "-id", "limit": 1})
        return next(iter(self._service.rows(answer, "backfills")), None)

    # -- anything else --------------------------------------------------------------------------------------

    def call(self, method: str, location: str, body: object = None) -> httpx.Response:
        """Send a request below /api/v2 with our login; any answer below 500 comes back."""
        return self._call(method, location, body=body)

    def token(self) -> str:
        """Log in and give the token, for clients that are not ours."""
        return self._token or self._login()

    def check(self, response: httpx.Response) -> None:
        """Turn an error status into an error."""
        self._service.check(response)

    def parsed(self, response: httpx.Response) -> dict[str, Any]:
        """Parse an answer that must be an object."""
        return self._service.object(response)

    def pages(self, location: str, key: str, query: Mapping[str, Any]) -> list[dict[str, Any]]:
        """List everything at a location, page by page."""
        return self._pages(location, key, query)

    # -- transport ------------------------------------------------------------------------------------------

    def _get(
        self, location: str, query: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        return self._service.object(self._call("GET", location, query=query, headers=headers))

    def _pages(self, location: str, key: str, query: Mapping[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            answer = self._get(location, {**query, "limit": PAGE_ROWS, "offset": len(found)})
            page = self._service.rows(answer, key)
            found.extend(page)
            if len(page) < PAGE_ROWS:
                return found

    def _call(
        self,
        method: str,
        location: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        def send(token: str) -> httpx.Response:
            extra = {"Authorization": f"Bearer {token}", **(headers or {})}
            return self._service.send(method, "/api/v2" + location, query=query, body=body, headers=extra)

        known = self._token
        response = send(known or self._login())
        if response.status_code == UNAUTHORIZED and known is not None:
            # The token ran out, or the api-server came back with another secret: log in once more.
            response = send(self._login())
        return response

    def _login(self) -> str:
        self._token = None
        response = self._service.send("POST", "/auth/token", body=self._credentials)
        if response.status_code == UNAUTHORIZED:
            message = f"Airflow at {self.base_url} refused the login as {self._credentials['username']}."
            raise ServiceRefusedError(message, EXAMINE)
        token = self._service.object(response).get("access_token")
        if not isinstance(token, str) or not token:
            raise ServiceAnswerError(f"Airflow at {self.base_url} answered a login without a token.", EXAMINE)
        self._token = token
        return token
