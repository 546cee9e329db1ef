"""Databases that are half-migrated, garbage or away: said in one sentence, never touched, made anew when moved away."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from tests.sizes import full_only
from tests.system.faults import assert_gone, told
from tests.system.platforms import SERVICES, free_ports

pytestmark = pytest.mark.system


def garbage(path):
    path.write_bytes(bytes(range(256)) * 80)


def half_migrated(path):
    """Leave what a migration that was cut off leaves: tables, and no word of the schema they belong to."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("create table dag (dag_id varchar(250))")
        database.execute("insert into dag values ('mine')")
        database.commit()


def moved_away(path):
    path.rename(path.with_name(f"{path.name}.broken"))


@full_only
def test_airflow_database_half_migrated_then_garbage_then_moved_away(new_platform):
    path = new_platform.project.airflow_database
    new_platform.project.prepare()
    for spoil, what in ((half_migrated, "is half-migrated"), (garbage, "is not a usable SQLite database")):
        path.unlink(missing_ok=True)
        spoil(path)
        before = path.read_bytes()
        done = new_platform.run("up")
        said = told(done)
        assert said.sentence.startswith(f"Database and connections did not start: {path} {what}")
        assert "Move it away" in said.sentence
        assert said.evidence == []
        assert said.move == "See `airfoil logs setup`, mend it, then `airfoil up`."
        assert path.read_bytes() == before
        status = new_platform.run("status")
        assert status.code == 1
        assert what in status.out
        doctor = new_platform.run("doctor")
        assert doctor.code == 1
        assert f"mv '{path}' '{path}.broken'" in doctor.out
    moved_away(path)
    new_platform.up()
    for kind in ("variables", "connections"):  # a new database gets what the old one had been given
        found = new_platform.run("airflow", kind, "list", "--output", "plain")
        assert {"variables": "airfoil_project", "connections": "mlflow_default"}[kind] in found.out, (
            found.said
        )
    assert path.with_name(f"{path.name}.broken").read_bytes() == before
    assert_gone(new_platform)


def test_mlflow_database_garbage_then_on_a_server_that_is_away(new_platform):
    path = new_platform.project.mlflow_database
    new_platform.project.prepare()
    garbage(path)
    before = path.read_bytes()
    said = told(new_platform.run("up"))
    assert said.sentence.startswith(f"MLflow did not start: {path} is not a usable SQLite database")
    assert said.move == "See `airfoil logs mlflow`, mend it, then `airfoil up`."
    assert path.read_bytes() == before
    running = {row.name for row in new_platform.state().services if row.state == "ready"}
    assert running >= {*SERVICES} - {"mlflow"}

    (port,) = free_ports(1)
    new_platform.environment["AIRFOIL_MLFLOW_DATABASE"] = f"postgresql://ml:geheim123@127.0.0.1:{port}/runs"
    done = new_platform.run("up")
    said = told(done)
    shown = f"postgresql://ml:***@127.0.0.1:{port}/runs"
    assert said.sentence.startswith(
        f"MLflow did not start: gave up after 5 tries: MLflow's database {shown} cannot be used: "
    )
    assert said.sentence.endswith("Connection refused.")
    assert "geheim123" not in done.said + new_platform.last_words()
    assert new_platform.run("doctor").code == 1
    assert_gone(new_platform)


def test_airflow_database_on_a_server_that_is_away(new_platform):
    (port,) = free_ports(1)
    new_platform.configure({"airflow": {"database": f"postgresql://af:geheim123@127.0.0.1:{port}/meta"}})
    done = new_platform.run("up")
    said = told(done)
    shown = f"postgresql://af:***@127.0.0.1:{port}/meta"
    assert said.sentence.startswith(
        f"Database and connections did not start: Airflow's database {shown} cannot"
    )
    assert "geheim123" not in done.said + new_platform.last_words()
    assert_gone(new_platform)
