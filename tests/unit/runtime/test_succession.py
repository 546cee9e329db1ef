"""Taking over is a convenience: whatever is wrong with it, the scheduler starts. The real table: integration tests."""

from __future__ import annotations

import logging
import sys
from types import ModuleType

import pytest

from airfoil.runtime import succession

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("broken", ["airflow.jobs.job", "airflow.utils.net", "airflow.utils.session"])
def test_an_airflow_that_looks_different_changes_nothing(monkeypatch, caplog, broken):
    for name in ("airflow", "airflow.jobs", "airflow.utils"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    for name in ("airflow.jobs.job", "airflow.utils.net", "airflow.utils.session"):
        monkeypatch.setitem(sys.modules, name, None if name == broken else ModuleType(name))
    with caplog.at_level(logging.WARNING):
        assert succession.declare_predecessors_dead() == 0
    assert "their tasks wait for a time-out" in caplog.text
