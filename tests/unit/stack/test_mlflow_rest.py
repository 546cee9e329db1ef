import base64

import pytest

from airfoil.clients.claims import EXPERIMENT
from airfoil.errors import ServiceAnswerError, ServiceRefusedError, ServiceUnreachableError
from airfoil.stack.mlflow_rest import LEDGER_EXPERIMENT, MlflowRest

pytestmark = pytest.mark.unit

API = "/api/2.0/mlflow"


@pytest.fixture
def mlflow(http_server, answer):
    http_server.on(
        "POST", f"{API}/experiments/search", answer({"experiments": [{"experiment_id": "3", "name": "wine"}]})
    )
    with MlflowRest(http_server.url, timeout_seconds=2) as client:
        yield client


@pytest.mark.parametrize(
    ("body", "status", "expected"), [("OK", 200, True), ("<html>", 200, False), ("OK", 404, False)]
)
def test_healthy_reads_the_body(mlflow, http_server, answer, body, status, expected):
    http_server.on("GET", "/health", answer(body, status))

    assert mlflow.healthy() is expected


def test_nobody_there_is_not_healthy_but_an_error_elsewhere():
    with MlflowRest("http://127.0.0.1:1", timeout_seconds=1) as mlflow:
        assert not mlflow.healthy()
        with pytest.raises(ServiceUnreachableError, match=r"^MLflow at"):
            mlflow.latest_runs(3)


def test_latest_runs_name_their_experiment_and_page(mlflow, http_server, answer):
    info = {"run_id": "r1", "experiment_id": "3", "run_name": "train", "status": "FINISHED"}
    times = {"start_time": 1_795_000_000_500, "end_time": "1795000001500"}
    http_server.on(
        "POST", f"{API}/runs/search", answer({"runs": [{"info": info | times}, {"info": {"run_id": "r2"}}]})
    )

    first, second = mlflow.latest_runs(2)

    assert first == {
        "run_id": "r1",
        "experiment_id": "3",
        "experiment": "wine",
        "name": "train",
        "status": "FINISHED",
        "start_time": 1_795_000_000.5,
        "end_time": 1_795_000_001.5,
        "url": f"{http_server.url}/#/experiments/3/runs/r1",
    }
    assert (second["name"], second["start_time"], second["end_time"]) == ("r2", None, None)
    (request,) = http_server.asked(f"{API}/runs/search")
    assert request.body["experiment_ids"] == ["3"]
    assert request.body["order_by"] == ["attributes.start_time DESC"]
    assert request.body["max_results"] == 2


def test_the_ledger_is_nobodys_work(mlflow, http_server, answer):
    rows = [{"experiment_id": "1", "name": "airfoil-ledger"}, {"experiment_id": "2", "name": "wine"}]
    http_server.on("POST", f"{API}/experiments/search", answer({"experiments": rows}))
    http_server.on("POST", f"{API}/runs/search", answer({}))

    assert LEDGER_EXPERIMENT == EXPERIMENT
    assert mlflow.latest_runs(5) == []
    (request,) = http_server.asked(f"{API}/runs/search")
    assert request.body["experiment_ids"] == ["2"]


def test_without_experiments_there_are_no_runs(mlflow, http_server, answer):
    http_server.on("POST", f"{API}/experiments/search", answer({}))

    assert mlflow.latest_runs(5) == []
    assert http_server.asked(f"{API}/runs/search") == []


def test_runs_of_a_dag_run_are_found_by_their_tags(mlflow, http_server, answer):
    http_server.on("POST", f"{API}/runs/search", answer({}))

    assert mlflow.runs_of_dag_run("shop", "manual__1") == []

    (request,) = http_server.asked(f"{API}/runs/search")
    assert request.body["filter"] == "tags.`airflow.dag_id` = 'shop' AND tags.`airflow.run_id` = 'manual__1'"


def test_an_id_that_would_leave_its_quotes_is_not_asked_for(mlflow, http_server):
    assert mlflow.runs_of_dag_run("shop", "x' OR 1=1") == []
    assert http_server.requests == []


def test_model_versions_carry_their_aliases(mlflow, http_server, answer):
    versions = [
        {"name": "wine red", "version": "2", "creation_timestamp": 2000, "run_id": "r", "status": "READY"},
        {"name": "wine red", "version": 1, "run_id": ""},
    ]
    aliases = [{"alias": "champion", "version": "2"}, {"alias": "best", "version": "2"}]
    http_server.on("GET", f"{API}/model-versions/search", answer({"model_versions": versions}))
    http_server.on(
        "GET",
        f"{API}/registered-models/search",
        answer({"registered_models": [{"name": "wine red", "aliases": aliases}, {"name": "other"}]}),
    )

    newest, oldest = mlflow.model_versions(5)

    assert newest["aliases"] == ["best", "champion"]
    assert newest["created_at"] == 2.0
    assert newest["url"] == f"{http_server.url}/#/models/wine%20red/versions/2"
    assert (oldest["version"], oldest["aliases"], oldest["run_id"]) == ("1", [], None)


def test_without_versions_nobody_asks_for_aliases(mlflow, http_server, answer):
    http_server.on("GET", f"{API}/model-versions/search", answer({}))

    assert mlflow.model_versions(5) == []
    assert len(http_server.requests) == 1


def test_a_login_is_sent_when_there_is_one(http_server, answer):
    http_server.on("GET", f"{API}/model-versions/search", answer({}))

    with MlflowRest(http_server.url, "admin", "secret", timeout_seconds=2) as mlflow:
        mlflow.model_versions(1)

    expected = base64.b64encode(b"admin:secret").decode()
    assert http_server.requests[0].headers["authorization"] == f"Basic {expected}"


@pytest.mark.parametrize(
    ("body", "status", "kind"), [({}, 401, ServiceRefusedError), ("<html>", 200, ServiceAnswerError)]
)
def test_a_stranger_on_the_port(mlflow, http_server, answer, body, status, kind):
    http_server.on("GET", f"{API}/model-versions/search", answer(body, status))

    with pytest.raises(kind):
        mlflow.model_versions(1)


def test_garbled_rows_are_an_error(mlflow, http_server, answer):
    http_server.on("POST", f"{API}/runs/search", answer({"runs": ["x"]}))

    with pytest.raises(ServiceAnswerError, match="without a list of runs"):
        mlflow.latest_runs(1)


def test_missing_parts_of_a_run_become_empty(mlflow, http_server, answer):
    http_server.on(
        "POST", f"{API}/runs/search", answer({"runs": [{"info": None}, {"info": {"start_time": "soon"}}]})
    )

    assert [run["start_time"] for run in mlflow.latest_runs(2)] == [None, None]
