"""Upgrades of real databases: MLflow's schema with a kill in the middle, snapshots of PostgreSQL, and the way back."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from airfoil.settings import Settings
from airfoil.settings.schema import AirflowSettings, MlflowSettings
from airfoil.stack import snapshots, upgrade, versions
from airfoil.stack.project import Project
from airfoil.stack.versions import Versions

pytestmark = pytest.mark.integration

CONFIGURATION = 78
OLD = Versions("0.0.9", "3.3.1", "3.17.1")
BUILD_OLD = """
import sys
from alembic import command
from mlflow.store.db import utils
engine = utils.create_sqlalchemy_engine(sys.argv[1])
utils.InitialBase.metadata.create_all(engine)
config = utils._get_alembic_config(sys.argv[1])
with engine.begin() as connection:
    config.attributes["connection"] = connection
    command.upgrade(config, sys.argv[2])
engine.dispose()
"""
ADD_EXPERIMENT = (
    "insert into experiments (experiment_id, name, artifact_location, lifecycle_stage) "
    "values (77, 'mine', 'mlflow-artifacts:/77', 'active')"
)


def python(*words: str) -> None:
    done = subprocess.run([sys.executable, "-c", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def older_revision() -> str:
    """A schema from well before the newest, as an MLflow of two years ago left it."""
    from alembic.script import ScriptDirectory
    from mlflow.store import db_migrations

    scripts = ScriptDirectory(str(Path(next(iter(db_migrations.__path__)))))
    return [script.revision for script in scripts.walk_revisions()][20]


@pytest.fixture
def database(tmp_path) -> Path:
    """A database of an older MLflow, with an experiment in it."""
    path = tmp_path / "Läden 100%" / "mlflow.db"
    path.parent.mkdir()
    python(BUILD_OLD, f"sqlite:///{path}", older_revision())
    with closing(sqlite3.connect(path)) as made, made:
        made.execute(ADD_EXPERIMENT)
    return path


def start(database: Path, url: str = "") -> subprocess.Popen[str]:
    """Make the database ready, and become `mlflow --version` instead of a server."""
    words = ["--applied", str(database.with_name("applied.json")), "--version"]
    environment = os.environ | {"MLFLOW_BACKEND_STORE_URI": url or f"sqlite:///{database}"}
    return subprocess.Popen(
        [sys.executable, "-m", "airfoil.runtime.mlflow_database", *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(database: Path, url: str = "") -> tuple[int, str]:
    process = start(database, url)
    said, _ = process.communicate(timeout=120)
    return process.returncode, said


def experiments(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as opened:
        return [name for (name,) in opened.execute("select name from experiments order by name")]


def revision(database: Path) -> str:
    return versions.revision_of(database)


def test_an_older_mlflow_database_is_upgraded_even_if_the_first_try_is_killed(database):
    before = revision(database)
    (newest,) = versions.schema_of("mlflow").heads
    assert before != newest
    process = start(database)
    fresh = database.with_name("mlflow.db.new")
    while not (fresh.exists() and revision(fresh) not in {"", before}):  # in the middle of the migrations
        assert process.poll() is None, process.stdout and process.stdout.read()
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert (revision(database), experiments(database)) == (before, ["mine"])
    code, said = run(database)
    assert code == 0, said
    assert "upgrading MLflow's database" in said
    assert "mlflow, version" in said, "and then it is MLflow's own command"
    assert (revision(database), experiments(database)) == (newest, ["mine"])
    assert not list(database.parent.glob("mlflow.db.new*"))
    _, again = run(database)
    assert "upgrading" not in again


def test_a_newer_mlflow_database_is_refused_and_left_alone(database):
    with closing(sqlite3.connect(database)) as made, made:
        made.execute("update alembic_version set version_num = 'fedcba987654'")
    before = database.read_bytes()
    code, said = run(database)
    assert code == CONFIGURATION
    (sentence,) = [line for line in said.splitlines() if line.startswith("airfoil: ")]
    assert "is at schema revision fedcba987654, which MLflow" in sentence
    assert database.read_bytes() == before


def test_an_older_mlflow_database_on_postgres_is_upgraded(postgres, tmp_path):
    url = postgres.new_database()
    name = url.rpartition("/")[2]
    python(BUILD_OLD, url, older_revision())
    postgres.execute(ADD_EXPERIMENT, name)
    code, said = run(tmp_path / "mlflow.db", url)
    assert code == 0, said
    assert postgres.password not in said
    assert postgres.execute("select version_num from alembic_version", name) == [
        (next(iter(versions.schema_of("mlflow").heads)),)
    ]
    assert postgres.execute("select name from experiments", name) == [("mine",)]
    postgres.execute("update alembic_version set version_num = 'fedcba987654'", name)
    (tmp_path / "applied.json").unlink()
    code, said = run(tmp_path / "mlflow.db", url)
    assert code == CONFIGURATION
    assert "does not know" in said
    assert "p%40ss" not in said


def test_a_server_that_is_down_is_said_at_once(tmp_path):
    began = time.monotonic()
    code, said = run(tmp_path / "mlflow.db", "postgresql://mlflow:s3cret-pw@127.0.0.1:1/mlflow")
    assert code == 75, said
    assert "s3cret-pw" not in said
    assert time.monotonic() - began < 30, "MLflow alone takes minutes"


# -- snapshots


def new_project(root: Path) -> Project:
    root.mkdir()
    project = Project(root)
    project.prepare()
    return project


def test_a_snapshot_of_postgres_can_be_put_back(postgres, tmp_path):
    if not any(Path(folder, "pg_dump").exists() for folder in os.get_exec_path()):
        pytest.skip("no pg_dump on this machine (`apt-get install postgresql-client`)")
    url = postgres.new_database()
    name = url.rpartition("/")[2]
    postgres.execute("create table dag (id text)", name)
    postgres.execute("insert into dag values ('mine')", name)
    project = new_project(tmp_path / "Läden 100%")
    versions.remember(project, OLD)
    settings = Settings(airflow=AirflowSettings(database=url))
    made = upgrade.snapshot_if_due(project, settings)
    assert made is not None
    assert made.left_out == ()
    postgres.execute("drop table dag", name)
    shown = subprocess.run(["sh", str(made.restore)], capture_output=True, text=True, check=True).stdout
    assert (
        f"pg_restore --clean --if-exists --dbname=postgresql://airfoil@127.0.0.1:{postgres.port}/{name}"
        in shown
    )
    for secret in (postgres.password, "p%40ss"):
        assert secret not in shown + made.restore.read_text()
    command = shown.partition("Not done, it is on a server: ")[2].strip().splitlines()[0]
    put_back = f"{command.rpartition(' /')[0]} '{made.folder / 'airflow.pgdump'}'"
    subprocess.run(["sh", "-c", put_back], env=os.environ | {"PGPASSWORD": postgres.password}, check=True)
    assert postgres.execute("select id from dag", name) == [("mine",)]


def test_a_server_that_is_down_leaves_a_word_and_a_snapshot_of_the_rest(tmp_path):
    project = new_project(tmp_path / "shop")
    versions.remember(project, OLD)
    with closing(sqlite3.connect(project.airflow_database)) as made, made:
        made.execute("create table alembic_version as select 'abc' as version_num")
    settings = Settings(mlflow=MlflowSettings(database="postgresql://m:s3cret-pw@127.0.0.1:1/m"))
    snapshot = upgrade.snapshot_if_due(project, settings)
    assert snapshot is not None
    ((what, why),) = snapshot.left_out
    assert what == "MLflow's database postgresql://m:***@127.0.0.1:1/m is not in the snapshot."
    assert "Make a copy" in why
    assert (snapshot.folder / "airflow.db").exists()
    assert snapshots.found_in(project) == [snapshot]
