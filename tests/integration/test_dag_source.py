"""DAG files from a private git repository: a new commit counts while Airflow runs, and no log shows the token."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.integration.airflow_home import CONNECTIONS

from airfoil.stack.deploy import dag_source

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("git") is None, reason="no git on this machine"),
]

TOKEN = "read-only-4711"
PATIENCE_SECONDS = 90
DAG = """from airflow.sdk import dag, task

@dag(schedule=None, description="{description}")
def {name}():
    @task
    def work(): ...
    work()

{name}()
"""


class Private(SimpleHTTPRequestHandler):
    """A repository that is read with a token."""

    def do_GET(self):
        wanted = "Basic " + base64.b64encode(f"oauth2:{TOKEN}".encode()).decode()
        if self.headers.get("Authorization") != wanted:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        super().do_GET()

    def log_message(self, *_given):
        """Be silent."""


class Repository:
    """A working copy, and the bare repository that is served."""

    def __init__(self, folder):
        self.work, self.bare = folder / "work", folder / "flows.git"
        (self.work / "flows").mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch", "main")
        self.git("init", "--quiet", "--bare", str(self.bare))

    def git(self, *words):
        who = ("-c", "user.name=T", "-c", "user.email=t@example.com")
        return subprocess.run(
            ["git", *who, *words], cwd=self.work, check=True, capture_output=True, text=True
        ).stdout.strip()

    def commit(self, name, description):
        text = DAG.format(name=name, description=description)
        (self.work / "flows" / f"{name}.py").write_text(text, encoding="utf-8")
        self.git("add", "-A")
        self.git("commit", "--quiet", "-m", description)
        self.git("push", "--quiet", str(self.bare), "main")
        subprocess.run(["git", "update-server-info"], cwd=self.bare, check=True)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "git")


@pytest.fixture
def address(repository):
    handler = partial(Private, directory=str(repository.bare.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/flows.git"
        server.shutdown()


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
