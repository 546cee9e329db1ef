import json
from dataclasses import replace

import pytest

from airfoil.cli import console
from airfoil.cli.status_view import exit_code
from airfoil.stack import servers
from airfoil.stack.page import status as pictures
from airfoil.stack.page.facts import Facts
from airfoil.stack.servers import Server
from airfoil.stack.state import save

pytestmark = pytest.mark.unit


@pytest.fixture
def answering(running, answer):
    """A running platform with one failed run and a broken file."""
    run = {"dag_id": "shop", "dag_run_id": "r1", "state": "failed"}
    times = {"start_date": "2026-11-20T10:00:00Z", "end_date": "2026-11-20T10:00:12Z"}
    running.server.on("GET", "/api/v2/dags/~/dagRuns", answer({"dag_runs": [run | times]}))
    running.import_errors = [{"filename": "broken.py", "stack_trace": "Traceback\nImportError: nope"}]
    api = "/api/2.0/mlflow"
    running.server.on("POST", f"{api}/experiments/search", answer({}))
    running.server.on("GET", f"{api}/model-versions/search", answer({}))
    return running


def test_a_running_platform(airfoil, answering):
    outcome = airfoil("status")

    assert (outcome.code, outcome.err) == (0, "")
    lines = [line.split() for line in outcome.out.splitlines()]
    assert lines[0][:3] == ["Everything", "is", "running"]
    assert ["SERVICE", "STATE", "SINCE", "RESTARTS", "MEMORY", "URL"] in lines
    assert any(line[:2] == ["scheduler", "ready"] for line in lines)
    assert any(line[:4] == ["shop", "failed", "12", "s"] for line in lines)
    assert "broken.py does not import: ImportError: nope." in outcome.out
    assert f"{answering.url}/dags/shop/runs/r1" in outcome.out


def test_no_password_in_status(airfoil, answering, project):
    text = airfoil("status").out + airfoil("status", "--json").out

    for secret in json.loads(project.secrets.read_text()).values():
        assert secret not in text


def test_json_is_what_the_page_serves(airfoil, answering):
    found = airfoil("status", "--json").json()

    assert found["schema"] == 1
    assert found["stack"]["phase"] == "ready"
    assert [service["name"] for service in found["services"]] == ["api-server", "scheduler", "mlflow"]
    assert found["airflow"]["runs"][0]["dag_id"] == "shop"
    assert {problem["subject"] for problem in found["problems"]} >= {"dags"}


def test_not_running(airfoil, project):
    outcome = airfoil("status")
    found = airfoil("status", "--json")

    assert (outcome.code, outcome.out) == (3, "Airfoil is not running  Start it with `airfoil up`.\n")
    assert (found.code, found.json()["stack"], found.json()["services"]) == (3, None, [])


def test_an_airflow_that_does_not_answer_is_told(airfoil, answering, answer):
    answering.server.on("GET", "/api/v2/importErrors", answer("x", 500))

    outcome = airfoil("status")

    assert outcome.code == 0
    assert "failed (500)" in outcome.out


@pytest.mark.parametrize(
    ("phase", "code"),
    [("ready", 0), ("starting", 1), ("degraded", 1), ("failed", 1), ("stopping", 1), ("stopped", 3)],
)
def test_exit_codes(a_state, phase, code):
    assert exit_code(pictures.build("x", a_state(phase=phase), Facts(now=0))) == code


def test_a_dead_manager_is_degraded(a_state):
    assert exit_code(pictures.build("x", a_state(), Facts(now=0, manager_alive=False))) == console.FAILURE


def test_a_failed_service(airfoil, running, stack, project):
    broken = replace(stack.state.services[2], state="failed", detail="ended with exit code 1", pid=None)
    stack.state = replace(stack.state, phase="degraded", services=(*stack.state.services[:2], broken))
    save(project.state_file, stack.state)

    outcome = airfoil("status")

    assert outcome.code == 1
    assert outcome.out.splitlines()[0].startswith("MLflow is down")
    assert "airfoil logs mlflow" in outcome.out


def test_watch_looks_again_until_ctrl_c(airfoil, project):
    left = [2]

    def sleep(seconds):
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    outcome = airfoil("status", "--watch", sleep=sleep)
    left[0] = 2
    found = airfoil("status", "--watch", "--json", sleep=sleep)

    assert outcome.out.count("Airfoil is not running") == 2
    assert (outcome.code, outcome.err) == (130, "\nInterrupted. The platform is not affected.\n")
    assert [json.loads(line)["schema"] for line in found.out.splitlines()] == [1, 1]


def test_a_foreign_server_is_named_with_what_is_lost_and_our_login_is_not_offered(
    airfoil, answering, stack, project, answer
):
    servers.settle(project, {"airflow": Server("airflow", answering.url, "ann", "pw-of-ann")})
    answering.server.on("GET", "/api/v2/version", answer({"version": "3.4.0"}))
    stack.state = replace(stack.state, services=stack.state.services[2:], foreign={"airflow": answering.url})
    save(project.state_file, stack.state)

    outcome = airfoil("status")

    assert outcome.code == 0
    assert f"Airflow is not ours: {answering.url}, answers, version 3.4.0" in outcome.out
    assert "The DAG folder of this project is not read there" in outcome.out
    assert "Login admin" not in outcome.out
    assert "pw-of-ann" not in outcome.out
    assert airfoil("status", "--json").json()["foreign"][0]["state"] == "answers"
