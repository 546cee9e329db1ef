"""The one value that every face of the page shows: HTML, JSON (docs/status-api.md) and the event stream.

Pure: built from the stack's state and the facts. The JSON form is a published contract: add keys, never change one.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airfoil.stack.memory import MANAGER
from airfoil.stack.page import diagnosis
from airfoil.stack.page.borrowed import borrowed_servers
from airfoil.stack.page.facts import CheckFacts

if TYPE_CHECKING:
    from airfoil.stack.page.borrowed import BorrowedServer
    from airfoil.stack.page.diagnosis import Headline, Problem
    from airfoil.stack.page.facts import AirflowFacts, Facts, MlflowFacts
    from airfoil.stack.state import StackState

SCHEMA = 1
UNREADABLE = {"AF001", "AF002", "AF003"}


@dataclass(frozen=True)
class StackRow:
    """The stack as a whole."""

    stack_id: str
    engine: str
    phase: str
    started_at: float
    ready_at: float | None
    manager_alive: bool
    manager_memory_mib: float | None


@dataclass(frozen=True)
class ServiceRow:
    """One service."""

    name: str
    title: str
    kind: str
    state: str
    since: float
    restarts: int
    detail: str
    memory_mib: float | None
    memory_budget_mib: float | None
    version: str | None
    url: str | None
    port: int | None
    log: str


@dataclass(frozen=True)
class Budget:
    """A promise and what came of it."""

    actual: float | None
    budget: float | None


@dataclass(frozen=True)
class Status:
    """Everything there is to show."""

    now: float
    project: str
    headline: Headline
    problems: tuple[Problem, ...]
    stack: StackRow | None
    services: tuple[ServiceRow, ...]
    memory_mib: Budget
    start_seconds: Budget
    airflow: AirflowFacts
    mlflow: MlflowFacts
    foreign: tuple[BorrowedServer, ...] = ()
    """Servers that existed before us and stand in for ours."""
    checks: CheckFacts = field(default_factory=CheckFacts)
    """What the rules say about the DAG files."""
    schema: int = SCHEMA

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return dataclasses.asdict(self)

    @property
    def is_calm(self) -> bool:
        """All is well and nothing runs: it is enough to look now and then."""
        states = {run.state for run in self.airflow.runs} | {run.status.lower() for run in self.mlflow.runs}
        answered = self.airflow.answered_at is not None and self.mlflow.answered_at is not None
        return answered and self.headline.level == "good" and not states & {"running", "queued"}

    def same_as(self, other: Status | None) -> bool:
        """Tell whether nothing but the moment of asking differs."""
        return other is not None and _timeless(self) == _timeless(other)


def _timeless(status: Status) -> Status:
    """Leave out when, but not whether, a neighbour has answered."""
    return dataclasses.replace(
        status,
        now=0,
        airflow=dataclasses.replace(status.airflow, answered_at=status.airflow.answered_at and 1),
        mlflow=dataclasses.replace(status.mlflow, answered_at=status.mlflow.answered_at and 1),
    )


def without_echo(checks: CheckFacts, airflow: AirflowFacts) -> CheckFacts:
    """Leave out files that cannot be read when Airflow says so already: it shows among the problems."""
    told = tuple(problem.file for problem in airflow.import_errors)
    kept = tuple(
        one
        for one in checks.faults
        if not (one.code in UNREADABLE and told and any(one.file.endswith(file) for file in told if file))
    )
    gone = len(checks.faults) - len(kept)
    return dataclasses.replace(checks, faults=kept, errors=checks.errors - gone)


def build(project: str, state: StackState | None, facts: Facts) -> Status:
    """Put state, facts and diagnosis together."""
    found = diagnosis.problems(state, facts)
    head = diagnosis.headline(state, facts, found)
    if state is None:
        nothing = Budget(None, None)
        return Status(
            facts.now, project, head, found, None, (), nothing, nothing, facts.airflow, facts.mlflow
        )
    used = {name: float(round(mib)) for name, mib in facts.memory_mib.items()}
    stack = StackRow(
        stack_id=state.stack_id,
        engine=state.engine,
        phase=state.phase,
        started_at=state.started_at,
        ready_at=state.ready_at,
        manager_alive=facts.manager_alive,
        manager_memory_mib=used.get(MANAGER),
    )
    services = tuple(
        ServiceRow(
            name=service.name,
            title=service.title,
            kind=service.kind,
            state=service.state,
            since=service.since,
            restarts=service.restarts,
            detail=service.detail,
            memory_mib=used.get(service.name),
            memory_budget_mib=service.memory_budget_mib or None,
            version=service.version or None,
            url=service.url or None,
            port=service.port,
            log=service.log,
        )
        for service in diagnosis.seen(state, facts)
    )
    total = float(round(sum(facts.memory_mib.values()))) if used else None
    took = None if state.ready_at is None else state.ready_at - state.started_at
    return Status(
        now=facts.now,
        project=project,
        headline=head,
        problems=found,
        stack=stack,
        services=services,
        memory_mib=Budget(total, state.budgets.get("memory_mib")),
        start_seconds=Budget(took, state.budgets.get("start_seconds")),
        airflow=facts.airflow,
        mlflow=facts.mlflow,
        foreign=borrowed_servers(state.foreign, facts),
        checks=without_echo(facts.checks, facts.airflow),
    )
