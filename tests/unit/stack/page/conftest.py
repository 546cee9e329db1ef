"""Builders of stacks for the page's tests."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from airfoil.stack.page.facts import Facts
from airfoil.stack.state import ServiceState, StackState

NOW = 10_000.0


def make_service(name: str, title: str, /, **values: Any) -> ServiceState:
    filled: dict[str, Any] = {
        "kind": "service",
        "state": "ready",
        "since": NOW - 60,
        "pid": 7,
        "pid_started": 1.0,
    }
    return ServiceState(name, title, **(filled | values))


def make_stack(**values: Any) -> StackState:
    services = (
        make_service("setup", "Database and connections", kind="job", state="done"),
        make_service("preload", "Pre-loaded parent", kind="helper", memory_budget_mib=100),
        make_service("api-server", "Airflow", url="http://127.0.0.1:8080", memory_budget_mib=200),
        make_service("scheduler", "Scheduler", memory_budget_mib=180),
        make_service("mlflow", "MLflow", url="http://127.0.0.1:5000", version="3.17.2"),
        make_service("page", "Status page", url="http://127.0.0.1:8081"),
    )
    filled: dict[str, Any] = {
        "project": "/home/ann/shop",
        "stack_id": "abc",
        "engine": "preloaded",
        "phase": "ready",
        "started_at": NOW - 100,
        "ready_at": NOW - 90,
        "updated_at": NOW,
        "manager_pid": 3,
        "manager_started": 1.0,
        "budgets": {"memory_mib": 1024, "start_seconds": 60},
        "services": services,
    }
    return StackState(**(filled | values))


def change_services(stack: StackState, names: str, /, **values: Any) -> StackState:
    wanted = names.split()
    assert all(stack.service(name) for name in wanted)
    services = tuple(
        dataclasses.replace(row, **values) if row.name in wanted else row for row in stack.services
    )
    return dataclasses.replace(stack, services=services)


@pytest.fixture
def stack():
    """make(**values) gives a healthy stack with those values."""
    return make_stack


@pytest.fixture
def change():
    """change(stack, "name name", **values) changes services."""
    return change_services


@pytest.fixture
def facts():
    """make(**values) gives facts at the moment of the tests."""
    return lambda **values: Facts(**{"now": NOW, **values})
