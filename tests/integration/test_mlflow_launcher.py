"""MLflow started directly, for real: on SQLite, PostgreSQL and S3, with and without login; and its fallback."""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.integration.servers import PATIENCE_SECONDS, Running, free_port, running, wait_until

from airfoil.runtime import EXIT_UNSUPPORTED
from airfoil.settings import Settings
from airfoil.settings.schema import MlflowSettings, StackSettings
from airfoil.stack import mlflow_login, secrets, services
from airfoil.stack.project import Project

pytestmark = pytest.mark.integration


@dataclass
class Server:
    """A running MLflow server."""

    url: str
    started: Running
    project: Project
    keys: secrets.Secrets

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return httpx.request(method, f"{self.url}{path}", trust_env=False, timeout=60, **options)

    def search(self, **options: Any) -> httpx.Response:
        return self.ask("POST", "/api/2.0/mlflow/experiments/search", json={"max_results": 10}, **options)

    def create(self, name: str, **options: Any) -> httpx.Response:
        """Make an experiment."""
        return self.ask("POST", "/api/2.0/mlflow/experiments/create", json={"name": name}, **options)

    def knows(self, name: str) -> bool:
        """Is there an experiment of that name?"""
        found = self.ask("GET", "/api/2.0/mlflow/experiments/get-by-name", params={"experiment_name": name})
        return found.status_code == 200

    def python(self, code: str, **environment: str) -> str:
        """Run a client; what it printed last."""
        env = (
            os.environ
            | {"MLFLOW_TRACKING_URI": self.url, "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}
            | environment
        )
        done = subprocess.run(
            [sys.executable, "-c", f"import mlflow\n{code}"],
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{done.stderr[-2000:]}\n{self.started.said()[-2000:]}"
        return done.stdout.strip().rpartition("\n")[2]


LOG_AND_READ = """
mlflow.set_experiment("e")
with mlflow.start_run() as run:
    mlflow.log_metric("m", 0.5)
    mlflow.log_text("größe", "folder/a file.txt")
found = mlflow.MlflowClient().get_run(run.info.run_id)
text = mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/folder/a file.txt")
print(found.data.metrics["m"], text, run.info.artifact_uri.partition(":")[0])
"""


@contextlib.contextmanager
def serve(
    root: Path,
    *,
    environment: dict[str, str] | None = None,
    ready: bool = True,
    plain: bool = False,
    **mlflow: Any,
) -> Iterator[Server]:
    """Start the server as the stack's own table says, alone."""
    project = Project(root)
    root.mkdir(exist_ok=True)
    project.prepare()
    keys = secrets.ensure(project)
    settings = Settings(
        mlflow=MlflowSettings(**mlflow), stack=StackSettings(engine="plain" if plain else "preloaded")
    )
    port = free_port()
    spec = services.specification(settings, project, keys, {"airflow": 1, "mlflow": port, "page": 2})
    row = spec.service("mlflow")
    mlflow_login.write(settings, project)
    given = {**row.env, "MLFLOW_DISABLE_TELEMETRY": "true", **(environment or {})}
    with running(root, given, *row.argv[2:]) as started:
        made = Server(f"http://127.0.0.1:{port}", started, project, keys)
        if ready:
            wait_until(lambda: healthy(made), started.process, started.log)
        yield made


def healthy(server: Server) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return server.ask("GET", "/health").status_code == 200
    return False


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server of a project without settings."""
    with serve(tmp_path_factory.mktemp("mlflow") / "Läden 100%") as made:
        yield made


# -- without settings


def test_runs_and_artifacts_are_kept_in_the_project(server):
    assert server.python(LOG_AND_READ) == "0.5 größe mlflow-artifacts"
    (kept,) = server.project.artifacts.rglob("a file.txt")
    assert kept.read_text() == "größe"
    assert server.project.mlflow_database.stat().st_mode & 0o777 == 0o600
    assert not list(server.project.mlflow_home.glob("*.new*"))
    assert not [
        path
        for path in server.project.root.iterdir()
        if path.name.startswith(("mlruns", "basic_auth", "mlflow.db"))
    ]


def test_it_is_one_process(server):
    import psutil

    assert psutil.Process(server.started.process.pid).children() == []


def test_the_page_for_people_is_there(server):
    found = server.ask("GET", "/")
    assert found.status_code == 200
    assert "<title>MLflow</title>" in found.text


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:5000", "127.0.0.1.evil.example", "169.254.169.254"]
)
def test_a_foreign_host_header_is_refused(server, host):
    """A page on a foreign name that resolves to this machine (DNS rebinding) must not read anything."""
    for method, path in (("GET", "/"), ("GET", "/ajax-api/2.0/mlflow/experiments/search?max_results=1")):
        assert server.ask(method, path, headers={"Host": host}).status_code == 403
    assert server.search(headers={"Host": host}).status_code == 403


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_our_own_names_are_let_in(server, name):
    port = server.url.rpartition(":")[2]
    headers = {"Host": f"{name}:{port}", "Origin": f"http://{name}:{port}"}
    assert server.search(headers=headers).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1.evil.example", "null"])
def test_a_foreign_page_cannot_write(server, origin):
    """A form on a foreign page would reach us with the right Host header and its own Origin."""
    name = f"from {origin}"
    assert server.create(name, headers={"Origin": origin}).status_code == 403
    assert not server.knows(name)
    assert server.create(f"not {name}").status_code == 200


def test_a_page_of_another_server_on_this_machine_may_not_read_answers(server):
    answer = server.ask("GET", "/health", headers={"Origin": "http://evil.example"})
    assert answer.headers.get("access-control-allow-origin") is None


def test_a_second_start_uses_the_same_database_and_stops_when_asked(tmp_path):
    root = tmp_path / "shop"
    with serve(root) as first:
        assert first.create("kept").status_code == 200
        first.started.process.send_signal(signal.SIGTERM)
        assert first.started.process.wait(10) in {0, -signal.SIGTERM}
    with serve(root) as second:
        assert second.knows("kept")


def test_a_first_start_that_is_killed_is_simply_begun_again(tmp_path):
    root = tmp_path / "shop"
    with serve(root, ready=False) as first:
        fresh = first.project.mlflow_database.with_name("mlflow.db.new")
        wait_until(
            lambda: fresh.exists() and fresh.stat().st_size > 50_000, first.started.process, first.started.log
        )
        first.started.process.kill()
        first.started.process.wait()
        assert not first.project.mlflow_database.exists()
    with serve(root) as second:
        assert second.search().status_code == 200
        assert not fresh.exists()


# -- with login


def test_with_login_nobody_gets_in_without_the_generated_password(tmp_path):
    with serve(tmp_path / "shop", auth=True) as server:
        assert server.search().status_code == 401
        for name, password in (
            ("admin", "password1234"),
            ("admin", "admin"),
            ("admin", ""),
            ("airfoil", "x"),
        ):
            assert server.search(auth=(name, password)).status_code == 401
        password = server.keys.mlflow_admin_password
        assert server.search(auth=("admin", password)).status_code == 200
        login = {"MLFLOW_TRACKING_USERNAME": "admin", "MLFLOW_TRACKING_PASSWORD": password}
        assert server.python(LOG_AND_READ, **login).startswith("0.5")
        assert password not in server.started.said()
        assert server.project.mlflow_home.joinpath("auth.db").exists()
        assert not list(server.project.root.glob("*.db")), "nothing is written beside the project's own files"
        headers = {
            "Authorization": "Basic " + base64.b64encode(f"admin:{password}".encode()).decode(),
            "Host": "evil.example",
        }
        assert server.search(headers=headers).status_code == 403


# -- falling back


@pytest.mark.parametrize("way", ["asked for", "another release"])
def test_it_leaves_an_unknown_mlflow_to_the_plain_command(tmp_path, way):
    fake = tmp_path / "fake"
    fake.mkdir()
    fake.joinpath("sitecustomize.py").write_text("import mlflow; mlflow.__version__ = '9.9.9'")
    environment = {
        "asked for": {"AIRFOIL_MLFLOW_LAUNCHER": "plain"},
        "another release": {"PYTHONPATH": f"{fake}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
    }
    with serve(tmp_path / "shop", environment=environment[way], ready=False) as server:
        assert server.started.process.wait(PATIENCE_SECONDS) == EXIT_UNSUPPORTED
        last = server.started.said().splitlines()[-1]
    assert last.startswith("mlflow launcher: ")
    assert ("MLflow 9.9.9 is not one" if way == "another release" else "was asked for") in last
    assert not server.project.mlflow_database.exists(), "nothing was touched"


@pytest.mark.parametrize("auth", [False, True])
def test_the_plain_command_serves_the_same_project_by_the_same_rules(tmp_path, auth):
    root = tmp_path / "shop"
    if auth:  # the administrator whom our launcher made is the one whom the plain command knows
        with serve(root, auth=auth) as direct:
            assert direct.search().status_code == 401
    with serve(root, plain=True, auth=auth) as server:
        login = {"auth": ("admin", server.keys.mlflow_admin_password)} if auth else {}
        assert server.search().status_code == (401 if auth else 200)
        assert server.search(**login).status_code == 200
        assert server.search(headers={"Host": "evil.example"}, **login).status_code == 403
        assert server.search(headers={"Origin": "http://evil.example"}, **login).status_code == 403


# -- on servers of the user


def test_on_postgres(postgres, tmp_path):
    url = postgres.new_database()
    with serve(tmp_path / "shop", database=url) as server:
        assert server.create("kept").status_code == 200
        assert postgres.execute("select name from experiments", url.rpartition("/")[2]) == [
            ("Default",),
            ("kept",),
        ]
        assert not server.project.mlflow_database.exists()
        assert postgres.password not in server.started.said()


def test_a_postgres_that_refuses_us_is_said_in_one_sentence(postgres, tmp_path):
    wrong = postgres.url("no_such_database")
    with serve(tmp_path / "shop", database=wrong, ready=False) as server:
        assert server.started.process.wait(PATIENCE_SECONDS) not in {0, EXIT_UNSUPPORTED}
        (sentence,) = [line for line in server.started.said().splitlines() if line.startswith("airfoil: ")]
    assert 'database "no_such_database" does not exist' in sentence
    assert postgres.password not in server.started.said()
    assert "p%40ss" not in server.started.said()


def test_artifacts_in_s3_go_through_the_server(object_store, tmp_path):
    """The client needs no key: it talks to MLflow, and MLflow to S3."""
    bucket = object_store.new_bucket()
    with serve(
        tmp_path / "shop", artifacts=f"s3://{bucket}/some prefix", environment=object_store.environment
    ) as server:
        assert server.python(LOG_AND_READ) == "0.5 größe mlflow-artifacts"
        (key,) = object_store.keys(bucket)
        assert key.startswith("some prefix/")
        assert key.endswith("/folder/a file.txt")
        assert object_store.client().get_object(Bucket=bucket, Key=key)["Body"].read() == "größe".encode()
        assert not list(server.project.artifacts.iterdir())
