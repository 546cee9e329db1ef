"""The MLflow servers that a server process of Airflow looks after, by the ids of their connections.

A connection is read rarely, and again after a failure: passwords change. Patience is short, because nobody waits and
the next round comes. Must not decide anything about runs.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from airfoil.clients.exchange import Exchange
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.runs import Runs
from airfoil.errors import NotFoundError
from airfoil.provider.hooks.mlflow import server_from

log = logging.getLogger(__name__)

T = TypeVar("T")

READ_AGAIN_SECONDS = 300.0
LONGEST_REQUEST_SECONDS = 10.0


def server_of(conn_id: str) -> MlflowServer:
    """Read an Airflow connection; NotFoundError when there is none of that id."""
    from airflow.models.connection import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return server_from(Connection.get_connection_from_secrets(conn_id))
    except AirflowNotFoundException as error:
        raise NotFoundError(
            f"Airflow has no connection '{conn_id}': MLflow runs that are left behind stay open",
            "Make one of type mlflow, or name yours in [airfoil] mlflow_conn_ids.",
        ) from error


class MlflowPlace:
    """One MLflow server, and what is remembered of talking to it."""

    def __init__(
        self,
        conn_id: str,
        *,
        find: Callable[[str], MlflowServer] = server_of,
        connect: Callable[[MlflowServer], MlflowHttp] = MlflowHttp,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Know the id; nothing is read or sent yet."""
        self.conn_id = conn_id
        self.runs = Runs()
        self._find = find
        self._connect = connect
        self._clock = clock
        self._http: MlflowHttp | None = None
        self._read_again = 0.0
        self._failing = False

    def do(self, conversation: Exchange[T]) -> T:
        """Carry out an exchange; the connection is read first when that was long ago."""
        return self._connected().do(conversation)

    @property
    def usable(self) -> bool:
        """Whether it is worth asking: False while a connection is missing, until it is time to look again."""
        return self._http is not None or self._clock() >= self._read_again

    def went_well(self) -> None:
        """Note that it answers, and say so when it did not before."""
        if self._failing:
            log.info("MLflow of connection '%s' answers again", self.conn_id)
        self._failing = False

    def failed(self, error: Exception) -> None:
        """Note a failure and say so once; the connection is read again before the next request."""
        if not self._failing:
            level = logging.INFO if isinstance(error, NotFoundError) else logging.WARNING
            log.log(
                level, "MLflow runs of connection '%s' are left as they are for now: %s", self.conn_id, error
            )
        self._failing = True
        if self._http is not None:
            self._read_again = 0.0

    def close(self) -> None:
        """Close pooled connections."""
        if self._http is not None:
            self._http.close()
        self._http = None

    def _connected(self) -> MlflowHttp:
        now = self._clock()
        if self._http is None or now >= self._read_again:
            self._read_again = now + READ_AGAIN_SECONDS
            try:
                found = self._find(self.conn_id)
            except Exception:
                self.close()
                raise
            found = replace(
                found, tries=1, timeout_seconds=min(found.timeout_seconds, LONGEST_REQUEST_SECONDS)
            )
            if self._http is None or self._http.server != found:
                self.close()
                self.runs = Runs()  # what was remembered is of another server
                self._http = self._connect(found)
        return self._http
