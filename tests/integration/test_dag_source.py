"""DAG files from a private git repository: a new commit counts while Airflow runs, and no log shows the token."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time

import pytest
from tests.integration.airflow_home import CONNECTIONS
from tests.integration.git_repository import TOKEN, Repository, served

from airfoil.stack.deploy import dag_source

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("git") is None, reason="no git on this machine"),
]

PATIENCE_SECONDS = 90


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "git")


@pytest.fixture
def address(repository):
    with served(repository) as found:
        yield found


def test_a_new_commit_counts_without_a_restart(repository, address, migrated_airflow, tmp_path):
    first = repository.commit("first", "one")
    given = {
        "DAGS_GIT_URL": address,
        "DAGS_GIT_BRANCH": "main",
        "DAGS_GIT_FOLDER": "flows",
        "DAGS_GIT_SECONDS": "5",
        "DAGS_GIT_USER": "oauth2",
        "DAGS_GIT_TOKEN": TOKEN,
    }
    home = migrated_airflow.copied_to(tmp_path / "home")
    home.connections.write_text(json.dumps(CONNECTIONS | dag_source.connection(given)), encoding="utf-8")
    home.run_well()
    settings = {
        **dag_source.environment(given),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(tmp_path / "bundles"),
        "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
        "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "0",
    }
    log = tmp_path / "processor.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "airflow", "dag-processor"],
            env=home.environment | settings,
            stdout=said,
            stderr=said,
            cwd=home.folder,
        )

    def known():
        rows = home.rows(
            "select dag_id, description, bundle_name, bundle_version from dag where not is_stale"
        )
        return {str(row[0]): row[1:] for row in rows}

    def until(wanted):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while known() != wanted:
            assert process.poll() is None, log.read_text()[-5000:]
            assert time.monotonic() < deadline, (known(), log.read_text()[-5000:])
            time.sleep(0.1)

    try:
        until({"first": ("one", "dags-folder", first)})
        second = repository.commit("second", "two")
        until({"first": ("one", "dags-folder", second), "second": ("two", "dags-folder", second)})
    finally:
        process.terminate()
        process.wait(30)
    assert TOKEN not in log.read_text()
    kept = [
        path for path in (tmp_path / "bundles").rglob("*") if path.is_file() and path.stat().st_size < 1e6
    ]
    assert [path for path in kept if TOKEN.encode() in path.read_bytes()] == []
