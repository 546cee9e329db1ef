"""The shipped taxi DAGs, given nothing but an address: months in other published forms, each fetched once."""

from __future__ import annotations

import json
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest
from tests.integration.dag_scenes import play
from tests.integration.mlflow_servers import mlflow_server
from tests.integration.taxi_months import NAME, write_months
from tests.sizes import FULL, full_only

from airfoil.clients.exchange import API
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.model_loading import load_model
from airfoil.clients.model_registry import versions

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

DAGS = Path(__file__).parents[2] / "dags"
LINEAR = "nyc-taxi-linear-duration"
FILES = {"nyc-taxi-duration": "nyc_taxi_duration_prediction", LINEAR: "nyc_taxi_linear_duration_prediction"}
PLAYED = FILES if FULL else {LINEAR: FILES[LINEAR]}


class Months(SimpleHTTPRequestHandler):
    """A folder with ETags; what it sent is counted."""

    sent: list[str]

    def do_GET(self):
        file = Path(self.translate_path(self.path))
        if file.is_file() and self.headers.get("If-None-Match") == f'"{file.stat().st_size}"':
            self.send_response(304)
            self.end_headers()
            return
        self.sent.append(self.path)
        super().do_GET()

    def end_headers(self):
        file = Path(self.translate_path(self.path))
        if file.is_file():
            self.send_header("ETag", f'"{file.stat().st_size}"')
        super().end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def site(tmp_path):
    """Where a server has the two months, the tags of their models, and what it has sent."""
    folder = tmp_path / "site"
    tags = write_months(folder, rows=2_000)
    handler = type("Handler", (Months,), {"sent": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *given: handler(*given, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/{NAME}", tags, handler.sent
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def home(migrated_airflow, tmp_path_factory):
    return migrated_airflow.copied_to(tmp_path_factory.mktemp("taxi") / "home")


def test_dags_train_on_what_an_address_gives(home, tmp_path, site):
    source, tags, sent = site
    with mlflow_server(tmp_path / "mlflow") as running, MlflowHttp(MlflowServer(running.uri)) as http:
        given = {"AIRFLOW_CONN_MLFLOW_DEFAULT": json.dumps({"conn_type": "mlflow", "host": running.uri})}
        for model, name in PLAYED.items():
            scene = play(home, DAGS / f"{name}.py", conf={"source": source}, **given)
            assert scene.runs[name]["state"] == "success", scene.log[-4000:]
            (version,) = http.do(versions(model))
            assert version.tags.items() >= tags.items()
            run = http.get(f"{API}/runs/get", run_id=version.run_id)["run"]
            metrics = {one["key"]: one["value"] for one in run["data"]["metrics"]}
            assert metrics["rmse"] == pytest.approx(float(version.tags["rmse"]), abs=1e-6)
            trips = pd.DataFrame({"PULocationID": [132], "DOLocationID": [230], "trip_distance": [17.0]})
            columns = trips if "linear" in model else trips[["PULocationID", "DOLocationID"]]
            (minutes,) = load_model(http, f"models:/{model}/1").predict(columns)
            assert 1 < minutes < 90
    assert len(sent) == 2  # each month once, however many DAGs asked


@full_only
def test_a_month_that_is_none_fails_at_once(home):
    name = FILES[LINEAR]
    scene = play(home, DAGS / f"{name}.py", conf={"train_month": "2024-13"})
    assert scene.runs[name]["state"] == "failed"
    assert scene.tasks(name)["choose_months"] == ("failed", 1)
    assert "'2024-13' is no month. Write year and month" in scene.log
