"""Gathers what the page shows: state.json, who is alive, memory, and the neighbours' last words.

Three rules keep it cheap and polite: a file is read again only when it changed; a neighbour is asked at most every
other second, and only when somebody wants to know; and nobody waits for a slow one. Secrets are taken out here, before
anything becomes part of a status.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from airfoil.errors import AirfoilError, redact
from airfoil.stack import memory, process, secrets, servers
from airfoil.stack import state as states
from airfoil.stack.backup import note
from airfoil.stack.page import neighbours, status
from airfoil.stack.page.dag_checks import DagChecks
from airfoil.stack.page.facts import AirflowFacts, CheckFacts, Facts, MlflowFacts
from airfoil.stack.page.freshness import FileNews, Latest, WatchedFile

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from airfoil.stack.page.neighbours import AirflowClient, MlflowClient
    from airfoil.stack.project import Project
    from airfoil.stack.state import StackState

NEIGHBOUR_MAX_AGE_SECONDS = 2.0
NEWS_MAX_AGE_SECONDS = 1.0
"""After Airflow's database was written (SQLite): a broken DAG file is on the page while its author still looks."""
MEMORY_MAX_AGE_SECONDS = 10.0
"""Measuring walks the page tables of every process: 0.1 s of work for a real stack."""
CHECK_MAX_AGE_SECONDS = 3.0
"""Looking at the times of some files takes a millisecond, a check of those that changed a second."""
CHECK_PATIENCE_SECONDS = 0.2
ANSWERING = frozenset({"ready", "unhealthy"})
HIDDEN = "•••"
SHORTEST_SECRET = 8
"""A shorter value is no secret of ours, and hiding it would tear words apart."""


class Sources:
    """Everything the page knows, on request. Clock, clients, liveness and measuring come through the constructor."""

    def __init__(
        self,
        project: Project,
        *,
        connect_airflow: Callable[[str], AirflowClient] | None = None,
        connect_mlflow: Callable[[str], MlflowClient] | None = None,
        is_alive: Callable[[int | None, float | None], bool] = process.is_alive,
        measure: Callable[[StackState], Mapping[str, float]] = memory.stack_memory,
        checks: DagChecks | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._project = project
        self._is_alive = is_alive
        self._measure = measure
        self._clock = clock
        self._secrets: WatchedFile[tuple[str, ...]] = WatchedFile(project.secrets, self._read_secrets, ())
        self._logins: WatchedFile[tuple[str, ...]] = WatchedFile(
            servers.running_file(project), self._read_logins, ()
        )
        self._state: WatchedFile[StackState | None] = WatchedFile(project.state_file, self._read_state, None)
        self._executor = ThreadPoolExecutor(max_workers=4, thread_name_prefix="source")
        self._airflow = neighbours.Neighbour(
            "Airflow",
            connect_airflow or neighbours.connect_airflow(project),
            lambda client, url: neighbours.read_airflow(client, url, clock(), self.clean),
            self.clean,
        )
        self._mlflow = neighbours.Neighbour(
            "MLflow",
            connect_mlflow or neighbours.connect_mlflow(project),
            lambda client, _url: neighbours.read_mlflow(client, clock()),
            self.clean,
        )
        database = project.airflow_database
        self._airflow_news = FileNews(database, database.with_name(f"{database.name}-wal"))
        self._airflow_answer = Latest(AirflowFacts(), self._executor, monotonic)
        self._mlflow_answer = Latest(MlflowFacts(), self._executor, monotonic)
        nothing: Mapping[str, float] = {}
        self._memory = Latest(nothing, self._executor, monotonic)
        self._dag_checks = DagChecks(project, check=None) if checks is None else checks
        self._checks = Latest(CheckFacts(), self._executor, monotonic)
        self._measured: tuple[int | None, ...] = ()

    def close(self) -> None:
        """Forget questions that nobody waits for any more."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def state(self) -> StackState | None:
        """Give the stack's state as last written, without its secrets."""
        return self._state.value()

    async def own_facts(self, state: StackState | None, patience_seconds: float) -> Facts:
        """Give what this machine itself can tell; asks no neighbour."""
        if state is None:
            return Facts(now=self._clock(), manager_alive=False)
        return Facts(
            now=self._clock(),
            manager_alive=self._is_alive(state.manager_pid, state.manager_started),
            dead=frozenset(
                service.name
                for service in state.services
                if not self._is_alive(service.pid, service.pid_started)
            ),
            memory_mib=await self._ask_memory(state, patience_seconds),
            airflow=self._airflow_answer.value,
            mlflow=self._mlflow_answer.value,
            checks=self._checks.value,
            backup_at=note.made_at(self._project),
        )

    async def status(
        self, patience_seconds: float, max_age_seconds: float = NEIGHBOUR_MAX_AGE_SECONDS
    ) -> status.Status:
        """Give the whole picture, asking neighbours that are up and have not been asked just now."""
        state = self.state()
        if state is not None:
            await asyncio.gather(
                self._ask_neighbours(state, patience_seconds, max_age_seconds),
                self._look_at_files(patience_seconds),
            )
        return status.build(str(self._project.root), state, await self.own_facts(state, patience_seconds))

    async def _ask_memory(self, state: StackState, patience_seconds: float) -> Mapping[str, float]:
        processes = tuple(service.pid for service in state.services)
        max_age_seconds = MEMORY_MAX_AGE_SECONDS if processes == self._measured else 0
        self._measured = processes
        return await self._memory.ask(lambda: self._measure(state), patience_seconds, max_age_seconds)

    async def _look_at_files(self, patience_seconds: float) -> None:
        """Look without waiting for a check: the next look has its result."""
        last, patience_seconds = self._checks.value, min(patience_seconds, CHECK_PATIENCE_SECONDS)
        await self._checks.ask(
            lambda: self._dag_checks.look(last, self.clean), patience_seconds, CHECK_MAX_AGE_SECONDS
        )

    async def _ask_neighbours(
        self, state: StackState, patience_seconds: float, max_age_seconds: float
    ) -> None:
        asked: list[Awaitable[object]] = []
        airflow = state.foreign.get("airflow") or self._address(state, "api-server")
        mlflow = state.foreign.get("mlflow") or self._address(state, "mlflow")
        if airflow is not None:
            last = self._airflow_answer.value
            age_seconds = (
                min(NEWS_MAX_AGE_SECONDS, max_age_seconds) if self._airflow_news else max_age_seconds
            )

            def ask_airflow() -> AirflowFacts:
                self._airflow_news.mark()
                return self._airflow.ask(airflow, last)

            asked.append(self._airflow_answer.ask(ask_airflow, patience_seconds, age_seconds))
        if mlflow is not None:
            known = self._mlflow_answer.value
            asked.append(
                self._mlflow_answer.ask(
                    lambda: self._mlflow.ask(mlflow, known), patience_seconds, max_age_seconds
                )
            )
        await asyncio.gather(*asked)

    def _address(self, state: StackState, name: str) -> str | None:
        """Where a service answers, if it does."""
        service = state.service(name)
        if service is None or not service.url or service.state not in ANSWERING:
            return None
        return service.url if self._is_alive(service.pid, service.pid_started) else None

    # -- secrets --------------------------------------------------------------------------------------------------

    def clean(self, text: str) -> str:
        """Take out this project's secrets and every password inside an address."""
        text = redact(text)
        for secret in (*self._secrets.value(), *self._logins.value()):
            text = text.replace(secret, HIDDEN)
        return text

    def _read_secrets(self, _path: Path) -> tuple[str, ...]:
        try:
            known = dataclasses.astuple(secrets.load(self._project))
        except AirfoilError:
            return ()
        return tuple(value for value in known if len(value) >= SHORTEST_SECRET)

    def _read_logins(self, _path: Path) -> tuple[str, ...]:
        try:
            found = servers.settled(self._project).values()
        except AirfoilError:
            return ()
        return tuple(server.password for server in found if len(server.password) >= SHORTEST_SECRET)

    def _read_state(self, path: Path) -> StackState | None:
        found = states.load(path)
        if found is None:
            return None
        services = (
            dataclasses.replace(
                row, detail=self.clean(row.detail), url=self.clean(row.url) if row.url else None
            )
            for row in found.services
        )
        notices = tuple(self.clean(notice) for notice in found.notices)
        return dataclasses.replace(found, notices=notices, services=tuple(services))
