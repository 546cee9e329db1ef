"""The script that puts a snapshot back: what a shell makes of it."""

from __future__ import annotations

import subprocess

import pytest

from airfoil.stack import restore_script

pytestmark = pytest.mark.unit


@pytest.fixture
def state(tmp_path):
    made = tmp_path / "it's a $HOME; ü" / ".airfoil"
    for folder in ("airflow", "mlflow", "run", "snapshots/one"):
        (made / folder).mkdir(parents=True)
    snapshot = made / "snapshots" / "one"
    (snapshot / "airflow.db").write_text("old airflow")
    (snapshot / "other.db").write_text("old other")
    (snapshot / "secrets.json").write_text("old secrets")
    (snapshot / "versions.json").write_text("old versions")
    (made / "airflow" / "airflow.db").write_text("new airflow")
    (made / "airflow" / "airflow.db-wal").write_text("new log")
    (made / "airflow" / "applied.json").write_text("{}")
    (made / "versions.json").write_text("new versions")
    return made


def run(state, dumps=None):
    outside = state.parents[1] / "else where" / "other.db"
    outside.parent.mkdir(exist_ok=True)
    outside.write_text("new other")
    snapshot = state / "snapshots" / "one"
    files = {"airflow.db": state / "airflow" / "airflow.db", "other.db": outside}
    (snapshot / restore_script.NAME).write_text(restore_script.text(state, files, dumps or {}))
    done = subprocess.run(
        ["sh", str(snapshot / restore_script.NAME)], cwd="/", capture_output=True, text=True, check=False
    )
    return done, outside


def test_the_old_comes_back_and_the_new_is_moved_aside(state):
    done, outside = run(state)
    assert done.returncode == 0, done.stderr
    home = state / "airflow"
    assert (home / "airflow.db").read_text() == "old airflow"
    assert outside.read_text() == "old other"
    assert not (home / "airflow.db-wal").exists(), "a log of the new would be played into the old"
    assert not (home / "applied.json").exists()
    aside = sorted(path.read_text() for path in home.glob("airflow.db.replaced-*"))
    assert aside == ["new airflow", "new log"]
    assert (state / "versions.json").read_text() == "old versions"
    assert (state / "secrets.json").read_text() == "old secrets", "only because there were none"
    assert str(home / "airflow.db") in done.stdout


def test_secrets_that_are_there_stay(state):
    (state / "secrets.json").write_text("of today")
    assert run(state)[0].returncode == 0
    assert (state / "secrets.json").read_text() == "of today"


def test_a_database_on_a_server_is_left_to_a_person(state):
    done, _ = run(state, {"airflow.pgdump": "postgresql://airflow@db/name"})
    assert done.returncode == 0
    assert "pg_restore --clean --if-exists --dbname=postgresql://airflow@db/name" in done.stdout
    assert "airflow.pgdump" in done.stdout


def test_while_the_platform_runs_it_refuses(state):
    with subprocess.Popen(["sleep", "60"]) as manager:
        report = state / "run" / "state.json"
        report.write_text(f'{{\n "phase": "ready",\n "manager_pid": {manager.pid},\n "x": 1\n}}')
        try:
            done, _ = run(state)
            assert done.returncode == 1
            assert "airfoil down" in done.stderr
            assert (state / "airflow" / "airflow.db").read_text() == "new airflow"
            report.write_text(f'{{\n "phase": "stopped",\n "manager_pid": {manager.pid}\n}}')
            assert run(state)[0].returncode == 0
        finally:
            manager.kill()


def test_after_a_crash_it_works(state):
    (state / "run" / "state.json").write_text('{\n "phase": "ready",\n "manager_pid": 4194305\n}')
    assert run(state)[0].returncode == 0
