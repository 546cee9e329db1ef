"""What all tests share: an environment in which nothing of the person at the keyboard shows through.

Runs before anything imports Airflow, which reads its environment once and writes into its home.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from tests.sizes import FULL

REPOSITORY = Path(__file__).parents[1]

for name in [
    name
    for name in os.environ
    if name.startswith(("AIRFOIL_", "AIRFLOW_", "MLFLOW_", "FEAST_")) or name == "PYTHONPATH"
]:
    del os.environ[name]
_airflow_home = tempfile.mkdtemp(prefix="airfoil-tests-airflow-")
os.environ["AIRFLOW_HOME"] = _airflow_home
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["DO_NOT_TRACK"] = "true"


# Airflow's tasks ask for the thread's event loop; a thread that never had one gets one that nobody closes.
asyncio.set_event_loop(None)

settings.register_profile(
    "airfoil",
    deadline=None,  # a busy machine is no counter-example
    database=None,
    max_examples=100 if FULL else 30,
)
settings.load_profile("airfoil")


def pytest_sessionfinish() -> None:
    """Leave nothing in /tmp."""
    shutil.rmtree(_airflow_home, ignore_errors=True)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY
