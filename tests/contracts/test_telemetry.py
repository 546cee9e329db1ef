"""Nobody is told that somebody uses this: the switches of every tool stand in the environment of every process."""

from __future__ import annotations

from pathlib import Path

import pytest

from airfoil.settings import Settings
from airfoil.settings.schema import AirflowSettings, MlflowSettings, StackSettings
from airfoil.stack import secrets, servers, services, work_environment
from airfoil.stack.project import Project

pytestmark = pytest.mark.contracts

SWITCHES = {
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",  # Airflow, by Scarf
    "SCARF_ANALYTICS": "false",  # Scarf, wherever it is
    "SCARF_NO_ANALYTICS": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "FEAST_USAGE": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",  # libraries of models
    "RAY_USAGE_STATS_ENABLED": "0",
    "DO_NOT_TRACK": "1",  # https://consoledonottrack.com, read by MLflow too
}
KEYS = secrets.Secrets(**dict.fromkeys(secrets.Secrets.__dataclass_fields__, "x" * 44))
PORTS = {"airflow": 1, "mlflow": 2, "page": 3}
PROJECT = Project(Path("/home/me/shop"))
FOREIGN = {name: servers.Server(name, f"http://{name}.example") for name in servers.NAMES}


def specification(engine, **given):
    foreign = {name: FOREIGN[name] for name in given.pop("foreign", ())}
    return services.specification(
        Settings(stack=StackSettings(engine=engine), **given), PROJECT, KEYS, PORTS, foreign
    )


@pytest.mark.parametrize("engine", ["preloaded", "plain"])
def test_every_process_is_told_to_tell_nobody(engine):
    table = specification(engine)
    for row in table.services:
        environment = {**table.environment, **row.env}
        assert {name: environment.get(name) for name in SWITCHES} == SWITCHES, row.name


@pytest.mark.parametrize("name", ["airflow", "mlflow"])
def test_also_beside_servers_that_are_not_ours(name):
    given = {
        "airflow": {"airflow": AirflowSettings(url="http://airflow.example")},
        "mlflow": {"mlflow": MlflowSettings(url="http://mlflow.example")},
    }[name]
    table = specification("preloaded", foreign=(name,), **given)
    wanted = {
        key: value for key, value in SWITCHES.items() if name != "airflow" or not key.startswith("AIRFLOW__")
    }
    assert {key: table.environment.get(key) for key in wanted} == wanted


def test_the_tools_are_told_too_when_called_by_hand():
    found = work_environment.environment(Settings(), PROJECT, KEYS, PORTS, {}, "plain")
    assert {name: found.get(name) for name in SWITCHES} == SWITCHES
