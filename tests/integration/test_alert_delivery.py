"""One alert through a real Alertmanager to a mail server, a chat and a webhook, with the configuration of a server."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from tests.deploy.monitoring_programs import program
from tests.integration.running_airflow import Component
from tests.integration.servers import free_port, wait_until
from tests.mail_server import MailServerForTests, serving

pytestmark = pytest.mark.integration

SCRIPT = Path(__file__).parents[2] / "deploy" / "monitoring" / "alertmanager.sh"
PASSWORD = "it's #1: {x} \\n $HOME"
LABELS = {"alertname": "AirflowDAGFailed", "dag_id": "wine", "severity": "warning"}
SUMMARY = "The DAG wine has failed within the last ten minutes."


class Receiver:
    """What comes in by HTTP, by path."""

    def __init__(self):
        self.bodies = {}
        self.came = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                receiver.bodies[self.path] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if len(receiver.bodies) == 2:
                    receiver.came.set()
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_one_alert_reaches_people_by_mail_chat_and_webhook(tmp_path, receiver):
    alertmanager = program("prometheus-alertmanager")
    with serving(MailServerForTests(password=PASSWORD)) as mail:
        variables = {
            "ALERT_MAIL_TO": "ana@example.com, ben@example.com",
            "ALERT_MAIL_FROM": "robot@example.com",
            "ALERT_SMTP_HOST": f"127.0.0.1:{mail.port}",
            "ALERT_SMTP_TLS": "false",
            "ALERT_SMTP_USER": "robot",
            "ALERT_SMTP_PASSWORD": PASSWORD,
            "ALERT_CHAT_WEBHOOK": f"{receiver.url}/chat",
            "ALERT_WEBHOOK": f"{receiver.url}/hook",
        }
        written = subprocess.run(
            ["sh", str(SCRIPT), "--print"],
            env=os.environ | variables,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        (tmp_path / "alertmanager.yml").write_text(written.replace("group_wait: 15s", "group_wait: 0s"))
        port = free_port()
        argv = [alertmanager, f"--config.file={tmp_path / 'alertmanager.yml'}", "--cluster.listen-address="]
        argv += [f"--storage.path={tmp_path / 'data'}", f"--web.listen-address=127.0.0.1:{port}"]
        running = Component(argv, os.environ, tmp_path, "alertmanager")
        running.start()
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: healthy(url), running.process, running.log)
            alert = {
                "labels": LABELS,
                "annotations": {"summary": SUMMARY, "next_move": "Read the log."},
                "startsAt": datetime.now(UTC).isoformat(),
                "endsAt": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
            }
            assert httpx.post(f"{url}/api/v2/alerts", json=[alert], trust_env=False).status_code == 200
            delivered = mail.until_mail(1)
            assert receiver.came.wait(30), running.said()
        finally:
            running.kill()
    assert {to for one in delivered for to in one.to} == {"ana@example.com", "ben@example.com"}
    assert {one.login for one in delivered} == {"robot"}
    assert "AirflowDAGFailed" in str(delivered[0].message["Subject"])
    assert SUMMARY in delivered[0].part("html")
    chat = receiver.bodies["/chat"]["attachments"][0]
    assert chat["title"] == "FIRING: AirflowDAGFailed"
    assert chat["text"].strip() == f"{SUMMARY} Read the log."
    (hook,) = receiver.bodies["/hook"]["alerts"]
    assert (hook["labels"], hook["status"]) == (LABELS, "firing")


def healthy(url):
    try:
        return httpx.get(f"{url}/-/ready", trust_env=False).is_success
    except httpx.TransportError:
        return False
