"""An alert goes over every channel once; whatever goes wrong is a line in the log and nothing else."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from types import SimpleNamespace

import pytest
from airflow.sdk import Connection
from tests.mail_server import MailServerForTests, serving

from airfoil.errors import ServiceAnswerError
from airfoil.provider import alert_rate
from airfoil.provider.notifications import alert as module
from airfoil.provider.notifications.alert import NO_CHANNEL, AlertNotifier, deliver, tell
from airfoil.steps.alerts import Alert

pytestmark = pytest.mark.unit

PATH = "/T/s3cr3t"


@pytest.fixture(autouse=True)
def platform(tmp_path, monkeypatch, caplog):
    """A platform without any channel."""
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WORK_AREA", str(tmp_path))
    monkeypatch.delenv("AIRFLOW_CONN_SMTP_DEFAULT", raising=False)
    monkeypatch.delenv("AIRFLOW_CONN_ALERTS_WEBHOOK", raising=False)
    caplog.set_level(logging.INFO)

    async def read(name):
        return Connection.get(name)

    monkeypatch.setattr(module.BaseHook, "aget_connection", staticmethod(read))


@pytest.fixture
def mail(monkeypatch):
    with serving(MailServerForTests()) as server:
        extra = {"disable_ssl": True, "disable_tls": True, "from_email": "airfoil@example.com"}
        connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": server.port, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))
        monkeypatch.setenv("AIRFLOW__AIRFOIL__ALERT_MAIL_TO", "ana@example.com")
        yield server


@pytest.fixture
def chat(monkeypatch, http_server, answer):
    http_server.on("POST", PATH, answer("ok"))
    connection = {"conn_type": "http", "password": f"{http_server.url}{PATH}"}
    monkeypatch.setenv("AIRFLOW_CONN_ALERTS_WEBHOOK", json.dumps(connection))
    return http_server


def failed(task_id="train", run_id="manual__1"):
    ti = SimpleNamespace(
        dag_id="churn",
        run_id=run_id,
        task_id=task_id,
        map_index=-1,
        state="failed",
        xcom_pull=lambda **_: None,
    )
    return {
        "ti": ti,
        "exception": ValueError("no rows"),
        "dag_run": {"start_date": "2026-11-22T04:00:00+00:00"},
    }


def late():
    run = {"dag_id": "churn", "dag_run_id": "manual__1", "state": "running"}
    return {"dag_run": run, "deadline": {"id": "1", "deadline_time": "2026-11-22T04:15:00+00:00"}}


async def awaited(notifier):
    """As a triggerer runs it."""
    await notifier


def test_a_failure_is_told_over_all_channels_once_for_each_run(mail, chat, caplog):
    for task_id in ("train", "measure", "publish"):
        AlertNotifier("Ask {{ ti.dag_id }}'s team")(failed(task_id))
    assert [one.message["Subject"] for one in mail.mails] == ["churn failed in train: ValueError: no rows"]
    assert "Ask churn's team" in mail.mails[0].part("plain")
    assert len(chat.asked(PATH)) == 1
    assert caplog.text.count("no second alert") == 2
    AlertNotifier()(failed(run_id="manual__2"))
    assert len(mail.mails) == 2


def test_others_get_their_own(mail):
    AlertNotifier()(failed())
    AlertNotifier(to="bo@example.com")(failed())
    assert [one.to for one in mail.mails] == [["ana@example.com"], ["bo@example.com"]]


def test_a_deadline_is_told_from_a_triggerer(mail, chat):
    asyncio.run(awaited(AlertNotifier(text="{{ dag_run.dag_run_id }}", context=late())))
    assert (
        mail.mails[0]
        .message["Subject"]
        .startswith("churn is late: It was to be done at 2026-11-22 04:15:00 UTC")
    )
    assert "manual__1" in mail.mails[0].part("plain")
    assert len(chat.asked(PATH)) == 1


def test_a_text_that_cannot_be_filled_in_is_sent_as_it_is(mail, caplog):
    AlertNotifier("{{ nobody.knows }} {% if")(failed())
    assert "{{ nobody.knows }} {% if" in mail.mails[0].part("plain")
    assert "sent as it is" in caplog.text


def test_without_a_channel_one_calm_line_says_how_to_have_one(caplog):
    AlertNotifier()(failed())
    asyncio.run(awaited(AlertNotifier(context=late())))
    lines = [(one.levelname, one.message) for one in caplog.records if one.name == module.__name__]
    assert lines == [("INFO", NO_CHANNEL)] * 2


def test_one_channel_that_fails_does_not_stop_the_other(mail, chat, answer, caplog):
    chat.on("POST", PATH, answer("revoked", 404))
    AlertNotifier()(failed())
    assert len(mail.mails) == 1
    assert (
        "webhook of alerts_webhook: The webhook at 127.0.0.1 does not take the message (404 revoked)"
        in caplog.text
    )
    assert "s3cr3t" not in caplog.text


def test_when_nobody_could_be_told_the_next_task_tries(mail, caplog):
    mail.refused = frozenset({"ana@example.com"})
    AlertNotifier()(failed("train"))
    assert "refuses all recipients" in caplog.text
    mail.refused = frozenset()
    AlertNotifier()(failed("measure"))
    assert [one.message["Subject"] for one in mail.mails] == ["churn failed in measure: ValueError: no rows"]


def test_mail_without_a_connection_is_said(monkeypatch, chat, caplog):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__ALERT_MAIL_TO", "ana@example.com")
    AlertNotifier()(failed())
    assert "no Airflow connection 'smtp_default', so ana@example.com gets no mail" in caplog.text
    assert len(chat.asked(PATH)) == 1


def test_a_connection_that_cannot_be_used_is_said(monkeypatch, caplog):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__ALERT_MAIL_TO", "ana@example.com")
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", '{"conn_type": "smtp"}')
    AlertNotifier()(failed())
    assert "has no host" in caplog.text


def test_a_bug_of_ours_or_a_context_of_nonsense_fails_nobody(mail, caplog):
    AlertNotifier()({})
    asyncio.run(awaited(AlertNotifier(context={"deadline": None, "dag_run": 3})))
    assert caplog.text.count("The alert was not sent") >= 1


class Sleepy:
    name = "sleepy"

    def send(self, alert):
        time.sleep(5)
        return ""


class Broken:
    name = "broken"

    def send(self, alert):
        raise RuntimeError("http://u:geheim@h")


class Busy:
    name = "busy"

    def send(self, alert):
        raise ServiceAnswerError("Too many messages", "Wait.")


def test_a_channel_that_says_nothing_is_not_waited_for_for_ever(caplog):
    began = time.monotonic()
    assert deliver(Alert(kind="failed", dag_id="churn"), [Sleepy(), Broken(), Busy()], 0.2) == 0
    assert time.monotonic() - began < 2
    assert "sleepy: nothing was heard for 0.2 s" in caplog.text
    assert "broken: RuntimeError: http://u:***@h" in caplog.text
    assert "busy: Too many messages. Wait." in caplog.text


def test_addresses_may_come_from_a_template_and_one_that_cannot_be_filled_is_nobodys(mail):
    import jinja2

    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 - addresses
    notifier = AlertNotifier("see {{ nothing }}", to="{{ team }}@example.com")
    notifier.render_template_fields({"team": "bo", "nothing": 1}, environment)
    assert (notifier.text, notifier.to) == ("see 1", "bo@example.com")
    notifier = AlertNotifier("see {{ nothing }}", to="{{ team }}@example.com")
    notifier.render_template_fields({"team": "bo"}, environment)
    assert (notifier.text, notifier.to) == ("see {{ nothing }}", "")
    plain = AlertNotifier("see {{ nothing }}", to="cy@example.com")
    plain.render_template_fields({}, environment)
    assert plain.to == "cy@example.com"


def test_a_dag_that_fails_again_and_again_sends_so_many_mails_an_hour(mail, caplog):
    for number in range(alert_rate.MOST_AN_HOUR + 3):
        AlertNotifier().notify(failed(run_id=f"manual__{number}"))
    assert len(mail.mails) == alert_rate.MOST_AN_HOUR
    assert "churn sends no more than 12 alerts an hour" in caplog.text


def test_a_task_tells_and_knows_whether_somebody_heard(mail, monkeypatch):
    news = Alert(kind="succeeded", dag_id="churn", title="version 3 is out")
    assert tell(news, "bo@example.com")
    assert mail.mails[0].to == ["bo@example.com"]
    monkeypatch.setattr(module.alert_channels, "recipients", lambda _: 1 / 0)
    assert not tell(news)


def test_a_mail_about_a_failure_says_what_to_do_next(mail):
    AlertNotifier().notify(failed())
    assert "Next: Mend what the reason tells" in mail.mails[0].part("plain").replace("\n", " ")
