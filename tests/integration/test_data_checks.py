"""Checks of tables as tasks: the shipped pipeline and the guides' DAGs, beside real servers of every kind."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from contextlib import closing
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.integration.dag_scenes import play
from tests.integration.guides import printed
from tests.integration.mlflow_servers import mlflow_server
from tests.integration.servers import free_port
from tests.sizes import full_only

from airfoil.clients.claims import Claims
from airfoil.clients.dataset_verdicts import dataset_verdicts
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

PIPELINE = Path(__file__).parents[2] / "dags/data_validation_pipeline.py"
CHECKS = ("schema", "quality", "drift", "anomalies")
PLACES = """
from datetime import timedelta
from airflow.sdk import dag
from airfoil import quality

CONTRACT = {"columns": {"id": {"type": "integer", "unique": True}}, "rows": {"at_least": 100, "at_most": 100}}

@dag(schedule=None, params={"bucket": "", "away": ""})
def places():
    quality("s3://{{ params.bucket }}/trips/*.parquet", CONTRACT, task_id="store")
    quality({"location": "s3://{{ params.bucket }}/trips", "conn_id": "wrong_key"}, CONTRACT, task_id="locked",
            retries=1, retry_delay=timedelta(0))
    quality({"query": "select * from trips", "conn_id": "shop", "name": "trips"}, CONTRACT, task_id="database")
    quality({"location": "trips.parquet", "conn_id": "files"}, CONTRACT, task_id="server")
    quality("{{ params.away }}/trips.parquet", CONTRACT, task_id="away", retries=1, retry_delay=timedelta(0))

places()
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as running:
        yield MlflowServer(running.uri)


@pytest.fixture(scope="module")
def home(migrated_airflow, tmp_path_factory):
    return migrated_airflow.copied_to(tmp_path_factory.mktemp("checked") / "home")


@pytest.fixture(scope="module")
def run(home, server):
    """Run the DAGs of a file; connections by their id."""

    def run(file, conf=None, **connections):
        connections["mlflow_default"] = {"conn_type": "mlflow", "host": server.uri}
        given = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(one) for name, one in connections.items()}
        return play(home, file, conf=conf, **given)

    return run


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    """The shipped file and its contract, as in a project of somebody's."""
    folder = tmp_path_factory.mktemp("project") / "dags"
    shutil.copytree(PIPELINE.parent / "contracts", folder / "contracts")
    return Path(shutil.copy(PIPELINE, folder))


def states(scene):
    return {name: state for name, (state, _) in scene.tasks("data_validation_pipeline").items()}


def newest(server):
    with MlflowHttp(server) as http:
        return http.do(dataset_verdicts(Claims(), "trips"))


def page_of(server, scene):
    """The report's page, as MLflow has it."""
    run_id = newest(server)[0].run_id
    with MlflowHttp(server) as http:
        info = http.get("/api/2.0/mlflow/runs/get", run_id=run_id)["run"]["info"]
        place = info["artifact_uri"].removeprefix("mlflow-artifacts:/")
    import httpx

    answer = httpx.get(
        f"{server.uri}/api/2.0/mlflow-artifacts/artifacts/{place.lstrip('/')}/report.html", trust_env=False
    )
    assert answer.is_success, scene.log[-2000:]
    return answer.text


def test_good_trips_pass_and_update_their_dataset(run, pipeline, server):
    scene = run(pipeline)
    assert scene.runs["data_validation_pipeline"]["state"] == "success", scene.log[-4000:]
    assert set(states(scene).values()) == {"success"}
    verdict = newest(server)[0]
    assert verdict.passed
    assert verdict.numbers["rows"] == 20_000
    assert verdict.outcomes == {"quality": "passed", "drift": "stable", "anomalies": "usual"}
    assert "<html" in page_of(server, scene)


@full_only
@pytest.mark.parametrize(("fault", "part"), [("drifted", "drift"), ("dirty", "quality")])
def test_bad_trips_fail_in_the_report_alone(run, pipeline, server, fault, part):
    scene = run(pipeline, {"fault": fault})
    assert scene.runs["data_validation_pipeline"]["state"] == "failed"
    assert {name for name, state in states(scene).items() if state != "success"} == {"report"}
    assert scene.tasks("data_validation_pipeline")["report"] == ("failed", 1), "not tried again"
    verdict = newest(server)[0]
    assert not verdict.passed
    assert verdict.outcomes[part] in {"drifted", "failed"}
    assert verdict.reason in scene.log
    assert "<html" in page_of(server, scene)


def test_a_broken_file_fails_at_once_and_has_its_page(run, pipeline, server):
    scene = run(pipeline, {"fault": "broken"})
    assert scene.runs["data_validation_pipeline"]["state"] == "failed"
    assert scene.tasks("data_validation_pipeline")["schema"] == ("failed", 1), "not tried again"
    found = states(scene)
    assert {found[name] for name in CHECKS[1:]} == {"upstream_failed"}
    assert found["report"] == "failed"
    verdict = newest(server)[0]
    assert "damaged or was cut short" in verdict.reason
    assert set(verdict.outcomes.values()) == {"error"}
    assert "damaged or was cut short" in page_of(server, scene)


@pytest.mark.parametrize(
    ("page", "dag_id"), [("data-quality.md", "trips_of_the_day"), ("drift.md", "trips_as_before")]
)
def test_the_dag_of_a_guide_runs_as_printed(run, tmp_path, page, dag_id):
    (block,) = (one for one in printed(page) if f"def {dag_id}" in one)
    (tmp_path / "dags").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts/trips.yaml").write_text("columns: {fare: {type: number, at_least: 0}}\n")
    rows = "".join(f"2026-05-01T10:{n % 60:02d}:00,{n % 17},{n % 23}\n" for n in range(500))
    for name in ("trips", "january"):
        (tmp_path / f"data/{name}.csv").write_text(f"pickup,fare,miles\n{rows}")
    file = tmp_path / "dags/flow.py"
    file.write_text(block)
    scene = run(file)
    assert scene.runs[dag_id]["state"] == "success", scene.log[-4000:]


@pytest.fixture
def files(tmp_path):
    """A folder that a web server shows to those who have its key."""
    folder = tmp_path / "files"
    folder.mkdir()
    pq.write_table(pa.table({"id": list(range(100))}), folder / "trips.parquet")

    class Locked(SimpleHTTPRequestHandler):
        def do_GET(self):
            if self.headers.get("X-Key") == "open":
                super().do_GET()
            else:
                self.send_error(403)

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Locked, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, server.server_port
    server.shutdown()
    server.server_close()


def test_tables_of_other_machines_are_opened_by_their_connections(run, files, object_store, tmp_path):
    folder, port = files
    bucket = object_store.new_bucket()
    object_store.client().upload_file(str(folder / "trips.parquet"), bucket, "trips/a.parquet")
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database, database:
        database.execute("create table trips (id integer)")
        database.executemany("insert into trips values (?)", [(number,) for number in range(100)])
    file = tmp_path / "dags/places.py"
    file.parent.mkdir()
    file.write_text(PLACES)
    store = {"conn_type": "aws", "login": object_store.key, "password": object_store.secret}
    store["extra"] = json.dumps({"endpoint_url": object_store.url})
    scene = run(
        file,
        {"bucket": bucket, "away": f"http://127.0.0.1:{free_port()}"},
        aws_default=store,
        wrong_key=store | {"password": "not-this-one"},
        shop={"conn_type": "sqlite", "host": str(tmp_path / "shop.db")},
        files={
            "conn_type": "http",
            "host": "127.0.0.1",
            "port": port,
            "extra": '{"headers": {"X-Key": "open"}}',
        },
    )
    assert scene.tasks("places") == {
        "store": ("success", 1),
        "database": ("success", 1),
        "server": ("success", 1),
        "locked": ("failed", 1),
        "away": ("failed", 2),
    }, scene.log[-4000:]
    assert "does not let us in" in scene.log
    assert "not-this-one" not in scene.log
