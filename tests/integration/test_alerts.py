"""A real Airflow, a real mail server, a real webhook: runs that fail or are late are told of, once."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.integration.running_airflow import COMPONENTS, RunningAirflow
from tests.mail_server import MailServerForTests, make_certificate, serving

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

FAILING = """from airflow.sdk import DAG, task

import airfoil

with DAG("failing", schedule=None, on_failure_callback=airfoil.alert("Ask {{ dag.dag_id }}'s team.")):

    @task
    def load(): ...

    @task
    def train():
        raise ValueError("accuracy 0.71 is below 0.85 ✗")

    @task
    def measure():
        raise RuntimeError("no rows")

    @task
    def publish(): ...

    load() >> [train(), measure()] >> publish()
"""
NOISY = """from airflow.sdk import DAG, task

import airfoil

with DAG("noisy", schedule=None, default_args={"on_failure_callback": airfoil.alert()}):

    @task
    def train(number):
        raise ValueError(f"shard {number} is empty")

    train.expand(number=[1, 2, 3, 4])
"""
LATE = """import time
from datetime import timedelta

from airflow.sdk import DAG, task

import airfoil

told = airfoil.alert("Look at {{ dag_run.dag_run_id }}.")
with DAG("late", schedule=None, deadline=airfoil.within(minutes=0.1, alert=told)):

    @task
    def sleep():
        time.sleep(25)

    sleep()
"""
GOOD = """from airflow.sdk import DAG, task

import airfoil

with DAG("good", schedule=None, on_failure_callback=airfoil.alert(), deadline=airfoil.within(minutes=60)):

    @task(on_success_callback=airfoil.alert("done"))
    def train(): ...

    train()
"""


@pytest.fixture(scope="module")
def mail(tmp_path_factory):
    certificate, key = make_certificate(tmp_path_factory.mktemp("certificate"))
    state = MailServerForTests(security="starttls", password="geheim", certificate=certificate)
    with serving(state, key) as server:
        yield server


@pytest.fixture(scope="module")
def chat():
    """A webhook that is busy the first time it is asked; what it was sent, and its address."""
    sent, asked = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(self.path)
            busy = len(asked) == 1
            self.send_response(429 if busy else 200)
            self.end_headers()
            if not busy:
                sent.append(body)

        def log_message(self, *_):
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield sent, f"http://127.0.0.1:{server.server_address[1]}/services/s3cr3t"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def airflow(migrated_airflow, mail, chat, tmp_path_factory):
    extra = {"disable_ssl": True, "from_email": "airfoil@example.com", "ca_file": str(mail.certificate)}
    smtp = {"conn_type": "smtp", "host": "127.0.0.1", "port": mail.port, "extra": extra}
    smtp |= {"login": "robot", "password": mail.password}
    airflow = RunningAirflow.prepare(
        migrated_airflow,
        tmp_path_factory.mktemp("alerts") / "home",
        AIRFLOW_CONN_SMTP_DEFAULT=json.dumps(smtp),
        AIRFLOW_CONN_ALERTS_WEBHOOK=json.dumps({"conn_type": "http", "password": chat[1]}),
        AIRFLOW__AIRFOIL__ALERT_MAIL_TO="ml-team@example.com",
        AIRFLOW__AIRFOIL__REAPER_SECONDS="0",
        AIRFLOW__AIRFOIL__WORK_AREA=str(tmp_path_factory.mktemp("work")),
    )
    for name, text in {"failing": FAILING, "noisy": NOISY, "late": LATE, "good": GOOD}.items():
        airflow.write(name, text)
    try:
        airflow.start(*COMPONENTS, "triggerer")
        yield airflow
    finally:
        airflow.stop()


def about(mail, dag_id):
    return [one for one in mail.mails if one.message["Subject"].startswith(f"{dag_id} ")]


def test_a_dag_that_fails_is_told_of_once_with_reason_and_links(airflow, mail, chat):
    run_id = airflow.trigger("failing")
    assert airflow.until_over("failing", run_id) == "failed"
    airflow.until(lambda: about(mail, "failing"), 90, "the mail arrives")
    (found,) = about(mail, "failing")
    assert (found.to, found.encrypted, found.login) == (["ml-team@example.com"], True, "robot")
    told = found.part("plain")
    reasons = {"train": "ValueError: accuracy 0.71 is below 0.85 ✗", "measure": "RuntimeError: no rows"}
    (first,) = [task for task, reason in reasons.items() if reason in told]
    (other,) = set(reasons) - {first}
    assert found.message["Subject"] == f"failing failed in {first}: {reasons[first]}"
    assert f"Also failed: {other}" in told
    assert "Ask failing's team." in told
    assert f"{airflow.url}/dags/failing/runs/{run_id}" in told
    assert "<h2" in found.part("html")
    sent, _ = chat
    airflow.until(
        lambda: [one for one in sent if one["text"] == found.message["Subject"]], 30, "the chat hears"
    )


def test_of_four_tasks_that_fail_one_tells(airflow, mail):
    run_id = airflow.trigger("noisy")
    assert airflow.until_over("noisy", run_id) == "failed"
    (found,) = about(mail, "noisy")
    assert "is empty" in found.message["Subject"]
    logs = airflow.task_log("noisy", "train")
    assert logs.count("An alert was sent") == 2, "one mail, one message"
    assert logs.count("no second alert is sent") == 3
    assert "s3cr3t" not in logs


def test_a_run_that_is_late_is_told_of_by_the_triggerer_and_goes_on(airflow, mail):
    run_id = airflow.trigger("late")
    airflow.until(lambda: about(mail, "late"), 90, "the mail arrives")
    (found,) = about(mail, "late")
    assert found.message["Subject"].startswith("late is late: It was to be done at")
    assert f"Look at {run_id}." in found.part("plain")
    assert airflow.until_over("late", run_id) == "success"
    time.sleep(2)
    assert len(about(mail, "late")) == 1


def test_a_run_that_is_well_is_told_of_where_one_asks(airflow, mail):
    run_id = airflow.trigger("good")
    assert airflow.until_over("good", run_id) == "success"
    (found,) = about(mail, "good")
    assert found.message["Subject"] == "good succeeded in train"
