"""A server of April 2026, stored as dumps, becomes one of this release by `up`; a release before it is refused.

A server of its own, at full size. The jobs alone, without containers: tests/integration/test_server_upgrade.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import time
from pathlib import Path

import pytest
from tests.deploy import compose_server, engine, server_contents
from tests.older_server import words
from tests.sizes import full_only

pytestmark = [pytest.mark.deploy, pytest.mark.alone, pytest.mark.timeout(1800), full_only]

STORED = Path(words.__file__).parent
CHANGED = {
    "FERNET_KEY": words.FERNET_KEY,
    "_AIRFLOW_WWW_USER_USERNAME": words.ANNE[0],
    "_AIRFLOW_WWW_USER_PASSWORD": words.ANNE[1],
}


def load(server, database):
    """Let the role of a database run the statements of a dump, in PostgreSQL's own container."""
    (identity,) = server.compose("ps", "--quiet", "postgres").split()
    command = ("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-1", "-U", database, "-d", database)
    done = subprocess.run(
        [engine.docker_binary(), "exec", "-i", identity, *command],
        input=gzip.decompress((STORED / f"{database}.sql.gz").read_bytes()),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()


@pytest.fixture(scope="module")
def older(docker_engine, tmp_path_factory):
    """A server whose databases are of an older release, and its own release in .env again."""
    server = compose_server.made(tmp_path_factory.mktemp("older"), **CHANGED)
    release = server.variables["AIRFOIL_TAG"]
    try:
        compose_server.set_variables(server.folder, {"AIRFOIL_TAG": words.AIRFOIL})
        server.compose("up", "--exit-code-from", "postgres-init", "postgres-init")
        server.compose("up", "--detach", "--wait", "postgres")
        for database in words.DATABASES:
            load(server, database)
        compose_server.set_variables(server.folder, {"AIRFOIL_TAG": release})
        yield server
    finally:
        if os.environ.get("KEEP") != "1":
            server.compose("down", "--volumes", "--timeout", "10", check=False)


def test_up_dumps_migrates_and_lets_people_in_and_goes_back_by_the_dump_alone(older):
    with compose_server.running(older) as server:
        print(f"healthy, with all four databases migrated, after {server.started_seconds:.0f} s")
        place = f"/backups/before-{server.variables['AIRFOIL_TAG']}"
        shown = server.compose("exec", "-T", "maintenance", "ls", place).split()
        assert set(shown) == {"complete", *(f"{name}.dump" for name in words.DATABASES)}
        for name, password in (words.ANNE, words.BEN):
            with server.client() as client:
                answer = client.post("/auth/token", json={"username": name, "password": password})
                assert answer.status_code == 201, answer.text
                header = {"Authorization": f"Bearer {answer.json()['access_token']}"}
                runs = client.get(f"/api/v2/dags/{words.DAG}/dagRuns", headers=header).json()["dag_runs"]
            assert sorted(run["state"] for run in runs) == sorted(words.STATES)
        found = server_contents.tracked(server)
        assert words.EXPERIMENT in found["experiments"].values()
        assert f"{words.MODEL} 1" in found["versions"]
        views = server_contents.query(server, "feast", "select feature_view_name from feature_views")
        assert words.FEATURE_VIEW in views.split()
        refuse_older(server)
        go_back(server)


def refuse_older(server):
    """An older AIRFOIL_TAG ends at the first job, and nothing that runs is replaced."""
    release = server.variables["AIRFOIL_TAG"]
    compose_server.set_variables(server.folder, {"AIRFOIL_TAG": words.AIRFOIL})
    began = time.monotonic()
    try:
        refused = server.compose.run("run", "--rm", "-T", "postgres-init", check=False)
        assert refused.returncode != 0
        said = f"{refused.stdout}{refused.stderr}"
        assert f"the databases are of Airfoil {release}, and this is {words.AIRFOIL}" in said
    finally:
        compose_server.set_variables(server.folder, {"AIRFOIL_TAG": release})
    print(f"an older release was refused after {time.monotonic() - began:.0f} s")


def go_back(server):
    """The databases are those of the dump again, as docs/compose.md says it, and the older release is let in."""
    release = server.variables["AIRFOIL_TAG"]
    server.compose("stop", "--timeout", "10")
    server.compose("run", "--rm", "-T", "postgres-init", "back", f"before-{release}")
    compose_server.set_variables(server.folder, {"AIRFOIL_TAG": words.AIRFOIL})
    try:
        server.compose("up", "--no-build", "--exit-code-from", "postgres-init", "postgres-init")
        server.compose("up", "--detach", "--wait", "postgres")
        names = server_contents.query(server, "airflow", "select datname from pg_database").split()
        assert len([name for name in names if "_replaced_" in name]) == len(words.DATABASES)
    finally:
        compose_server.set_variables(server.folder, {"AIRFOIL_TAG": release})
