"""An MLflow with a login and an Airflow that existed before, each in turn: none of ours runs, the rest works."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import psutil
import pytest
from tests.integration.external_mlflow import PASSWORD, USERNAME, ExternalMlflow, run_external_mlflow
from tests.sizes import full_only
from tests.system.platforms import Platform, fetch, free_ports, lent

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExternalMlflow]:
    """Run an MLflow that is not ours."""
    yield from run_external_mlflow(tmp_path_factory.mktemp("external"))


def commands(platform: Platform) -> str:
    """Everything its processes were started with."""
    found = []
    for pid in platform.processes():
        try:
            found.append(" ".join(psutil.Process(pid).cmdline()))
        except psutil.Error:
            continue
    return "\n".join(found)


def status(platform: Platform) -> dict[str, object]:
    """What `airfoil status --json` says."""
    return json.loads(platform.run("status", "--json").out)


# -- an MLflow that existed before


@pytest.fixture(scope="module")
def beside_mlflow(mlflow: ExternalMlflow, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Run a platform that uses it; the login was given as a person gives it, from a variable."""
    airflow, page = free_ports(2)
    given = {
        "airflow": {"port": airflow},
        "page": {"port": page},
        "mlflow": {"url": mlflow.url, "username": USERNAME},
    }
    for platform in lent(
        Platform.make(tmp_path_factory.mktemp("system"), given, template="training", ports=False)
    ):
        named = {**platform.environment, "THEIR_PASSWORD": PASSWORD}
        kept = platform.run(
            "connections", "set", "mlflow_default", "--from-env", "THEIR_PASSWORD", environment=named
        )
        assert kept.code == 0, kept.said
        assert "lets you in" in kept.out
        platform.up()
        yield platform


def test_no_mlflow_of_ours_runs(beside_mlflow: Platform) -> None:
    assert "mlflow" not in {row.name for row in beside_mlflow.state().services}
    assert "mlflow_server" not in commands(beside_mlflow)
    assert "mlflow server" not in commands(beside_mlflow)
    assert not beside_mlflow.project.mlflow_database.exists()


def test_a_run_is_tracked_there_and_linked(beside_mlflow: Platform, mlflow: ExternalMlflow) -> None:
    dag = "example_dag" if (beside_mlflow.project.dags / "example_dag.py").exists() else "first_dag"
    done = beside_mlflow.run("run", dag, "--json")
    assert done.code == 0, done.said
    link = json.loads(done.out)["mlflow_url"]
    assert link.startswith(f"{mlflow.url}/#/experiments/")
    listed = beside_mlflow.run("mlflow", "experiments", "search")
    assert dag in listed.out, listed.said
    page = fetch(f"{beside_mlflow.url('page')}/api/status").json()
    assert page["mlflow"]["runs"][0]["url"].startswith(mlflow.url)
    assert page["foreign"][0]["version"].startswith("3.")


def test_status_and_doctor_say_what_is_lost_and_that_it_answers(
    beside_mlflow: Platform, mlflow: ExternalMlflow
) -> None:
    text = beside_mlflow.run("status").out
    assert f"MLflow is not ours: {mlflow.url}, answers, version 3." in text
    assert "Airfoil does not start, watch or restart it" in text
    findings = json.loads(beside_mlflow.run("doctor", "--json").out)["findings"]
    assert [row["level"] for row in findings if row["check"] == "servers"] == ["ok"]


def test_its_password_is_in_no_argument_no_log_and_no_page(beside_mlflow: Platform) -> None:
    assert PASSWORD not in commands(beside_mlflow)
    assert PASSWORD not in beside_mlflow.project.state_file.read_text()
    assert PASSWORD not in fetch(beside_mlflow.url("page")).body
    for file in beside_mlflow.project.logs.rglob("*"):
        if file.is_file():
            assert PASSWORD not in file.read_text(errors="replace"), file
    holders = [
        path
        for path in beside_mlflow.project.state.rglob("*.json")
        if PASSWORD in path.read_text(errors="replace")
    ]
    assert holders
    assert all(path.stat().st_mode & 0o077 == 0 for path in holders)


def test_a_connection_and_a_variable_are_kept_by_airflow(beside_mlflow: Platform) -> None:
    named = {
        **beside_mlflow.environment,
        "SHOP_URL": "postgres://ann:s3cret-pw@db/shop",
        "LIMIT": "s3cret-10",
    }
    assert beside_mlflow.run("connections", "set", "shop", "--from-env", environment=named).code == 0
    assert beside_mlflow.run("variables", "set", "limit", "--from-env", environment=named).code == 0
    rows = {
        row["name"]: row
        for row in json.loads(beside_mlflow.run("connections", "list", "--json").out)["connections"]
    }
    assert (rows["shop"]["conn_type"], rows["shop"]["has_password"]) == ("postgres", True)
    assert rows["mlflow_default"]["made_by"] == "airfoil"
    assert beside_mlflow.run("variables", "get", "limit").out == "s3cret-10\n"
    stored = beside_mlflow.project.airflow_database.read_bytes()
    assert b"s3cret" not in stored, "encrypted"


@full_only
def test_a_server_that_goes_away_is_red_and_keeps_nothing_from_starting(
    beside_mlflow: Platform, mlflow: ExternalMlflow
) -> None:
    mlflow.stop()
    try:
        found = status(beside_mlflow)
        assert found["headline"]["text"] == "Trouble with MLflow"  # type: ignore[index]
        assert found["stack"]["phase"] == "ready"  # type: ignore[index]
        beside_mlflow.down()
        again = beside_mlflow.up()
        assert f"Warning: MLflow at {mlflow.url} does not answer" in again.err
        assert beside_mlflow.run("doctor").code in {0, 1}
        with web_page(mlflow.port):
            doctor = json.loads(beside_mlflow.run("doctor", "--json").out)["findings"]
            (finding,) = [row for row in doctor if row["check"] == "servers"]
            assert finding["message"] == f"What answers at {mlflow.url} is not an MLflow server."
    finally:
        mlflow.start()
    assert status(beside_mlflow)["foreign"][0]["state"] == "answers"  # type: ignore[index]


class web_page:  # noqa: N801 - reads as a context
    """Some other program on that port, which answers everything with a page."""

    def __init__(self, port: int) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"<html>It works!</html>")

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self._server = HTTPServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


# -- an Airflow that existed before: the one of another project


@pytest.fixture
def beside_airflow(beside_mlflow: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Make a project that uses the Airflow of another one."""
    mlflow_port, page = free_ports(2)
    given = {
        "airflow": {"url": beside_mlflow.url("api-server"), "username": "admin"},
        "mlflow": {"port": mlflow_port},
        "page": {"port": page},
    }
    environment = {"AIRFOIL_AIRFLOW_PASSWORD": beside_mlflow.secrets().admin_password}
    made = Platform.make(tmp_path_factory.mktemp("system"), given, environment=environment, ports=False)
    yield from lent(made)


def test_nothing_of_airflow_runs_and_everything_asks_the_other_one(
    beside_airflow: Platform, beside_mlflow: Platform
) -> None:
    url = beside_mlflow.url("api-server")
    beside_airflow.up()
    del beside_airflow.environment["AIRFOIL_AIRFLOW_PASSWORD"]  # `up` was given it; other shells have none
    assert {row.name for row in beside_airflow.state().services} == {"mlflow", "page"}
    assert "airflow" not in commands(beside_airflow)
    assert not beside_airflow.project.airflow_database.exists()
    dag = "example_dag" if (beside_mlflow.project.dags / "example_dag.py").exists() else "first_dag"
    done = beside_airflow.run("run", dag, "--json")
    assert done.code == 0, done.said
    assert json.loads(done.out)["airflow_url"].startswith(url)
    task = json.loads(done.out)["tasks"][0]["task_id"]
    assert beside_airflow.run("logs", f"{dag}.{task}").out.strip()
    text = beside_airflow.run("status").out
    assert f"Airflow is not ours: {url}, answers, version 3." in text
    assert "The DAG folder of this project is not read there" in text
    assert "Login admin" not in text
    refused = beside_airflow.run("airflow", "dags", "list")
    assert refused.code == 1
    assert "works on a database" in refused.err
    absent = beside_airflow.run("run", "no_such_dag")
    assert "is not deployed to" in absent.err
    findings = json.loads(beside_airflow.run("doctor", "--json").out)["findings"]
    assert [row["level"] for row in findings if row["check"] == "servers"] == ["ok"]
    named = {**beside_airflow.environment, "REMOTE": "http://there"}
    assert (
        beside_airflow.run("connections", "set", "remote", "--from-env", "REMOTE", environment=named).code
        == 0
    )
    assert "remote" in beside_mlflow.run("connections", "list").out


@full_only
def test_with_both_only_the_page_runs(
    beside_airflow: Platform, beside_mlflow: Platform, mlflow: ExternalMlflow
) -> None:
    beside_airflow.configure(
        {
            "airflow": {"url": beside_mlflow.url("api-server"), "username": "admin"},
            "mlflow": {"url": mlflow.url, "username": USERNAME},
            "page": {"port": free_ports(1)[0]},
        }
    )
    beside_airflow.environment["AIRFOIL_MLFLOW_PASSWORD"] = PASSWORD
    beside_airflow.up()
    found = status(beside_airflow)
    assert [row["name"] for row in found["services"]] == ["page"]  # type: ignore[attr-defined]
    assert [row["state"] for row in found["foreign"]] == ["answers", "answers"]  # type: ignore[attr-defined]
    assert len(beside_airflow.processes()) <= 3, "the manager, the page, and no more"
    assert beside_airflow.down().seconds < 20
    assert not (beside_airflow.project.run / "logins.json").exists()
