"""The page's real process, asked by programs."""

from __future__ import annotations

import http.client
import json
import sys
import time
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.browser
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def request(stage, method, path, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", stage.port, timeout=60)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def pss_mib(pid):
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def switches(pid):
    counted = psutil.Process(pid).num_ctx_switches()
    return counted.voluntary + counted.involuntary


def test_it_starts_at_once_and_rests_on_loopback(stage):
    stage.write(stage.healthy())
    assert stage.start_page() < 5  # 0.4 s on an idle machine; the work it takes is the same on a busy one
    spent = psutil.Process(stage.page.pid).cpu_times()
    assert spent.user + spent.system < 1
    listening = [
        one for one in psutil.Process(stage.page.pid).net_connections("inet") if one.status == "LISTEN"
    ]
    assert [(one.laddr.ip, one.laddr.port) for one in listening] == [("127.0.0.1", stage.port)]


@on_linux
def test_while_nobody_watches_it_does_nothing_at_all(stage):
    stage.write(stage.healthy())
    stage.start_page()
    time.sleep(0.3)
    before = switches(stage.page.pid)
    time.sleep(2)
    assert switches(stage.page.pid) - before <= 2
    assert stage.airflow.asked == stage.mlflow.asked == []
    assert pss_mib(stage.page.pid) < 45


@on_linux
def test_it_stays_small_while_it_is_asked(stage):
    stage.write(stage.healthy())
    stage.start_page()
    for path in ("/", "/api/status", "/metrics"):
        stage.get(path)
    assert pss_mib(stage.page.pid) < 60


def test_the_api_tells_what_airflow_and_mlflow_said(stage):
    stage.write(stage.healthy())
    stage.start_page()
    status = json.loads(stage.get("/api/status"))
    assert status["headline"]["text"] == "Everything is running"
    assert status["airflow"]["error"] == status["mlflow"]["error"] == ""
    assert [run["dag_id"] for run in status["airflow"]["runs"]][:2] == ["example_dag", "simple_test_dag"]
    assert status["mlflow"]["models"][0] | {"created_at": 0, "url": ""} == {
        "name": "digits",
        "version": "2",
        "aliases": ["champion"],
        "created_at": 0,
        "url": "",
    }
    assert all(row["memory_mib"] > 0 for row in status["services"] if row["kind"] == "service")
    asked = len(stage.airflow.asked)
    for _ in range(10):
        stage.get("/api/status")
    assert len(stage.airflow.asked) - asked <= 4  # one more round at most
    assert "Bearer a-token-of-the-fake" in stage.airflow.authorizations


def test_metrics_can_be_scraped_and_ask_nobody(stage):
    stage.write(stage.healthy())
    stage.start_page()
    text = stage.get("/metrics")
    assert "airfoil_stack_ready 1.0" in text
    assert 'airfoil_service_up{service="mlflow"} 1.0' in text
    assert 'airfoil_service_memory_bytes{service="scheduler"}' in text
    assert stage.airflow.asked == []


def test_silent_neighbours_keep_nobody_waiting(stage):
    stage.write(stage.healthy())
    stage.airflow.silent = stage.mlflow.silent = True
    stage.start_page()
    began = time.monotonic()
    assert "Everything is running" in stage.get("/")
    assert time.monotonic() - began < 2
    deadline = time.monotonic() + 15
    while "Trouble with" not in (text := json.loads(stage.get("/api/status"))["headline"]["text"]):
        assert time.monotonic() < deadline, text
        time.sleep(0.2)
    assert "did not answer within 2 s" in stage.get("/api/status")


def test_only_reading_and_only_under_our_own_name(stage):
    stage.start_page()
    assert request(stage, "GET", "/", Host="evil.example")[0] == 421
    assert request(stage, "GET", "/api/status", Host=f"evil.example:{stage.port}")[0] == 421
    assert request(stage, "GET", "/healthz", Host="localhost:1234")[0] == 200
    assert request(stage, "HEAD", "/")[0] == 200
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert request(stage, method, "/api/status")[0] == 405


def test_no_secret_leaves_the_page(stage, with_service):
    secret = stage.secrets.admin_password
    stage.airflow.routes["/api/v2/importErrors"]["import_errors"] = [
        {"filename": "dags/a.py", "stack_trace": f"ValueError: login with {secret} failed"}
    ]
    state = with_service(
        stage.healthy(), "mlflow", state="failed", detail=f"postgresql://u:{secret}@db/mlflow: refused"
    )
    stage.write(state)
    stage.start_page()
    for path in ("/", "/api/status", "/metrics"):
        told = stage.get(path)
        assert secret not in told
        assert "a-token-of-the-fake" not in told
    assert "login with ••• failed" in json.loads(stage.get("/api/status"))["problems"][1]["message"]


def test_it_ends_at_once_even_with_an_open_stream(stage):
    stage.write(stage.healthy())
    stage.start_page()
    with stage.open("/events") as stream:
        assert stream.readline() == b"event: status\n"
        page = stage.page
        began = time.monotonic()
        page.terminate()
        page.wait(5)
        assert time.monotonic() - began < 2
        stream.read()


def test_after_the_last_watcher_left_nobody_is_asked_any_more(stage):
    stage.write(stage.healthy())
    stage.start_page()
    with stage.open("/events") as stream:
        assert stream.readline() == b"event: status\n"
    deadline = time.monotonic() + 10
    while True:
        asked = len(stage.airflow.asked)
        time.sleep(3)  # longer than an answer is kept
        if len(stage.airflow.asked) == asked:
            return
        assert time.monotonic() < deadline


def test_a_garbled_state_is_told_as_none_and_mended_by_the_next(stage):
    stage.project.state_file.write_text('{"schema": 1')
    stage.start_page()
    assert json.loads(stage.get("/api/status"))["headline"]["text"] == "Airfoil is not running"
    stage.write(stage.healthy())
    assert json.loads(stage.get("/api/status"))["headline"]["text"] == "Everything is running"
