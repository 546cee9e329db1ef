"""Asks Airflow and MLflow what they last did, through the stack's own small REST clients.

Blocking code for threads. A neighbour that fails is told as a fact (its error in words beside what it last said), never
as an exception: the page must work best when everything else does not.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from airfoil.errors import AirfoilError
from airfoil.stack import secrets, servers
from airfoil.stack.page import facts
from airfoil.stack.page.facts import AirflowFacts, MlflowFacts

if TYPE_CHECKING:
    from airfoil.stack.project import Project

TIMEOUT_SECONDS = 2.0
ROWS = 8
Clean = Callable[[str], str]


class Closable(Protocol):
    """A client that holds connections."""

    def close(self) -> None:
        """Close them."""


class AirflowClient(Closable, Protocol):
    """What the page asks Airflow."""

    def recent_runs(self, limit: int) -> list[dict[str, Any]]:
        """List the newest runs."""

    def import_errors(self) -> list[dict[str, Any]]:
        """List DAG files that do not import."""


class MlflowClient(Closable, Protocol):
    """What the page asks MLflow."""

    def latest_runs(self, limit: int) -> list[dict[str, Any]]:
        """List the newest runs."""

    def model_versions(self, limit: int) -> list[dict[str, Any]]:
        """List the newest model versions."""


Client = TypeVar("Client", bound=Closable)
Answer = TypeVar("Answer", bound=AirflowFacts | MlflowFacts)


class Neighbour(Generic[Client, Answer]):
    """One server: a connection that is kept while it works, made anew when the address changes or an answer fails."""

    def __init__(
        self, name: str, connect: Callable[[str], Client], read: Callable[[Client, str], Answer], clean: Clean
    ) -> None:
        self._name = name
        self._connect = connect
        self._read = read
        self._clean = clean
        self._url = ""
        self._client: Client | None = None

    def ask(self, url: str, last: Answer) -> Answer:
        """Ask now. On failure what it last said stays, and `error` says why there is nothing newer."""
        try:
            if self._client is None or self._url != url:
                self._hang_up()
                self._client, self._url = self._connect(url), url
            return self._read(self._client, url)
        except AirfoilError as error:
            message, next_move = error.message, error.next_move
        except Exception as error:  # noqa: BLE001 - an answer of a shape nobody foresaw must not take the page down
            message, next_move = (
                f"{self._name} gave an answer that makes no sense ({type(error).__name__}).",
                "",
            )
        # The next try logs in from the beginning: a new stack may have other tokens.
        self._hang_up()
        return dataclasses.replace(last, error=self._clean(message), next_move=self._clean(next_move))

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None


def read_airflow(client: AirflowClient, url: str, now: float, clean: Clean) -> AirflowFacts:
    """Ask Airflow for its last runs and for files that do not import."""
    problems = facts.import_problems(client.import_errors())
    return AirflowFacts(
        answered_at=now,
        runs=facts.dag_runs(client.recent_runs(ROWS), url),
        import_errors=tuple(facts.ImportProblem(one.file, clean(one.message)) for one in problems),
        version=facts.text(getattr(client, "server_version", "")),
    )


def read_mlflow(client: MlflowClient, now: float) -> MlflowFacts:
    """Ask MLflow for its last runs and newest model versions."""
    return MlflowFacts(
        answered_at=now,
        runs=facts.tracked_runs(client.latest_runs(ROWS)),
        models=facts.model_versions(client.model_versions(ROWS)),
        version=facts.text(getattr(client, "server_version", "")),
    )


def connect_airflow(project: Project) -> Callable[[str], AirflowClient]:
    """Log in as the generated admin, or as we are known at an Airflow that is not ours; at the first question."""

    def connect(url: str) -> AirflowClient:
        from airfoil.stack.airflow_rest import AirflowRest  # httpx costs 10 MiB: only once somebody watches

        server = servers.settled(project).get("airflow")
        if server is not None and server.url == url:
            version = _meet(server)
            client = AirflowRest(url, server.username, server.password)
            client.server_version = version
            return client
        password = secrets.load(project).admin_password
        return AirflowRest(url, secrets.AIRFLOW_ADMIN, password, timeout_seconds=TIMEOUT_SECONDS)

    return connect


def connect_mlflow(project: Project) -> Callable[[str], MlflowClient]:
    """Send the generated admin's name along (an MLflow without auth does not look at it), or ours elsewhere."""

    def connect(url: str) -> MlflowClient:
        from airfoil.stack.mlflow_rest import MlflowRest  # as above

        server = servers.settled(project).get("mlflow")
        if server is not None and server.url == url:
            version = _meet(server)
            client = MlflowRest(url, server.username or None, server.password)
            client.server_version = version
            return client
        password = secrets.load(project).mlflow_admin_password
        return MlflowRest(url, secrets.MLFLOW_ADMIN, password, timeout_seconds=TIMEOUT_SECONDS)

    return connect


def _meet(server: servers.Server) -> str:
    """Introduce ourselves to a server that is not ours, so that what keeps us out is said in full."""
    from airfoil.stack import introduction

    return introduction.meet(server)
