"""The stack as Prometheus metrics, on a registry of its own: nothing of the page's process is mixed in.

Computed when scraped, from state.json and this machine alone; a scrape asks neither Airflow nor MLflow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    StateSetMetricFamily,
)

from airfoil import __version__
from airfoil.stack.memory import MANAGER
from airfoil.stack.page import diagnosis
from airfoil.stack.state import ServiceCondition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric

    from airfoil.stack.page.facts import Facts
    from airfoil.stack.state import ServiceState, StackState

BYTES_PER_MIB = 1024 * 1024
CONDITIONS = get_args(ServiceCondition)
UP = frozenset({"ready", "done"})


class StackCollector:
    """One moment of the stack. Prometheus calls `collect`."""

    def __init__(self, state: StackState | None, facts: Facts) -> None:
        self._state = state
        self._facts = facts

    def collect(self) -> Iterator[Metric]:
        """Yield every family; without a stack only that it is not ready."""
        state, facts = self._state, self._facts
        ready = state is not None and state.phase == "ready" and facts.manager_alive
        yield _gauge("airfoil_stack_ready", "1 when every service is ready and the manager lives.", ready)
        alive = state is not None and facts.manager_alive
        yield _gauge("airfoil_stack_manager_up", "1 when the manager, which restarts services, lives.", alive)
        if state is None:
            return
        info = {"engine": state.engine, "version": __version__, "stack_id": state.stack_id}
        yield InfoMetricFamily("airfoil_stack", "What runs.", value=info)
        found = diagnosis.problems(state, facts)
        problems = GaugeMetricFamily(
            "airfoil_stack_problems", "Things that need a look.", labels=["severity"]
        )
        for severity in get_args(diagnosis.Severity):
            problems.add_metric([severity], sum(problem.severity == severity for problem in found))
        yield problems
        if facts.backup_at is not None:
            said = "When the last backup was taken (epoch)."
            yield _gauge("airfoil_backup_completed_timestamp_seconds", said, facts.backup_at)
        yield from self._start(state)
        yield from self._services(diagnosis.seen(state, facts))
        yield from self._memory(state)

    def _start(self, state: StackState) -> Iterator[Metric]:
        yield _gauge(
            "airfoil_stack_started_time_seconds", "When the stack was started (epoch).", state.started_at
        )
        if state.ready_at is not None:
            took = state.ready_at - state.started_at
            yield _gauge("airfoil_stack_start_seconds", "How long the start took until all was ready.", took)
        if "start_seconds" in state.budgets:
            limit = state.budgets["start_seconds"]
            yield _gauge("airfoil_stack_start_budget_seconds", "How long the start may take.", limit)

    def _services(self, services: tuple[ServiceState, ...]) -> Iterator[Metric]:
        up = GaugeMetricFamily("airfoil_service_up", "1 when ready (a job: done).", labels=["service"])
        restarts = CounterMetricFamily(
            "airfoil_service_restarts", "Restarts since the start.", labels=["service"]
        )
        seconds = GaugeMetricFamily(
            "airfoil_service_state_seconds", "Time in the present state.", labels=["service"]
        )
        states = StateSetMetricFamily("airfoil_service_state", "The present state.", labels=["service"])
        for service in services:
            up.add_metric([service.name], service.state in UP)
            restarts.add_metric([service.name], service.restarts)
            seconds.add_metric([service.name], max(0.0, self._facts.now - service.since))
            states.add_metric([service.name], {state: state == service.state for state in CONDITIONS})
        yield from (up, restarts, seconds, states)

    def _memory(self, state: StackState) -> Iterator[Metric]:
        used = GaugeMetricFamily(
            "airfoil_service_memory_bytes", "Proportional memory (PSS).", labels=["service"]
        )
        for name, mib in self._facts.memory_mib.items():
            if name != MANAGER:
                used.add_metric([name], mib * BYTES_PER_MIB)
        yield used
        budget = GaugeMetricFamily(
            "airfoil_service_memory_budget_bytes", "Memory it may use.", labels=["service"]
        )
        for service in state.services:
            if service.memory_budget_mib:
                budget.add_metric([service.name], service.memory_budget_mib * BYTES_PER_MIB)
        yield budget
        total = sum(self._facts.memory_mib.values()) * BYTES_PER_MIB
        yield _gauge("airfoil_stack_memory_bytes", "Memory of all processes, the manager included.", total)
        if "memory_mib" in state.budgets:
            limit = state.budgets["memory_mib"] * BYTES_PER_MIB
            yield _gauge("airfoil_stack_memory_budget_bytes", "Memory the stack may use.", limit)


def exposition(state: StackState | None, facts: Facts) -> bytes:
    """Give the metrics in Prometheus's text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StackCollector(state, facts))  # a collector is whatever has `collect`
    return generate_latest(registry)


def _gauge(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, documentation, value=value)
