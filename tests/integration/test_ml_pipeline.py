"""The whole life of a model as it is shipped: a real web server, a real mail server, a real MLflow, every branch.

The three main ones run on a platform in every `make test`: tests/system/test_shipped_pipelines.py.
"""

from __future__ import annotations

import json
import re
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.integration.dag_scenes import play
from tests.integration.mlflow_servers import mlflow_server
from tests.integration.servers import free_port
from tests.mail_server import MailServerForTests, serving
from tests.sizes import full_only

from airfoil.clients.claims import Claims
from airfoil.clients.ledger import Ledger
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.model_registry import versions
from airfoil.stack.page.samples import FOLDER
from airfoil.steps.lifecycle.monitoring import MonitoringRecord

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1200), full_only]

DAGS = Path(__file__).parents[2] / "dags"
DAG = "ml_pipeline"
IRIS = (FOLDER / "iris.csv").read_text()
TO = "ml-team@example.com"
DEPLOYED = {
    "deploy_model.register",
    "deploy_model.promote",
    "deploy_model.smoke_test",
    "monitoring",
    "send_success_email",
}
BEFORE = {
    "crawl_data",
    "etl",
    "split",
    "draw_candidates",
    "try_candidate[0]",
    "train",
    "evaluate",
    "validate_model",
}
INSERTED = """
@task.mlflow
def preprocessing_task(rows: DataRef, work: WorkArea) -> DataRef:
    table = work.read(rows).to_pandas()
    return work.write("rows", table.assign(petal_area=table.petal_length * table.petal_width))
"""
CHANGED_LINES = 6


class Site:
    """A source that can change, be packed in HTML, or be down."""

    def __init__(self) -> None:
        self.url, self.status, self.text, self.asked = "", 200, IRIS, 0


@pytest.fixture(scope="module")
def site():
    found = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            found.asked += 1
            body = found.text.encode()
            etag = f'"{hash(found.text)}"'
            known = self.headers.get("If-None-Match") == etag and found.status == 200
            self.send_response(304 if known else found.status)
            self.send_header("ETag", etag)
            self.send_header("Content-Type", "text/csv")
            self.send_header("Content-Length", str(0 if known else len(body)))
            self.end_headers()
            if not known:
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.url = f"http://127.0.0.1:{server.server_address[1]}/iris.csv"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as running:
        yield MlflowServer(running.uri)


@pytest.fixture(scope="module")
def mail():
    with serving(MailServerForTests()) as found:
        yield found


@pytest.fixture(scope="module")
def home(migrated_airflow, tmp_path_factory):
    return migrated_airflow.copied_to(tmp_path_factory.mktemp("lifecycle") / "home")


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    """The shipped file and its contract, as in a project of somebody's; retries wait for nothing."""
    folder = tmp_path_factory.mktemp("project") / "dags"
    (folder / "contracts").mkdir(parents=True)
    shutil.copy(DAGS / "contracts" / "iris.yaml", folder / "contracts")
    text = (DAGS / f"{DAG}.py").read_text(encoding="utf-8")
    assert "timedelta(seconds=10)" in text
    (folder / f"{DAG}.py").write_text(text.replace("timedelta(seconds=10)", "timedelta(0)"), encoding="utf-8")
    return folder / f"{DAG}.py"


@pytest.fixture(scope="module")
def run(home, server, site, mail, pipeline):
    """Run the pipeline once, with Variables that may be said otherwise."""

    def run(conf=None, *, file=pipeline, smtp_port=None, **variables):
        extra = {"disable_ssl": True, "disable_tls": True, "from_email": "airfoil@example.com"}
        smtp = {"conn_type": "smtp", "host": "127.0.0.1", "port": smtp_port or mail.port, "extra": extra}
        given = {
            "crawl_url": site.url,
            "ml_model_type": "logistic_regression",
            "accuracy_threshold": "0.8",
            "notification_email": TO,
            **variables,
        }
        mail.mails.clear()
        return play(
            home,
            file,
            conf=conf,
            AIRFLOW_CONN_MLFLOW_DEFAULT=json.dumps({"conn_type": "mlflow", "host": server.uri}),
            AIRFLOW_CONN_SMTP_DEFAULT=json.dumps(smtp),
            **{f"AIRFLOW_VAR_{name.upper()}": value for name, value in given.items()},
        )

    return run


def states(scene):
    return {name: state for name, (state, _) in scene.tasks(DAG).items()}


def by_state(scene, state):
    return {name for name, one in states(scene).items() if one == state}


def champions(server):
    with MlflowHttp(server) as http:
        return [one.to_version for one in http.do(Ledger(Claims()).entries("iris", "champion"))]


def kept(home, kind):
    return home.folder / "work" / "data" / kind / "iris"


def test_a_good_model_is_deployed_watched_and_told_of(run, server, mail, home):
    scene = run()
    assert scene.runs[DAG]["state"] == "success", scene.log[-6000:]
    assert by_state(scene, "success") == BEFORE | DEPLOYED | {"end"}
    assert by_state(scene, "skipped") == {"retrain_alert"}
    assert champions(server) == [1]
    (told,) = mail.mails
    assert told.to == [TO]
    assert told.message["Subject"].startswith("ml_pipeline: a new iris model is deployed: accuracy is 0.")
    for said in (
        "version 1, the first",
        "Free disk",
        "150 rows taken, 0 rejected",
        "airfoil models rollback iris",
        server.uri,
    ):
        assert said in told.part("plain"), said
        assert said in told.part("html"), said
    (raw,) = kept(home, "raw").glob("*.csv")
    assert raw.read_text() == IRIS
    version = raw.name.partition(".")[0]
    assert pq.read_table(kept(home, "processed") / version / "rows.parquet").num_rows == 150
    (model,) = (kept(home, "model") / version).iterdir()
    assert (model / "model" / "MLmodel").exists()
    assert json.loads((model / "about.json").read_text())["ml_model_type"] == "logistic_regression"
    (record,) = (kept(home, "model") / "v1").glob("monitoring-*.json")
    watched = MonitoringRecord.from_json(record.read_text())
    assert (watched.version, watched.rows) == (1, 38)
    assert watched.accuracy >= 0.8
    assert sum(watched.predicted.values()) == pytest.approx(1)
    assert {one.name: one.healthy for one in watched.services} == {"MLflow": True, "Airflow": False}


def test_an_unchanged_source_is_skipped_in_one_task(run, site, server, mail):
    before = site.asked
    scene = run()
    assert scene.runs[DAG]["state"] == "success", scene.log[-3000:]
    assert by_state(scene, "success") == {"crawl_data"}
    assert set(states(scene).values()) == {"success", "skipped"}
    assert "Nothing has changed since ml_pipeline/" in scene.log
    assert site.asked == before + 1
    assert (champions(server), mail.mails) == ([1], [])


def test_a_model_below_the_threshold_leaves_the_champion_and_people_are_asked(run, server, mail, home):
    scene = run({"strength": 0.001, "max_iterations": None}, accuracy_threshold="0.999")
    assert scene.runs[DAG]["state"] == "success", scene.log[-3000:]
    assert by_state(scene, "success") == BEFORE | {"retrain_alert", "end"}
    assert by_state(scene, "skipped") == DEPLOYED
    assert champions(server) == [1]
    (told,) = mail.mails
    assert told.message["Subject"].startswith(
        "ml_pipeline: no new iris model, the champion stays: accuracy is"
    )
    assert "at least 0.999 is needed" in told.part("plain").replace("\n", " ")
    assert "lower accuracy_threshold" in told.part("plain").replace("\n", " ")
    learned = [json.loads(path.read_text()) for path in kept(home, "model").glob("*/*/about.json")]
    assert sorted(one["parameters"]["strength"] for one in learned) == [0.001, 1.0]


def test_a_source_that_is_down_is_tried_again_and_fails_in_a_sentence(run, site, server, mail):
    site.status = 503
    try:
        scene = run({"force": True})
    finally:
        site.status = 200
    assert scene.runs[DAG]["state"] == "failed"
    assert scene.tasks(DAG)["crawl_data"] == ("failed", 3)
    assert "The server of iris answered 503" in scene.log
    assert set(states(scene).values()) == {"failed", "upstream_failed"}
    assert champions(server) == [1]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"accuracy_threshold": "abc"}, "accuracy_threshold is 'abc', which is no number"),
        ({"ml_model_type": "forest"}, "ml_model_type is 'forest', and there is no such model type"),
        ({"conf": {"trees": 20}}, "'logistic_regression' has no parameter 'trees'. It has strength,"),
    ],
)
def test_what_means_nothing_fails_at_once(run, given, sentence):
    scene = run(**given)
    assert scene.tasks(DAG)["crawl_data"] == ("failed", 1), "not tried again"
    assert sentence in scene.log


def test_columns_that_changed_stop_in_etl_and_odd_rows_are_kept_aside(run, site, home, server):
    site.text = IRIS.replace("species", "kind")
    scene = run()
    assert scene.tasks(DAG)["etl"] == ("failed", 1)
    assert "iris has no column 'species'; it has" in scene.log
    site.text = IRIS.replace("5.1,3.5,1.4,0.2,setosa", "5.1,wide,1.4,0.2,setosa", 1) + "5,3,1.4,0.2,tulip\n"
    scene = run({"ml_model_type": "knn", "search": 2})
    assert scene.runs[DAG]["state"] == "success", scene.log[-6000:]
    assert {f"try_candidate[{number}]" for number in range(3)} <= set(states(scene))
    rejects = [pq.read_table(path) for path in kept(home, "processed").rglob("rejects.parquet")]
    reasons = {reason for table in rejects for row in table.column("reasons").to_pylist() for reason in row}
    assert reasons == {"sepal_width is no number", "species is none of setosa, versicolor, virginica"}
    site.text = IRIS


def test_a_mail_server_that_is_down_fails_no_run(run):
    scene = run({"force": True}, accuracy_threshold="0.998", smtp_port=free_port())
    assert scene.runs[DAG]["state"] == "success", scene.log[-3000:]
    assert states(scene)["retrain_alert"] == "success"
    assert "is not reached" in scene.log


def test_a_model_that_cannot_answer_is_taken_back(run, pipeline, server, tmp_path):
    """Its files are gone when it is asked: somebody tidied up the artifact store in between."""
    before = champions(server)
    text = pipeline.read_text().replace(
        "    answered = smoke_test(", "    deployed = spoil(deployed)\n    answered = smoke_test("
    )
    text = text.replace('        better_than=CHAMPION,\n        ties="pass",\n', "")
    text = text.replace("@task_group\n", SPOILT + "@task_group\n", 1)
    folder = tmp_path / "dags"
    shutil.copytree(pipeline.parent / "contracts", folder / "contracts")
    (folder / pipeline.name).write_text(text)
    scene = run(
        {"force": True, "ml_model_type": "random_forest"},
        file=folder / pipeline.name,
        accuracy_threshold="0.1",
    )
    assert scene.runs[DAG]["state"] == "failed"
    assert states(scene)["deploy_model.smoke_test"] == "failed"
    assert states(scene)["end"] == "upstream_failed"
    after = champions(server)
    assert after[-1] == before[-1], "back where it was"
    assert len(after) == len(before) + 2


SPOILT = '''
@task
def spoil(deployed: Any) -> Any:
    """Put a folder of the artifact store aside."""
    from airfoil.clients.model_registry import version
    from airfoil.clients.model_loading import artifact_address
    from airfoil.provider.hooks.mlflow import MlflowHook
    with MlflowHook().http() as http:
        place = http.do(artifact_address(f"models:/iris/{deployed['to_version']}")).removeprefix("mlflow-artifacts:/")
        http.put(f"/api/2.0/mlflow-artifacts/artifacts/{place.lstrip('/')}/MLmodel", b"flavors: {}")
    return deployed


'''


def test_a_task_between_etl_and_training_is_six_changed_lines(run, pipeline, server, tmp_path):
    """As docs/lifecycle.md shows it."""
    text = pipeline.read_text()
    changed = text.replace("@task.mlflow\ndef split(", INSERTED.lstrip() + "\n\n@task.mlflow\ndef split(")
    changed = changed.replace('rows = cleaned["rows"]', 'rows = preprocessing_task(cleaned["rows"])')
    before, after = text.splitlines(), changed.splitlines()
    new = [line for line in after if line not in before and line.strip()]
    assert len(new) <= CHANGED_LINES
    folder = tmp_path / "dags"
    shutil.copytree(pipeline.parent / "contracts", folder / "contracts")
    (folder / pipeline.name).write_text(changed)
    scene = run({"force": True, "ml_model_type": "svm"}, file=folder / pipeline.name)
    assert scene.runs[DAG]["state"] == "success", scene.log[-6000:]
    assert states(scene)["preprocessing_task"] == "success"
    page = (Path(__file__).parents[2] / "docs" / "lifecycle.md").read_text()
    shown = re.search(r"^(@task\.mlflow\ndef preprocessing_task.+?)^```$", page, re.MULTILINE | re.DOTALL)
    assert shown
    assert INSERTED.strip() in shown[1]
    with MlflowHttp(server) as http:
        assert len(http.do(versions("iris"))) >= 1
