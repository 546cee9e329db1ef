"""Connections and variables of the Airflow that a project works with: over its API, or in its database.

Two ways to one store: whichever Airflow runs is asked (ours or one that exists); while ours is down a process in its
environment does it. Values pass through here and are never kept, logged or put into an argument list.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from airfoil.errors import NeighbourError, ServiceAnswerError
from airfoil.stack.rest import CONFLICT, NOT_FOUND, path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airfoil.stack.airflow_rest import AirflowRest

_ANSWER = "airfoil-answer: "
_PATIENCE_SECONDS = 180.0
_SQLITE = "sqlite:///"
HIDDEN = "***"
"""What Airflow's API gives instead of a value whose name marks it as a secret."""


class AirflowStore(Protocol):
    """What can be done with connections and variables."""

    def connections(self) -> list[dict[str, Any]]:
        """List name, conn_type, description, host, port, schema, has_login, has_password, extra (its names)."""

    def set_connection(self, name: str, fields: Mapping[str, Any]) -> None:
        """Create or replace one."""

    def delete_connection(self, name: str) -> bool:
        """Delete one; False when there was none."""

    def variables(self) -> list[dict[str, Any]]:
        """List variables: key, description."""

    def variable(self, key: str) -> str | None:
        """Give a value; None when there is no such variable."""

    def set_variable(self, key: str, value: str) -> None:
        """Create or replace one."""

    def delete_variable(self, key: str) -> bool:
        """Delete one; False when there was none."""


class RestStore:
    """Over the API of a running Airflow."""

    def __init__(self, airflow: AirflowRest) -> None:
        self._airflow = airflow

    def connections(self) -> list[dict[str, Any]]:
        """List them; Airflow itself hides the secrets."""
        rows = self._airflow.pages("/connections", "connections", {"order_by": "connection_id"})
        return [_shown(row) for row in rows]

    def set_connection(self, name: str, fields: Mapping[str, Any]) -> None:
        """Create it, or replace every field of it."""
        plain = {key: fields.get(key) or None for key in _FIELDS}
        body = {"connection_id": name, **plain, "extra": json.dumps(fields.get("extra") or {})}
        self._create_or_replace("connections", name, body)

    def delete_connection(self, name: str) -> bool:
        """Delete it."""
        return self._delete("connections", name)

    def variables(self) -> list[dict[str, Any]]:
        """List them; values are left out."""
        rows = self._airflow.pages("/variables", "variables", {"order_by": "key"})
        return [{"key": row.get("key"), "description": row.get("description")} for row in rows]

    def variable(self, key: str) -> str | None:
        """Give its value, or HIDDEN when its name marks it as a secret."""
        response = self._airflow.call("GET", path("variables", key))
        if response.status_code == NOT_FOUND:
            return None
        value = self._airflow.parsed(response).get("value")
        return "" if value is None else str(value)

    def set_variable(self, key: str, value: str) -> None:
        """Create or replace it."""
        self._create_or_replace("variables", key, {"key": key, "value": value})

    def delete_variable(self, key: str) -> bool:
        """Delete it."""
        return self._delete("variables", key)

    def _create_or_replace(self, kind: str, name: str, body: Mapping[str, Any]) -> None:
        response = self._airflow.call("POST", f"/{kind}", body=body)
        if response.status_code == CONFLICT and "password" in body and not body["password"]:
            self._delete(kind, name)  # Airflow keeps an old password when the new one is nothing
            response = self._airflow.call("POST", f"/{kind}", body=body)
        elif response.status_code == CONFLICT:
            response = self._airflow.call("PATCH", path(kind, name), body=body)
        self._airflow.check(response)

    def _delete(self, kind: str, name: str) -> bool:
        response = self._airflow.call("DELETE", path(kind, name))
        if response.status_code == NOT_FOUND:
            return False
        self._airflow.check(response)
        return True


_FIELDS = ("conn_type", "description", "host", "login", "password", "schema", "port")


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """Keep of Airflow's answer what may be seen."""
    try:
        extra = json.loads(row.get("extra") or "{}")
    except (TypeError, ValueError):
        extra = {}
    return {
        "name": row.get("connection_id"),
        **{key: row.get(key) for key in ("conn_type", "description", "host", "port", "schema")},
        "has_login": bool(row.get("login")),
        "has_password": bool(row.get("password")),
        "extra": sorted(extra) if isinstance(extra, dict) else [],
    }


class ProcessStore:
    """In Airflow's database, by a process in Airflow's environment: for while no api-server runs."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)

    def connections(self) -> list[dict[str, Any]]:
        """List them without secrets."""
        return list(self._ask("list_connections"))

    def set_connection(self, name: str, fields: Mapping[str, Any]) -> None:
        """Create or replace it."""
        self._ask("set_connection", name=name, fields=dict(fields))

    def delete_connection(self, name: str) -> bool:
        """Delete it."""
        return bool(self._ask("delete_connection", name=name))

    def variables(self) -> list[dict[str, Any]]:
        """List them without values."""
        return list(self._ask("list_variables"))

    def variable(self, key: str) -> str | None:
        """Give its value, or HIDDEN as the API does."""
        value = self._ask("show_variable", key=key)
        return None if value is None else str(value)

    def set_variable(self, key: str, value: str) -> None:
        """Create or replace it."""
        self._ask("set_variable", key=key, value=value)

    def delete_variable(self, key: str) -> bool:
        """Delete it."""
        return bool(self._ask("delete_variable", key=key))

    def _ask(self, operation: str, **arguments: Any) -> Any:
        self._refuse_missing_database()
        try:
            done = subprocess.run(
                [sys.executable, "-m", "airfoil.runtime.vault"],
                input=json.dumps({"do": operation, **arguments}),
                env={**os.environ, **self._environment},
                capture_output=True,
                text=True,
                timeout=_PATIENCE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            message = f"Airflow's database did not answer within {_PATIENCE_SECONDS:.0f} s."
            raise NeighbourError(message, "Look for the reason: `airfoil doctor`.") from error
        lines = [line for line in done.stdout.splitlines() if line.startswith(_ANSWER)]
        if not lines:
            last = (done.stderr.strip().splitlines() or ["no word"])[-1]
            raise ServiceAnswerError(
                f"Airflow's store could not be opened (exit code {done.returncode}: {last}).",
                "Look for the reason: `airfoil doctor`.",
            )
        answer = json.loads(lines[-1].removeprefix(_ANSWER))
        if "error" in answer:
            raise NeighbourError(
                f"Airflow's database refused: {str(answer['error']).rstrip('.')}.",
                "Bring it up to date with `airfoil up`, or see `airfoil doctor`.",
            )
        return answer["value"]

    def _refuse_missing_database(self) -> None:
        url = self._environment.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "")
        if url.startswith(_SQLITE):
            file = Path(url.removeprefix(_SQLITE).partition("?")[0])
            if not file.exists():
                raise NeighbourError(
                    "Airflow has no database yet to keep this in.", "The first `airfoil up` makes it."
                )
