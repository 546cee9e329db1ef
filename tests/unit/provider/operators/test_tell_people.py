"""A mail says what happened, with numbers, links and the next move; a server that is down fails nothing."""

from __future__ import annotations

import json
import logging

import pytest
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization
from tests.mail_server import MailServerForTests, serving

from airfoil.errors import ConfigurationError
from airfoil.provider.operators.tell_people import TellPeopleOperator
from airfoil.records import GateDecision

pytestmark = pytest.mark.unit
DECISION = GateDecision(
    passed=False, metric="accuracy", value=0.7, needed=0.9, reason="accuracy is 0.7", rows=38
)


@pytest.fixture(autouse=True)
def platform(tmp_path, monkeypatch, context):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WORK_AREA", str(tmp_path))
    monkeypatch.delenv("AIRFLOW_CONN_SMTP_DEFAULT", raising=False)
    monkeypatch.delenv("AIRFLOW_CONN_ALERTS_WEBHOOK", raising=False)
    context["ti"].__dict__["xcom_pull"] = lambda **_: "http://mlflow.test/#/runs/1"


@pytest.fixture
def mail(monkeypatch):
    with serving(MailServerForTests()) as server:
        point_to(monkeypatch, server.port)
        yield server


def point_to(monkeypatch, port):
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "airfoil@example.com"}
    connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))


def tell(**given):
    given = {"title": "no new wine model", "kind": "rejected", "about": [DECISION], **given}
    operator = TellPeopleOperator(task_id="tell", next_move="Try another one.", **given)
    operator.upstream_task_ids.add("gate")
    return operator


def test_a_mail_has_everything_in_both_forms(run, mail):
    assert run(tell(to=["ana@example.com", "bo@example.com"]))["told"] is True
    (sent,) = mail.mails
    assert sent.to == ["ana@example.com", "bo@example.com"]
    assert sent.message["Subject"] == "wine_weekly: no new wine model: accuracy is 0.7"
    for kind in ("plain", "html"):
        text = sent.part(kind)
        for said in (
            "accuracy is 0.7",
            "Needed",
            "0.9",
            "Try another one.",
            "http://mlflow.test/#/runs/1",
            "manual__1",
        ):
            assert said in text, kind


def test_without_an_address_the_platform_says_who(run, mail, monkeypatch):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__ALERT_MAIL_TO", "team@example.com")
    run(tell(to=""))
    assert mail.mails[0].to == ["team@example.com"]


def test_nobody_to_tell_is_a_line_in_the_log(run, caplog):
    caplog.set_level(logging.INFO)
    assert run(tell())["told"] is False
    assert "Nobody is told" in caplog.text


def test_a_mail_server_that_is_down_fails_nothing(run, monkeypatch, caplog):
    point_to(monkeypatch, 1)
    assert run(tell(to="ana@example.com"))["told"] is False
    assert "is not reached" in caplog.text


def test_links_that_cannot_be_had_are_left_out(run, mail, context):
    def refuse(**_):
        raise RuntimeError("API_SERVER_ERROR")

    context["ti"].__dict__["xcom_pull"] = refuse
    run(tell(to="ana@example.com"))
    assert "mlflow" not in mail.mails[0].part("plain")


def test_what_is_no_news_is_refused():
    with pytest.raises(ConfigurationError, match="'failed' is nothing to tell people"):
        tell(kind="failed")


def test_it_survives_a_serialize_round_trip():
    with DAG("shop", schedule=None) as dag:
        TellPeopleOperator(task_id="tell", title="out", about=[DECISION], to="ana@example.com")
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag)))).get_task("tell")
    assert (back.title, back.to, back.about[0]["metric"]) == ("out", "ana@example.com", "accuracy")
