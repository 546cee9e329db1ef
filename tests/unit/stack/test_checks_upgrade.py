"""Doctor on versions over time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airfoil.stack import snapshots, versions
from airfoil.stack.checks_upgrade import check_upgrade
from airfoil.stack.versions import Versions

pytestmark = pytest.mark.unit

HERE = Versions("0.1.0", "3.3.2", "3.17.2")


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    monkeypatch.setattr(versions, "installed", lambda: HERE)


def test_a_new_project(world):
    (finding,) = check_upgrade(world.case)
    assert (finding.level, finding.message) == ("ok", "No version has run this project yet.")


def test_the_versions_of_today(world):
    versions.remember(world.project, HERE)
    (finding,) = check_upgrade(world.case)
    assert "airfoil 0.1.0, airflow 3.3.2, mlflow 3.17.2" in finding.message


def test_an_upgrade_that_is_due(world):
    versions.remember(world.project, replace(HERE, airflow="3.3.1"))
    (finding,) = check_upgrade(world.case)
    assert finding.level == "ok"
    assert "airflow 3.3.1" in finding.message
    assert "copies the databases first" in finding.message


def test_newer_state_is_an_error_with_the_way_back(world):
    versions.remember(world.project, replace(HERE, mlflow="3.18.0"))
    (finding,) = check_upgrade(world.case)
    assert finding.level == "error"
    assert "MLflow 3.18.0" in finding.message
    assert "uv pip install" in finding.fix


def test_snapshots_and_what_the_last_one_lacks(world, monkeypatch):
    versions.remember(world.project, HERE)
    monkeypatch.setattr(snapshots, "dump_server", lambda *_: "`pg_dump` is not installed. Copy it yourself.")
    made = snapshots.make(
        world.project, {}, {"Airflow": "postgresql://a:pw@db/x"}, replace(HERE, airflow="3.3.1")
    )
    first, kept, lacks = check_upgrade(world.case)
    assert first.level == "ok"
    assert str(made.restore) in kept.message
    assert (lacks.level, lacks.fix) == ("warn", "`pg_dump` is not installed. Copy it yourself.")
    assert lacks.message == "Airflow's database postgresql://a:***@db/x is not in the snapshot."
