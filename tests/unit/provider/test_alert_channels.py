"""Connections become channels as Airflow's own providers would read them; what is missing is said."""

from __future__ import annotations

import pytest
from airflow.sdk import Connection
from tests.mail_server import MailServerForTests, serving

from airfoil.errors import ConfigurationError
from airfoil.provider.alert_channels import chat_channel, mail_channel, recipients, wanted_connections
from airfoil.steps.alerts import Alert

pytestmark = pytest.mark.unit

TO = ("ana@example.com",)
FAILED = Alert(kind="failed", dag_id="churn\r\nBcc: all@example.com", reason="no rows ü")


def smtp(extra=None, **fields):
    given = {"conn_id": "smtp_default", "conn_type": "smtp", "host": "mail.test"} | fields
    return Connection(**given, extra=extra)


@pytest.mark.parametrize(
    ("extra", "port", "security"),
    [
        ('{"disable_ssl": "true", "disable_tls": "true"}', 25, "none"),
        ('{"disable_ssl": true, "disable_tls": true}', 25, "none"),
        ('{"disable_ssl": true}', 587, "starttls"),
        ('{"disable_tls": true}', 465, "tls"),
        ("{}", 465, "tls"),
        ("{}", 587, "starttls"),
        ('{"disable_ssl": "false", "disable_tls": ""}', None, "starttls"),
    ],
)
def test_how_a_connection_is_encrypted(extra, port, security):
    assert mail_channel(smtp(extra, port=port), TO).server.security == security


def test_a_login_a_sender_and_a_certificate():
    extra = '{"from_email": "ml@example.com", "ssl_context": "none", "ca_file": "/ca.pem", "timeout": "2.5"}'
    found = mail_channel(smtp(extra, login="ana", password="geheim", port=587), TO)
    assert (found.server.login, found.server.password, found.sender) == ("ana", "geheim", "ml@example.com")
    assert (found.server.check_certificate, found.server.ca_file) == (False, "/ca.pem")
    assert found.server.timeout_seconds == 2.5
    assert "geheim" not in repr(found)


@pytest.mark.parametrize("given", ["x", "-1", "3600", "", "null"])
def test_a_task_that_has_ended_waits_eight_seconds_for_an_answer_at_most(given):
    assert mail_channel(smtp(f'{{"timeout": "{given}"}}'), TO).server.timeout_seconds == 8.0


@pytest.mark.parametrize(
    ("login", "sender"),
    [("ana@example.com", "ana@example.com"), ("ana", "airfoil@mail.test"), (None, "airfoil@mail.test")],
)
def test_a_sender_follows_from_the_login_or_the_host(login, sender):
    assert mail_channel(smtp(login=login), TO).sender == sender


def test_oauth2_by_a_token_alone():
    found = mail_channel(smtp('{"auth_type": "oauth2", "access_token": "t", "from_email": "a@b.c"}'), TO)
    assert (found.server.token, found.server.login) == ("t", "a@b.c")
    with pytest.raises(ConfigurationError, match="holds no access_token"):
        mail_channel(smtp('{"auth_type": "oauth2"}'), TO)


def test_a_connection_without_a_host():
    with pytest.raises(ConfigurationError, match="no host"):
        mail_channel(smtp(host=None), TO)


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"conn_type": "http", "password": "https://hooks.test/T/B/x"}, "https://hooks.test/T/B/x"),
        (
            {"conn_type": "slackwebhook", "host": "https://hooks.slack.com/services/", "password": "T/B/x"},
            "https://hooks.slack.com/services/T/B/x",
        ),
        ({"conn_type": "https", "host": "hooks.test", "schema": "T/B/x"}, "https://hooks.test/T/B/x"),
        (
            {"conn_type": "http", "host": "hooks.test", "schema": "https", "password": "x"},
            "https://hooks.test/x",
        ),
        (
            {"conn_type": "http", "host": "hooks.test", "port": 8080, "schema": "x"},
            "http://hooks.test:8080/x",
        ),
        ({"conn_type": "slackwebhook", "host": "hooks.test", "password": "x"}, "https://hooks.test/x"),
    ],
)
def test_where_a_webhook_is(fields, url):
    found = chat_channel(Connection(conn_id="alerts_webhook", **fields))
    assert found.url == url
    assert "x" not in repr(found).replace("x=", "")


def test_a_webhook_that_is_not_set():
    assert chat_channel(Connection(conn_id="alerts_webhook", conn_type="http")) is None


def test_who_gets_mail(monkeypatch):
    assert recipients() == ()
    monkeypatch.setenv("AIRFLOW__AIRFOIL__ALERT_MAIL_TO", " ana@example.com; bo@example.com,, ")
    assert recipients() == ("ana@example.com", "bo@example.com")
    assert recipients("c@example.com") == ("c@example.com",)


def test_the_mail_server_is_asked_for_when_somebody_gets_mail():
    assert wanted_connections(TO) == ("smtp_default", "alerts_webhook")
    assert wanted_connections(()) == ("alerts_webhook",)


def test_a_name_with_a_line_end_is_no_header():
    with serving(MailServerForTests(refused=frozenset({"bo@example.com"}))) as server:
        plain = '{"disable_ssl": true, "disable_tls": true}'
        channel = mail_channel(smtp(plain, host="127.0.0.1", port=server.port), (*TO, "bo@example.com"))
        assert channel.send(FAILED) == "not for bo@example.com: 550 5.1.1 no such user here"
    (mail,) = server.mails
    assert mail.message["Bcc"] is None
    assert mail.message["Subject"] == "churn Bcc: all@example.com failed: no rows ü"


def test_a_message_in_a_chat(http_server, answer):
    http_server.on("POST", "/T/x", answer("ok"))
    connection = Connection(conn_id="alerts_webhook", conn_type="http", password=f"{http_server.url}/T/x")
    assert chat_channel(connection).send(FAILED) == ""
    assert http_server.asked("/T/x")[0].body["text"] == "churn Bcc: all@example.com failed: no rows ü"
