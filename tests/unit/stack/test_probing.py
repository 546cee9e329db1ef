"""Rounds of questions: when one is due, what it asks, and which answers count."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from airfoil.stack import health, port_probe, process
from airfoil.stack.health import Answer
from airfoil.stack.probing import CALM_SECONDS, Prober
from airfoil.stack.service import Probe, Service
from airfoil.stack.supervision import Watched

pytestmark = pytest.mark.unit

T0 = 1_800_000_000.0
AIRFLOW = "http://airflow/health"
MLFLOW = "http://mlflow/health"
ME = os.getpid()


def watched(name, probe, state="ready", pid: int | None = ME) -> Watched:
    return Watched(Service(name=name, title=name, argv=(), probe=probe), state=state, pid=pid)


def http(name="mlflow", state="ready", url=MLFLOW, pid: int | None = ME):
    return watched(name, Probe("http", url), state, pid)


def heartbeat(state="ready", name="scheduler"):
    return watched(name, Probe("heartbeat", AIRFLOW, component=name), state)


class Rounds:
    """A prober whose rounds run where they stand, over answers a test writes down."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wake, self.woken = socket.socketpair()
        self.prober = Prober(self.wake)
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.rounds = 0
        monkeypatch.setattr(health, "fetch", self.fetch)

    def fetch(self, url: str) -> Answer:
        self.asked.append(url)
        return self.answers.get(url, Answer(0, "nothing listens there"))

    def look(self, *rows: Watched, now: float = T0) -> None:
        self.prober.look_if_due(rows, now)

    def heard(self) -> dict[str, bool]:
        return {name: verdict.healthy for name, verdict in self.prober.verdicts()}


@pytest.fixture
def rounds(monkeypatch) -> Iterator[Rounds]:
    made = Rounds(monkeypatch)

    def run_now(thread: threading.Thread) -> None:
        """The round is over when the look returns."""
        made.rounds += 1
        thread.run()

    monkeypatch.setattr(threading.Thread, "start", run_now)
    with made.wake, made.woken:
        yield made


def test_a_round_reports_and_wakes_the_loop(rounds):
    rounds.answers = {MLFLOW: Answer(200, "OK")}
    rounds.look(http())
    assert rounds.woken.recv(10) == b"\0"
    assert rounds.heard() == {"mlflow": True}
    assert rounds.heard() == {}, "each verdict is heard once"


@pytest.mark.parametrize(("state", "believed"), [("starting", False), ("ready", True), ("unhealthy", True)])
def test_a_good_answer_of_another_server_on_its_port_does_not_make_it_ready(
    rounds, monkeypatch, state, believed
):
    monkeypatch.setattr(port_probe, "stranger_on", lambda _port, _ours: "nginx (process 7)")
    rounds.answers = {MLFLOW: Answer(200, "OK")}
    one = http(state=state)
    one.service = replace(one.service, port=5000)
    rounds.look(one)
    ((_, verdict),) = rounds.prober.verdicts()
    assert verdict.healthy == believed
    assert believed or verdict.detail == "port 5000 is in use by nginx (process 7), which is not ours"


def test_only_processes_that_run_and_can_be_asked_are_asked(rounds):
    rounds.look(
        http("a", "waiting"),
        http("b", "stopping"),
        http("c", "restarting", pid=None),
        http("d", "starting", pid=None),
        watched("setup", Probe("exit"), "starting"),
        watched("preload", Probe("channel")),
    )
    assert (rounds.rounds, rounds.asked) == (0, [])


def test_when_all_is_well_the_next_round_comes_after_a_while(rounds):
    for now in (T0, T0 + 0.1, T0 + CALM_SECONDS - 0.1):
        rounds.look(http(), now=now)
        rounds.heard()
    assert rounds.rounds == 1
    rounds.look(http(), now=T0 + CALM_SECONDS)
    assert rounds.rounds == 2


@pytest.mark.parametrize("state", ["starting", "unhealthy"])
def test_while_something_is_not_ready_every_look_asks(rounds, state):
    for now in (T0, T0 + 0.1, T0 + 0.2):
        rounds.look(http(state=state), http("page"), now=now)
        rounds.heard()
    assert rounds.rounds == 3


def test_one_round_at_a_time(rounds):
    rounds.look(http(state="starting"))
    rounds.look(http(state="starting"), now=T0 + 60)
    assert rounds.rounds == 1, "nobody has read the first one's verdicts yet"
    rounds.heard()
    rounds.look(http(state="starting"), now=T0 + 61)
    assert rounds.rounds == 2


def test_one_document_is_fetched_once_for_all_that_read_it(rounds):
    rounds.answers = {AIRFLOW: Answer(200, "{}")}
    rounds.look(http("api-server", url=AIRFLOW), heartbeat("starting"), heartbeat("starting", "triggerer"))
    assert rounds.asked == [AIRFLOW]
    assert rounds.heard() == {"api-server": True, "scheduler": False, "triggerer": False}


def test_a_verdict_about_a_process_that_was_replaced_does_not_count(rounds):
    rounds.answers = {MLFLOW: Answer(200, "OK")}
    rounds.look(http())
    rounds.prober.look_if_due([http(pid=1)], T0)
    assert rounds.heard() == {}


def test_a_service_that_left_the_table_does_not_count(rounds):
    rounds.look(http())
    rounds.prober.look_if_due([], T0)
    assert rounds.heard() == {}


@pytest.mark.parametrize("document", [Answer(0, "silent for 5 s"), Answer(503, "")])
def test_heartbeats_are_not_held_against_anybody_while_their_holder_is_away(rounds, document):
    rounds.answers = {AIRFLOW: document}
    holder = http("api-server", "starting", url=AIRFLOW)
    rounds.look(holder, heartbeat("ready"), heartbeat("unhealthy", "triggerer"), heartbeat("starting", "new"))
    assert rounds.heard() == {"api-server": False, "new": False}, (
        "who was ready is not judged; who starts is not ready"
    )


def test_heartbeats_count_when_their_holder_is_ready(rounds):
    rounds.answers = {AIRFLOW: Answer(200, '{"scheduler": {"status": "unhealthy"}}')}
    rounds.look(http("api-server", url=AIRFLOW), heartbeat("ready"))
    assert rounds.heard() == {"api-server": True, "scheduler": False}


def test_a_question_knows_when_the_process_began(rounds):
    began = process.started_at_epoch(ME)
    assert began is not None
    for beat, healthy in ((began - 1, False), (began + 1, True)):
        from datetime import UTC, datetime

        text = datetime.fromtimestamp(beat, UTC).isoformat()
        body = f'{{"scheduler": {{"status": "healthy", "latest_scheduler_heartbeat": "{text}"}}}}'
        rounds.answers = {AIRFLOW: Answer(200, body)}
        rounds.look(heartbeat("starting"), now=T0 + healthy)
        assert rounds.heard() == {"scheduler": healthy}


def test_those_on_their_way_are_asked_often_but_not_without_a_pause(rounds):
    rounds.look(http(state="starting"), http("page", "ready", "http://page"))
    assert rounds.asked == [MLFLOW, "http://page"]
    for tenth in range(1, 21):
        rounds.heard()
        rounds.look(http(state="starting"), http("page", "ready", "http://page"), now=T0 + tenth / 20)
    assert rounds.asked[2:] == [MLFLOW] * 10, "ten times in a second, and who is ready is left alone"


def test_a_round_that_breaks_down_does_not_stop_later_ones(rounds, monkeypatch):
    def broken(_url: str) -> Answer:
        raise RuntimeError

    monkeypatch.setattr(health, "fetch", broken)
    with pytest.raises(RuntimeError):
        rounds.look(http(state="starting"))
    assert rounds.heard() == {}
    monkeypatch.setattr(health, "fetch", lambda _url: Answer(200, "OK"))
    rounds.look(http(state="starting"), now=T0 + 1)
    assert rounds.heard() == {"mlflow": True}


def test_a_loop_that_is_gone_does_not_matter_to_a_round(rounds):
    rounds.woken.close()
    rounds.look(http(state="starting"))
    assert rounds.heard() == {"mlflow": False}
