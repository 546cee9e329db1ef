"""The place is kept in processes that have a database, and a task is none of them."""

from __future__ import annotations

import pytest

from airfoil.provider import move_cursor
from airfoil.provider.listeners.move_cursor import MoveCursorListener

pytestmark = pytest.mark.unit


class Job:
    """As a scheduler or a triggerer announces itself."""


class TaskRunnerMarker:
    """As a task does."""


@pytest.mark.parametrize(("component", "times"), [(Job(), 1), (TaskRunnerMarker(), 0)])
def test_it_installs_the_keeping_in_jobs_alone(monkeypatch, component, times):
    calls = []
    monkeypatch.setattr(move_cursor, "install", lambda: calls.append("installed"))
    MoveCursorListener().on_starting(component)
    assert len(calls) == times
