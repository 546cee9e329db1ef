"""Readiness by a service's own words: every kind of answer, and every kind of garbage."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta

import pytest

from airfoil.stack.health import Answer, Health, fetch, judge
from airfoil.stack.service import Probe

pytestmark = pytest.mark.unit

URL = "http://127.0.0.1:1/health"
DATABASE = Probe("http", URL, expect={"metadatabase": {"status": "healthy"}})
SCHEDULER = Probe("heartbeat", URL, component="scheduler")
STARTED = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)

GARBAGE = [
    "",
    " ",
    "<!doctype html><title>Airflow</title>",
    "<html>502 Bad Gateway</html>",
    "null",
    "true",
    "0",
    '"healthy"',
    "[]",
    "[[]]",
    '[{"status": "healthy"}]',
    "{}",
    '{"metadatabase": null, "scheduler": null}',
    '{"metadatabase": "healthy", "scheduler": "healthy"}',
    '{"metadatabase": ["healthy"], "scheduler": ["healthy"]}',
    '{"metadatabase": {}, "scheduler": {}}',
    '{"metadatabase": {"status": null}, "scheduler": {"status": null}}',
    '{"metadatabase": {"status": ["healthy"]}, "scheduler": {"status": {"healthy": true}}}',
    '{"metadatabase": {"status": "HEALTHY"}, "scheduler": {"status": "unhealthy"}}',
    '{"status": "healthy"}',
    '{"metadatabase": {"status": "healthy"',
    "NaN",
    "9" * 5000,
    "\x00\x00",
    "�" * 10,
    "[" * 200_000,
    '{"a":' * 100_000,
]


def beats(text, status="healthy", component="scheduler"):
    return Answer(200, json.dumps({component: {"status": status, f"latest_{component}_heartbeat": text}}))


def ago(seconds):
    return (STARTED + timedelta(seconds=seconds)).isoformat()


# -- plain documents


def test_an_answer_of_200_is_enough_where_nothing_else_is_expected():
    assert judge(Probe("http", URL), Answer(200, "OK"), None) == Health(healthy=True)


@pytest.mark.parametrize("status", [0, 100, 201, 204, 302, 404, 500, 503])
@pytest.mark.parametrize("probe", [Probe("http", URL), DATABASE, SCHEDULER])
def test_any_other_status_is_not_and_the_address_is_named(probe, status):
    body = json.dumps({"metadatabase": {"status": "healthy"}})
    verdict = judge(probe, Answer(status, body), None)
    assert not verdict.healthy
    assert URL in verdict.detail


def test_no_answer_says_why():
    verdict = judge(DATABASE, Answer(0, "nothing listens there"), None)
    assert verdict.detail == f"no answer from {URL}: nothing listens there"


def test_the_body_must_hold_what_is_expected_whatever_else_it_holds():
    body = {"metadatabase": {"status": "healthy", "more": [1]}, "scheduler": None}
    assert judge(DATABASE, Answer(200, json.dumps(body)), None).healthy
    body["metadatabase"] = {"status": "unhealthy"}
    verdict = judge(DATABASE, Answer(200, json.dumps(body)), None)
    assert not verdict.healthy
    assert '"unhealthy"' in verdict.detail


@pytest.mark.parametrize("probe", [DATABASE, SCHEDULER], ids=["http", "heartbeat"])
@pytest.mark.parametrize("body", GARBAGE, ids=lambda body: body[:20])
def test_garbage_is_never_healthy_and_never_an_exception(probe, body):
    verdict = judge(probe, Answer(200, body), STARTED.timestamp())
    assert not verdict.healthy
    assert 10 < len(verdict.detail) < 300


# -- heartbeats


@pytest.mark.parametrize("component", ["scheduler", "dag_processor", "triggerer"])
def test_a_heartbeat_after_the_start_is_proof(component):
    probe = Probe("heartbeat", URL, component=component)
    answer = beats(ago(1), component=component)
    assert judge(probe, answer, STARTED.timestamp()) == Health(healthy=True)
    assert judge(probe, answer, None) == Health(healthy=True)


def test_a_heartbeat_of_the_process_before_is_none():
    verdict = judge(SCHEDULER, beats(ago(-0.001)), STARTED.timestamp())
    assert verdict == Health(healthy=False, detail="the scheduler has not sent a heartbeat since it started")


def test_what_airflow_calls_unhealthy_is_unhealthy_even_with_a_fresh_heartbeat():
    verdict = judge(SCHEDULER, beats(ago(5), status="unhealthy"), STARTED.timestamp())
    assert verdict == Health(healthy=False, detail="Airflow says the scheduler is unhealthy")


def test_a_component_that_airflow_does_not_know_yet():
    for part in ("{}", '{"scheduler": null}', "[]"):
        verdict = judge(SCHEDULER, Answer(200, part), None)
        assert verdict == Health(healthy=False, detail="Airflow knows no scheduler yet")


@pytest.mark.parametrize(
    "text",
    [
        *("", None, 0, 1_800_000_000, 1.5, True, [], {}, "now", "healthy", "2026-13-45T99:00:00"),
        *("2026-11-20T12:00:00+99:00", "0000-00-00", "-1", "é", "1763640000"),
    ],
    ids=str,
)
def test_a_heartbeat_that_is_no_time_is_no_heartbeat(text):
    assert not judge(SCHEDULER, beats(text), STARTED.timestamp()).healthy


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "1970-01-01T00:00:00Z"])
def test_a_heartbeat_from_long_ago_is_not_its_own(text):
    verdict = judge(SCHEDULER, beats(text), STARTED.timestamp())
    assert verdict.detail == "the scheduler has not sent a heartbeat since it started"


@pytest.mark.parametrize("text", [ago(3600), "2099-01-01T00:00:00Z", "9999-12-31T23:59:59.999999-14:00"])
def test_a_clock_that_runs_ahead_does_not_keep_a_healthy_service_from_being_ready(text):
    assert judge(SCHEDULER, beats(text), STARTED.timestamp()).healthy


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles"])
def test_a_time_without_a_zone_is_utc_wherever_we_are(zone, monkeypatch):
    import time

    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert judge(SCHEDULER, beats("2026-11-20T12:00:01"), STARTED.timestamp()).healthy
        assert not judge(SCHEDULER, beats("2026-11-20T11:59:59"), STARTED.timestamp()).healthy
    finally:
        monkeypatch.undo()
        time.tzset()


# -- asking


def test_fetch_gives_status_and_body(http_server, answer):
    http_server.on("GET", "/health", answer({"a": "ü"}))
    http_server.on("GET", "/", answer("root", 503))
    found = fetch(f"{http_server.url}/health")
    assert (found.status, json.loads(found.body)) == (200, {"a": "ü"})
    assert fetch(http_server.url) == Answer(503, "root")
    assert http_server.requests[0].headers["accept"] == "application/json"


def test_fetch_reads_bytes_that_are_no_text_and_no_more_than_a_megabyte(http_server, answer):
    http_server.on("GET", "/", answer(b"\xff\xfe" + b"x" * 1_100_000))
    found = fetch(http_server.url)
    assert found.status == 200
    assert found.body.startswith("\ufffd")
    assert len(found.body) == 1_000_000


def test_fetch_never_raises(http_server, hang):
    http_server.on("GET", "/slow", hang)
    assert fetch(f"{http_server.url}/slow", timeout_seconds=0.05).body == "silent for 0 s"
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert fetch(f"http://127.0.0.1:{port}/") == Answer(0, "nothing listens there")
    for wrong in (
        "",
        "no address",
        "http://",
        "http://[",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:x/",
        "http://a b/",
    ):
        found = fetch(wrong, timeout_seconds=0.05)
        assert found.status == 0, wrong
        assert found.body


def test_fetch_of_something_that_speaks_no_http():
    import threading

    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak() -> None:
            peer, _ = server.accept()
            with peer:
                peer.recv(1000)
                peer.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

        speaker = threading.Thread(target=speak)
        speaker.start()
        found = fetch(f"http://127.0.0.1:{server.getsockname()[1]}/")
        speaker.join()
    assert found.status == 0
    assert found.body.startswith("BadStatusLine")
