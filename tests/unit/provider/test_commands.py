"""`airflow airfoil test-alert` says how each channel did."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from tests.mail_server import MailServerForTests, serving

from airfoil.provider.commands import commands, send_test_alert

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_SMTP_DEFAULT", raising=False)
    monkeypatch.delenv("AIRFLOW_CONN_ALERTS_WEBHOOK", raising=False)


def test_the_list_leads_to_the_command():
    (group,) = commands()
    (command,) = group.subcommands
    assert (group.name, command.name) == ("airfoil", "test-alert")
    with pytest.raises(SystemExit):
        command.func(None)


def test_every_channel_is_tried_and_told(monkeypatch, http_server, answer, capsys):
    http_server.on("POST", "/x", answer("gone", 404))
    with serving(MailServerForTests()) as server:
        smtp = {"conn_type": "smtp", "host": "127.0.0.1", "port": server.port}
        extra = {"disable_ssl": True, "disable_tls": True}
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(smtp | {"extra": extra}))
        monkeypatch.setenv("AIRFLOW__AIRFOIL__ALERT_MAIL_TO", "ana@example.com")
        send_test_alert()
        assert capsys.readouterr().out == "Sent: mail to ana@example.com\n"
        chat = {"conn_type": "http", "password": f"{http_server.url}/x"}
        monkeypatch.setenv("AIRFLOW_CONN_ALERTS_WEBHOOK", json.dumps(chat))
        with pytest.raises(SystemExit):
            send_test_alert()
        assert "does not take the message (404 gone)" in capsys.readouterr().out
        assert [one.message["Subject"] for one in server.mails] == ["A test of alerts succeeded"] * 2


def test_nothing_set_is_said(capsys):
    with pytest.raises(SystemExit) as caught:
        send_test_alert()
    assert caught.value.code == 1
    assert "no channel for alerts" in capsys.readouterr().out


def test_the_list_itself_imports_nothing_of_ours():
    code = (
        "import sys, airfoil.provider.commands; print(any('notifications' in name for name in sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
