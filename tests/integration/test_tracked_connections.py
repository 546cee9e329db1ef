"""`@task.mlflow` in a real Airflow and servers that do not let it in: one sentence, right retries."""

from __future__ import annotations

import json

import pytest
from tests.integration.dag_scenes import play
from tests.integration.mlflow_servers import PASSWORD, failing_server, mlflow_server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(500)]

DAG = """
from __future__ import annotations
import json, os
from datetime import timedelta
from pathlib import Path
from airflow.sdk import dag, task

def note(context):
    error = context["exception"]
    line = {"task": context["ti"].task_id, "error": str(error), "kind": type(error).__name__}
    with Path("errors.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\\n")

@dag(schedule=None)
def doors():
    for name in json.loads(os.environ["DOORS"]):
        @task.mlflow(
            task_id=name, mlflow_conn_id=name, retries=1, retry_delay=timedelta(0),
            on_failure_callback=note, on_retry_callback=note,
        )
        def enter(mlflow_run):
            mlflow_run.log_params({"came": "in"})
        enter()

doors()
"""
AT_ONCE, AGAIN = 1, 2
WORDS = {
    "wrong_password": (AT_ONCE, "refused us (HTTP 401)"),
    "no_password": (AT_ONCE, "refused us (HTTP 401)"),
    "unknown_authority": (AT_ONCE, "is not trusted here"),
    "no_such_authority": (AT_ONCE, "The certificate authority file '/nowhere/ca.pem' cannot be used"),
    "no_host": (AT_ONCE, "The Airflow connection 'no_host' has no host"),
    "forbidden": (AT_ONCE, "refused us (HTTP 403): said by a test"),
    "expired": (AT_ONCE, "refused us (HTTP 401): Token expired"),
    "unknown_host": (AGAIN, "MLflow at http://no-such-host.invalid cannot be reached"),
    "nobody": (AGAIN, "cannot be reached"),
    "busy": (AGAIN, "failed (HTTP 429): said by a test"),
    "broken": (AGAIN, "failed (HTTP 500): said by a test"),
    "slow": (AGAIN, "no answer in time"),
}


@pytest.fixture(scope="module")
def found(migrated_airflow, tmp_path_factory):
    """What became of a task behind each door, and what it said."""
    folder = tmp_path_factory.mktemp("doors")
    home = migrated_airflow.copied_to(folder / "home")
    (folder / "dags").mkdir()
    file = folder / "dags" / "doors.py"
    file.write_text(DAG)
    with mlflow_server(folder / "mlflow", tls=True, login=True) as server, failing_server() as fails:
        login = {"login": "admin", "password": PASSWORD}
        authority = {"ca_file": str(server.authority)}
        doors = {
            "open": {"host": server.uri, **login, "extra": authority},
            "wrong_password": {"host": server.uri, "login": "admin", "password": "no", "extra": authority},
            "no_password": {"host": server.uri, "extra": authority},
            "unknown_authority": {"host": server.uri, **login},
            "no_such_authority": {"host": server.uri, **login, "extra": {"ca_file": "/nowhere/ca.pem"}},
            "no_host": {},
            "forbidden": {"host": f"{fails}/403"},
            "expired": {"host": f"{fails}/401", "extra": {"token": "old"}},
            "unknown_host": {"host": "http://no-such-host.invalid"},
            "nobody": {"host": "http://127.0.0.1:9"},
            "busy": {"host": f"{fails}/429"},
            "broken": {"host": f"{fails}/500"},
            "slow": {"host": f"{fails}/slow", "extra": {"timeout_seconds": 0.2}},
        }
        variables = {
            f"AIRFLOW_CONN_{name.upper()}": json.dumps({"conn_type": "mlflow", **fields})
            for name, fields in doors.items()
        }
        scene = play(home, file, DOORS=json.dumps(list(doors)), **variables)
    lines = [json.loads(line) for line in (home.folder / "errors.jsonl").read_text().splitlines()]
    return scene, lines


def test_tls_with_an_authority_of_ones_own_and_a_login(found):
    assert found[0].tasks("doors")["open"] == ("success", 1)


@pytest.mark.parametrize("door", WORDS)
def test_a_closed_door_is_one_sentence_and_tried_again_where_that_helps(found, door):
    scene, lines = found
    tries, words = WORDS[door]
    said = [line["error"] for line in lines if line["task"] == door]
    assert scene.tasks("doors")[door] == ("failed", tries)
    assert len(said) == tries
    for sentence in said:
        assert words in sentence
        assert "\n" not in sentence
        assert len(sentence) < 400


def test_the_log_shows_no_insides_of_libraries(found):
    log = found[0].log
    assert [line for line in log.splitlines() if "site-packages/httpx" in line or "httpcore" in line] == []
    assert PASSWORD not in log
