"""A server of April 2026, stored as dumps, and the jobs of this release: dumped, migrated, and no way down.

What a new AIRFOIL_TAG does to a server, part after part on a real PostgreSQL, without containers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.integration.database_job import DATABASES, DatabaseJob, refuse_without_client
from tests.integration.servers import free_port, run_postgres, serving
from tests.older_server import words
from tests.sizes import full_only

import airfoil
from airfoil.stack import versions

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

STORED = Path(words.__file__).parent
# The jobs of a container, which keep what they remember in a folder of ours.
AIRFLOW_INIT = """
import sys
from pathlib import Path
from airfoil.runtime.container import airflow_setup as job
job.MEMORY = Path(sys.argv.pop(1))
job.main()
"""
MLFLOW = """
import sys
from pathlib import Path
from airfoil.runtime.container import mlflow as job
job.FOLDER = Path(sys.argv.pop(1))
job.main()
"""
FEAST = """
import json, sys
from pathlib import Path
from feast import Entity, ValueType
from airfoil.clients.feature_store.repository import open_repository
store = open_repository(Path(sys.argv[1]))
found = {one.name: [field.name for field in one.schema] for one in store.list_feature_views()}
store.apply([Entity(name="shop", join_keys=["shop_id"], value_type=ValueType.INT64)])
print(json.dumps([found, sorted(one.name for one in open_repository(Path(sys.argv[1])).list_entities())]))
"""
FEATURE_STORE = """project: shop
provider: local
registry: {{registry_type: sql, path: "{url}"}}
online_store: {{type: sqlite, path: online.db}}
entity_key_serialization_version: 3
"""


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """An older server's databases on a PostgreSQL, and the job that runs at every start."""
    refuse_without_client()
    for server in run_postgres():
        job = DatabaseJob(server, tmp_path_factory.mktemp("volume") / "backups")
        assert job(words.AIRFOIL).returncode == 0
        for database in DATABASES:
            job.load(database, STORED / f"{database}.sql.gz")
        yield job


@pytest.fixture(scope="module")
def dumped(job):
    """The job of this release has run."""
    done = job(airfoil.__version__)
    assert done.returncode == 0, done.stderr
    return job.folder / f"before-{airfoil.__version__}"


def variables_of(job, home):
    """What a container of Airflow has."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "MLFLOW"))}
    return plain | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__AUTH_MANAGER": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__FERNET_KEY": words.FERNET_KEY,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": job.url("airflow", "+psycopg2"),
        "AIRFLOW__API__SECRET_KEY": "for-this-test-alone-and-long-enough",
        "AIRFLOW__API_AUTH__JWT_SECRET": "for-this-test-alone-and-long-enough-as-well-" * 2,
        "_AIRFLOW_WWW_USER_USERNAME": words.ANNE[0],
        "_AIRFLOW_WWW_USER_PASSWORD": "another-than-the-one-of-april",
    }


@pytest.fixture(scope="module")
def airflow(job, dumped, tmp_path_factory):
    """The job airflow-init has run; the environment of Airflow's servers."""
    home = tmp_path_factory.mktemp("airflow")
    (home / "setup.json").write_text(json.dumps({"connections": {}, "variables": {}, "pools": {}}))
    variables = variables_of(job, home)
    argv = [sys.executable, "-c", AIRFLOW_INIT, str(home / "memory"), str(home / "setup.json")]
    done = subprocess.run(argv, env=variables, cwd=home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-5000:]
    return variables, done.stdout


def revision(job, database, table="alembic_version"):
    ((found,),) = job.server.execute(f"select version_num from {table}", database)  # noqa: S608 - our names
    return found


def test_what_was_there_is_dumped_before_anything_is_migrated(job, dumped):
    assert (dumped / "complete").read_text() == f"{words.AIRFOIL}\n"
    for database, row in {
        "airflow": words.DAG,
        "mlflow": words.EXPERIMENT,
        "mlflow_auth": words.MACHINE[0],
        "feast": words.FEATURE_VIEW,
    }.items():
        said = subprocess.run(
            ["pg_restore", "--data-only", "--file=-", dumped / f"{database}.dump"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert row in said.stdout, database


def test_airflow_and_its_logins_are_brought_to_this_release(job, airflow):
    _, said = airflow
    assert {revision(job, "airflow")} == versions.schema_of("airflow").heads
    assert "administrator anne: there already" in said, "and keeps the password of before"
    assert revision(job, "airflow", "alembic_version_fab")


@full_only
def test_people_log_in_and_find_their_runs_and_connections(airflow, tmp_path):
    variables, _ = airflow
    address = f"http://127.0.0.1:{(port := free_port())}"
    argv = [sys.executable, "-m", "airfoil.runtime.component", "api-server", "--host", "127.0.0.1"]
    with (
        serving(
            [*argv, "--port", str(port)],
            folder=tmp_path,
            environment=variables,
            log=tmp_path / "api-server.log",
            health=f"{address}/api/v2/version",
        ),
        httpx.Client(base_url=address, trust_env=False, timeout=60) as client,
    ):
        wrong = client.post("/auth/token", json={"username": "anne", "password": "never-was-this-one"})
        assert wrong.status_code == 401
        headers = {}
        for name, password in (words.ANNE, words.BEN):
            answer = client.post("/auth/token", json={"username": name, "password": password})
            assert answer.status_code == 201, answer.text
            headers[name] = {"Authorization": f"Bearer {answer.json()['access_token']}"}
            runs = client.get(f"/api/v2/dags/{words.DAG}/dagRuns", headers=headers[name]).json()["dag_runs"]
            assert sorted(run["state"] for run in runs) == sorted(words.STATES)
            path = f"/api/v2/dags/{words.DAG}/dagRuns/~/taskInstances"
            tasks = client.get(path, headers=headers[name]).json()["task_instances"]
            assert sorted(task["state"] for task in tasks) == sorted(words.STATES)
        refused = client.get("/api/v2/connections", headers=headers[words.BEN[0]])
        assert refused.status_code == 403, "a viewer is a viewer still"
        kept = client.get(f"/api/v2/variables/{words.VARIABLE[0]}", headers=headers[words.ANNE[0]]).json()
        assert kept["value"] == words.VARIABLE[1], "opened with the key of before"
        shop = client.get(f"/api/v2/connections/{words.CONNECTION[0]}", headers=headers[words.ANNE[0]])
        assert shop.json()["login"] == "shop"


def test_mlflow_and_its_logins_are_brought_to_this_release(job, dumped, tmp_path):
    assert revision(job, "mlflow") not in versions.schema_of("mlflow").heads
    address = f"http://127.0.0.1:{(port := free_port())}"
    variables = {
        "MLFLOW_BACKEND_STORE_URI": job.url("mlflow", "+psycopg"),
        "AIRFOIL_MLFLOW_AUTH_DATABASE_URL": job.url("mlflow_auth", "+psycopg"),
        "MLFLOW_ARTIFACTS_DESTINATION": str(tmp_path / "files"),
        "MLFLOW_AUTH_ADMIN_USERNAME": words.ADMIN[0],
        "MLFLOW_AUTH_ADMIN_PASSWORD": words.ADMIN[1],
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "for-this-test-alone-and-long-enough",
        "AIRFOIL_MLFLOW_ACCOUNTS": json.dumps(dict([words.MACHINE])),
        "MLFLOW_HOST": "127.0.0.1",
        "MLFLOW_PORT": str(port),
    }
    log = tmp_path / "mlflow.log"
    with (
        serving(
            [sys.executable, "-c", MLFLOW, str(tmp_path / "mlflow")],
            folder=tmp_path,
            environment=os.environ | variables,
            log=log,
            health=f"{address}/health",
        ),
        httpx.Client(base_url=f"{address}/api/2.0/mlflow", trust_env=False, timeout=60) as client,
    ):
        assert client.post("/experiments/search", json={"max_results": 9}).status_code == 401
        for login in (words.MACHINE, words.ADMIN):
            found = client.post("/experiments/search", json={"max_results": 9}, auth=login).json()
            ids = {one["name"]: one["experiment_id"] for one in found["experiments"]}
            asked = {"experiment_ids": [ids[words.EXPERIMENT]]}
            (run,) = client.post("/runs/search", json=asked, auth=login).json()["runs"]
            assert [(one["key"], one["value"]) for one in run["data"]["params"]] == [words.PARAM]
            assert [(one["key"], one["value"]) for one in run["data"]["metrics"]] == [words.METRIC]
            asked = {"name": words.MODEL, "alias": "champion"}
            champion = client.get("/registered-models/alias", params=asked, auth=login).json()
            assert champion["model_version"]["run_id"] == run["info"]["run_id"]
    assert "upgrading MLflow's database from schema revision" in log.read_text()
    assert {revision(job, "mlflow")} == versions.schema_of("mlflow").heads


def test_feasts_registry_is_read_and_written_by_this_release(job, dumped, tmp_path):
    (tmp_path / "feature_store.yaml").write_text(FEATURE_STORE.format(url=job.url("feast", "+psycopg")))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FEAST, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    views, entities = json.loads(done.stdout.splitlines()[-1])
    assert "orders" in views[words.FEATURE_VIEW]
    assert {"customer", "shop"} <= set(entities)


def test_the_older_release_is_refused_and_this_one_dumps_no_second_time(job, dumped, airflow):
    written = (dumped / "airflow.dump").stat().st_mtime_ns
    done = job(words.AIRFOIL)
    assert done.returncode == 78
    said = f"the databases are of Airfoil {airfoil.__version__}, and this is {words.AIRFOIL}: there is no way down"
    assert said in done.stderr
    assert job(airfoil.__version__).returncode == 0
    assert (dumped / "airflow.dump").stat().st_mtime_ns == written
    assert {revision(job, "airflow")} == versions.schema_of("airflow").heads, "and nothing was taken back"
