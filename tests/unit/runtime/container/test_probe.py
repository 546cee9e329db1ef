"""Asking a service whether it is well: what counts as well, and the one line that says what is not."""

from __future__ import annotations

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from airfoil.runtime.container import probe

pytestmark = pytest.mark.unit

HEALTH = {"scheduler": {"status": "healthy"}, "triggerer": {"status": None}}


@pytest.fixture
def url():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(503 if self.path == "/down" else 200)
            self.end_headers()
            self.wfile.write(b"OK" if self.path == "/plain" else json.dumps(HEALTH).encode())

        def log_message(self, *_):
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_answer_is_enough(url):
    assert probe.ask(f"{url}/plain") == ""
    assert probe.ask(url.replace("http", "tcp")) == ""


def test_an_answer_that_says_the_service_is_down_is_not(url):
    assert probe.ask(f"{url}/down") == f"{url}/down answered 503"


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ("scheduler.status=healthy", ""),
        ("triggerer.status=healthy", "says triggerer.status is None, not healthy"),
        ("dag_processor.status=healthy", "says dag_processor.status is None, not healthy"),
        ("scheduler.status.deep=healthy", "says scheduler.status.deep is None, not healthy"),
    ],
)
def test_what_is_expected_must_be_in_the_answer(url, expected, said):
    assert probe.ask(f"{url}/health", [expected]) == (f"{url}/health {said}" if said else "")


def test_every_expectation_must_hold(url):
    both = ["scheduler.status=healthy", "triggerer.status=healthy"]
    assert "triggerer" in probe.ask(f"{url}/health", both)


def test_no_json_where_some_is_expected_is_told(url):
    assert probe.ask(f"{url}/plain", ["a=b"]) == f"{url}/plain answered something that is not JSON"


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/", "tcp://127.0.0.1:1"])
def test_nobody_there_is_told_in_one_line(address):
    said = probe.ask(address)
    assert said.startswith(f"{address} gives no answer: ")
    assert "\n" not in said


def test_an_address_of_another_kind_is_refused():
    assert "http://, https:// or tcp://" in probe.ask("file:///etc/passwd")


def test_a_heartbeat_is_young_old_or_missing(tmp_path):
    file = tmp_path / "beat"
    assert probe.look_at(file, 60, 1000.0) == f"{file} is not there: no heartbeat yet"
    file.touch()
    os.utime(file, (900, 900))
    assert probe.look_at(file, 60, 1000.0) == "the last heartbeat is 100 s old"
    assert probe.look_at(file, 60, 959.0) == ""


def test_it_ends_with_one_when_something_is_wrong(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "argv", ["probe", "--heartbeat-file", str(tmp_path / "none")])
    with pytest.raises(SystemExit) as ended:
        probe.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err.endswith("no heartbeat yet\n")


def test_it_ends_well_when_all_is_well(url, monkeypatch, tmp_path):
    (tmp_path / "beat").touch()
    argv = [
        "probe",
        f"{url}/h",
        "--expect",
        "scheduler.status=healthy",
        "--heartbeat-file",
        f"{tmp_path}/beat",
    ]
    monkeypatch.setattr(sys, "argv", argv)
    probe.main()


def test_nothing_to_ask_is_a_mistake(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["probe"])
    with pytest.raises(SystemExit) as ended:
        probe.main()
    assert ended.value.code == 2
    assert "--heartbeat-file" in capsys.readouterr().err
