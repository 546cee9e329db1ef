"""A feature store that remembers what it was asked, behind the hook of tasks."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace

import pytest

from airfoil.clients.feature_store.window import Written
from airfoil.errors import NotFoundError
from airfoil.provider.hooks.feast import FeastHook

NOON = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)


class FakeFeatures:
    """Two views; `parallel` is how many were asked to go side by side."""

    def __init__(self) -> None:
        self.folder = Path("features")
        self.feast = SimpleNamespace()
        self.windows: list[tuple] = []
        self.parallel = 0
        self.error: Exception | None = None

    def views(self):
        return ["spending", "visits"]

    def require_parallel(self, views):
        self.parallel = views

    def materialize(self, start, end, views):
        if self.error:
            raise self.error
        (view,) = views
        if view not in self.views():
            raise NotFoundError(
                f"There is no feature view '{view}' in features", "There are: spending, visits."
            )
        self.windows.append((view, start, end))
        return [Written(view, 10, 7, 0.1)]

    def materialize_in_order(self, view, spans):
        self.windows += [(view, *span) for span in spans]
        return [Written(view, 10, 1, 0.1) for _ in spans]


@pytest.fixture
def features(monkeypatch):
    store = FakeFeatures()
    monkeypatch.setattr(FeastHook, "get_conn", lambda _: store)
    monkeypatch.setattr(FeastHook, "apply", lambda _: "Applying changes for project shop")
    return store


class Events(dict):
    """As Airflow gives them to a task: whatever is asked for is there."""

    def __missing__(self, key):
        self[key] = SimpleNamespace(extra={}, added=[])
        self[key].add = lambda asset, extra: self[key].added.append((asset.uri, extra))
        return self[key]


@pytest.fixture
def execute(make_context):
    """Execute an operator as the run of NOON would; what it needs of a context is there."""

    def run(operator, **fields):
        context = make_context(task_id=operator.task_id, **fields)
        context |= {"task": operator, "outlet_events": Events(), "dag_run": SimpleNamespace(run_after=NOON)}
        run.context = context
        return operator.execute(context)

    return run
