"""The job postgres-init of a server on a real PostgreSQL: roles, databases, the dump before an upgrade, no way down."""

from __future__ import annotations

import os
import subprocess

import psycopg
import pytest
from tests.integration.database_job import DATABASES, PASSWORDS, DatabaseJob, as_role, refuse_without_client
from tests.integration.servers import run_postgres

pytestmark = pytest.mark.integration


@pytest.fixture
def server():
    """A server of its own: what is made here are its roles and databases by name."""
    refuse_without_client()
    yield from run_postgres()


@pytest.fixture
def job(server, tmp_path):
    """Run the job for a version of Airfoil, with the volume of backups in a folder."""
    return DatabaseJob(server, tmp_path / "backups")


def test_each_database_has_its_own_role_and_nobody_else_comes_in(job, server):
    done = job("1.0.0")
    assert done.returncode == 0, done.stderr
    for name, password in zip(DATABASES, PASSWORDS.values(), strict=False):
        with as_role(server, name, name, password) as connection:
            connection.execute("create table t (a int)")
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            as_role(server, "feast" if name == "airflow" else "airflow", name, _password(name))
    with as_role(server, "metrics", "postgres", PASSWORDS["METRICS_DATABASE_PASSWORD"]) as connection:
        assert connection.execute("select count(*) from pg_stat_activity where query is not null").fetchone()


def _password(other_than: str) -> str:
    role = "FEAST" if other_than == "airflow" else "AIRFLOW"
    return PASSWORDS[f"{role}_DATABASE_PASSWORD"]


def test_a_second_time_keeps_what_is_there_and_passwords_follow_the_file(job, server):
    job("1.0.0")
    with as_role(server, "mlflow", "mlflow", PASSWORDS["MLFLOW_DATABASE_PASSWORD"]) as connection:
        connection.execute("create table runs as select 7 as id")
    done = job("1.0.0", MLFLOW_DATABASE_PASSWORD="it's another")
    assert done.returncode == 0, done.stderr
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        as_role(server, "mlflow", "mlflow", PASSWORDS["MLFLOW_DATABASE_PASSWORD"])
    with as_role(server, "mlflow", "mlflow", "it's%20another") as connection:
        assert connection.execute("select id from runs").fetchone() == (7,)


def test_a_later_version_finds_the_state_of_the_one_before_dumped(job, server, tmp_path):
    job("1.9.0")
    with as_role(server, "airflow", "airflow", PASSWORDS["AIRFLOW_DATABASE_PASSWORD"]) as connection:
        connection.execute("create table dag as select 'as it was' as id")
    done = job("1.10.0")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "backups" / "before-1.10.0"
    assert (folder / "complete").read_text() == "1.9.0\n"
    assert {path.name for path in folder.glob("*.dump")} == {f"{name}.dump" for name in DATABASES}
    listed = subprocess.run(
        ["pg_restore", "--data-only", "--file=-", folder / "airflow.dump"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "as it was" in listed.stdout
    written = (folder / "airflow.dump").stat().st_mtime_ns
    assert job("1.10.0").returncode == 0
    assert (folder / "airflow.dump").stat().st_mtime_ns == written, "dumped once, not at every start"


def test_there_is_no_way_down(job, server):
    job("1.10.0")
    done = job("1.9.0")
    assert done.returncode == 78
    assert "the databases are of Airfoil 1.10.0, and this is 1.9.0" in done.stderr
    assert job("1.10.0").returncode == 0


def test_the_same_version_needs_no_dump(job, tmp_path):
    job("1.0.0")
    job("1.0.0")
    assert [path.name for path in (tmp_path / "backups").glob("before-*")] == []


def test_the_folder_of_backups_belongs_to_who_takes_them(job, tmp_path):
    volume = tmp_path / "backups"
    volume.mkdir(mode=0o755)
    assert job("1.0.0", BACKUP_PLACE=f"{volume}/nightly").returncode == 0
    found = (volume / "nightly").stat()
    assert (found.st_uid, found.st_mode & 0o777) == (os.getuid(), 0o700)
    assert [path.name for path in volume.iterdir()] == ["nightly"]
    assert job("1.0.0", BACKUP_PLACE="s3://bucket/prefix").returncode == 0
    assert [path.name for path in volume.iterdir()] == ["nightly"]


def test_no_secret_is_told(job):
    done = job("1.0.0")
    for password in PASSWORDS.values():
        assert password not in done.stdout + done.stderr
