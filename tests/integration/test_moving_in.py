"""A folder mlruns that MLflow's own file store has written, brought to a real server."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from tests.integration.mlflow_servers import PASSWORD, mlflow_server

from airfoil.clients.artifact_folders import fetch_folder
from airfoil.clients.claims import Claims
from airfoil.clients.exchange import API, delete
from airfoil.clients.ledger import Ledger
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.mlruns.file_store import FileStore
from airfoil.clients.mlruns.imported_models import THROUGH_TAG
from airfoil.clients.mlruns.moving_in import move_in
from airfoil.clients.model_registry import delete_version, model, versions

pytestmark = pytest.mark.integration

# What a person did with MLflow years ago; a process of its own, because its client keeps state.
WRITE = """
import json, sys, warnings
warnings.simplefilter("ignore")
import mlflow
from mlflow import MlflowClient
from sklearn.linear_model import LogisticRegression
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("wines")
rows, labels = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
client = MlflowClient()
with mlflow.start_run(run_name="parent") as parent:
    mlflow.log_params({f"p{n}": n for n in range(150)})
    with mlflow.start_run(run_name="child", nested=True) as child:
        for step in range(1200):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metric("nothing", float("nan"))
        mlflow.log_text("a chart", "charts/one.txt")
        fitted = LogisticRegression().fit(rows, labels)
        mlflow.sklearn.log_model(fitted, name="wine_model", registered_model_name="wine", pip_requirements=[])
        client.create_model_version("wine", f"runs:/{child.info.run_id}/wine_model", child.info.run_id)
client.transition_model_version_stage("wine", "1", "Production")
client.transition_model_version_stage("wine", "2", "Staging")
client.set_registered_model_alias("wine", "shadow", "2")
print("RESULT" + json.dumps({"parent": parent.info.run_id, "child": child.info.run_id,
                             "predicted": fitted.predict(rows).tolist()}))
"""
READ = """
import sys, warnings
warnings.simplefilter("ignore")
import mlflow
print("RESULT", mlflow.pyfunc.load_model(sys.argv[1]).predict([[0.0], [1.0], [2.0], [3.0]]).tolist(), sep="")
"""


def python(code, *arguments, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "RESULT" in done.stdout, done.stderr[-3000:]
    return json.loads(done.stdout.rpartition("RESULT")[2])


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder, moved to another place since, and what was in it."""
    home = tmp_path_factory.mktemp("old")
    found = python(WRITE, (home / "mlruns").as_uri(), MLFLOW_ALLOW_FILE_STORE="true")
    return (home / "mlruns").rename(home / "moved"), found


@pytest.fixture(scope="module")
def http(tmp_path_factory):
    with (
        mlflow_server(tmp_path_factory.mktemp("server"), login=True) as server,
        MlflowHttp(MlflowServer(server.uri, "admin", PASSWORD)) as http,
    ):
        yield http


def test_it_is_all_there_and_the_model_predicts_as_before(http, written, tmp_path):
    root, old = written
    ledger = Ledger(Claims())
    done = move_in(http, ledger, FileStore(root), who="anne")
    assert (done.runs, done.versions, done.notes) == (2, 2, [])
    assert http.do(model("wine")).aliases == {"champion": 1, "staging": 2, "shadow": 2}
    assert [entry.reason for entry in http.do(ledger.entries("wine", "champion"))] == [
        "Imported: stage Production of the file store"
    ]
    newest, first = http.do(versions("wine"))
    assert newest.run_id == first.run_id
    run = http.get(f"{API}/runs/get", run_id=first.run_id)["run"]
    tags = {one["key"]: one["value"] for one in run["data"]["tags"]}
    assert tags["airfoil.imported_run"] == old["child"]
    parent = http.get(f"{API}/runs/get", run_id=tags["mlflow.parentRunId"])["run"]
    assert {one["key"]: one["value"] for one in parent["data"]["params"]} == {
        f"p{n}": str(n) for n in range(150)
    }
    history = http.get(
        f"{API}/metrics/get-history", run_id=first.run_id, metric_key="loss", max_results="2000"
    )["metrics"]
    assert [one["value"] for one in history] == [1 / (step + 1) for step in range(1200)]
    fetched = tmp_path / "fetched"
    fetched.mkdir()
    fetch_folder(http, run["info"]["artifact_uri"], fetched)
    assert (fetched / "charts/one.txt").read_text() == "a chart"
    login = {"MLFLOW_TRACKING_USERNAME": "admin", "MLFLOW_TRACKING_PASSWORD": PASSWORD}
    predicted = python(READ, "models:/wine@champion", MLFLOW_TRACKING_URI=http.server.uri, **login)
    assert predicted == old["predicted"]


def test_a_second_import_changes_nothing(http, written):
    root, _ = written
    before = http.do(versions("wine"))
    done = move_in(http, Ledger(Claims()), FileStore(root), who="anne")
    assert (done.runs, done.runs_there) == (0, 2)
    assert http.do(versions("wine")) == before


def test_a_version_that_was_deleted_since_stays_so_and_the_rest_goes_on(http, written):
    """MLflow counts deleted versions: a new one would get another number."""
    root, _ = written
    http.do(delete_version("wine", 2))
    for _ in range(2):
        done = move_in(http, Ledger(Claims()), FileStore(root), who="anne")
        assert (done.versions, done.aliases) == (1, ["wine@champion is version 1"])
        assert done.notes == ["wine version 2 is left out: the server had it, and it is deleted there."]
    # As an import of an older release left it, which did not note how far it had come.
    http.do(delete(f"{API}/registered-models/delete-tag", {"name": "wine", "key": THROUGH_TAG}))
    done = move_in(http, Ledger(Claims()), FileStore(root), who="anne")
    assert (done.versions, done.aliases) == (1, ["wine@champion is version 1"])
    assert [one.version for one in http.do(versions("wine"))] == [1]
