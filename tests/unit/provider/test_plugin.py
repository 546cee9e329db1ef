from __future__ import annotations

import subprocess
import sys

import pytest
from airflow.plugins_manager import AirflowPlugin

from airfoil.provider.plugin import AirfoilPlugin

pytestmark = pytest.mark.unit

HEAVY = {"fastapi", "feast", "mlflow", "numpy", "pandas", "sklearn"}


def test_it_is_a_plugin_with_a_name():
    assert issubclass(AirfoilPlugin, AirflowPlugin)
    assert AirfoilPlugin.name == "airfoil"


def test_loading_it_costs_a_task_nothing_beside_what_airflow_loads_anyway():
    code = (
        "import sys, airflow.sdk.execution_time.task_runner, airflow.plugins_manager\n"
        "before = set(sys.modules)\n"
        "import airfoil.provider.plugin, threading\n"
        "print('LOADED', threading.active_count(), *sorted(set(sys.modules) - before))"
    )
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], check=True, capture_output=True, text=True
    ).stdout
    threads, *loaded = said.rpartition("LOADED")[2].split()
    assert threads == "1"
    assert {name.partition(".")[0] for name in loaded} & HEAVY == set()
    assert len(loaded) < 15, loaded
