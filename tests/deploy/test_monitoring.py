"""Rules, configurations and start scripts of the monitoring, in the very programs that read them on a server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.deploy.monitoring_programs import program

pytestmark = pytest.mark.deploy

MONITORING = Path(__file__).parents[2] / "deploy" / "monitoring"


def run(*command: object, **variables: str) -> str:
    path = {"PATH": os.environ["PATH"]}
    said = subprocess.run(
        [str(part) for part in command],
        env=path | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    return said.stdout


@pytest.mark.parametrize("file", sorted((MONITORING / "tests").glob("*.yml")), ids=lambda file: file.stem)
def test_the_rules_do_what_their_tests_say(file):
    assert run(program("promtool"), "test", "rules", file).count("SUCCESS") == 1


def test_a_rule_that_is_wrong_is_found(tmp_path):
    """What a rule's test is worth: the hour of a slow task is made two, and it fails."""
    shutil.copytree(MONITORING, tmp_path / "monitoring")
    rules = tmp_path / "monitoring" / "rules" / "airflow.yml"
    text = rules.read_text(encoding="utf-8")
    rules.write_text(text.replace("> 3600", "> 7200"), encoding="utf-8")
    assert rules.read_text(encoding="utf-8") != text
    with pytest.raises(AssertionError, match="AirflowHighTaskLatency"):
        run(program("promtool"), "test", "rules", tmp_path / "monitoring" / "tests" / "airflow.yml")


def test_prometheus_understands_its_configuration():
    run(program("promtool"), "check", "config", "--syntax-only", MONITORING / "prometheus.yml")
    run(program("promtool"), "check", "rules", *sorted((MONITORING / "rules").glob("*.yml")))


def test_prometheus_understands_what_is_written_for_a_server_with_few_parts(tmp_path):
    services = "airflow-api-server,statsd-exporter,postgres-exporter,redis-exporter,prometheus,alertmanager"
    written = tmp_path / "prometheus.yml"
    written.write_text(run("sh", MONITORING / "prometheus.sh", "--print", AIRFOIL_STATUS_SERVICES=services))
    said = run(program("promtool"), "check", "config", "--syntax-only", written)
    assert "SUCCESS" in said
    jobs = {job["job_name"] for job in yaml.safe_load(written.read_text())["scrape_configs"]}
    assert jobs == {"airflow", "airfoil", "postgres", "redis", "prometheus", "alertmanager"}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, 1),
        ({"AIRFOIL_STATUS_SERVICES": "proxy,maintenance,status", "BACKUP_SCHEDULE": "30 1 * * *"}, 1),
        ({"AIRFOIL_STATUS_SERVICES": "proxy,maintenance,status", "BACKUP_SCHEDULE": ""}, 0),
        ({"AIRFOIL_STATUS_SERVICES": "proxy,status", "BACKUP_SCHEDULE": "30 1 * * *"}, 0),
    ],
)
def test_the_rules_know_whether_backups_are_taken_by_the_clock(tmp_path, variables, expected):
    written = tmp_path / "server.yml"
    written.write_text(run("sh", MONITORING / "prometheus.sh", "--print-rules", **variables))
    ((group,),) = yaml.safe_load(written.read_text()).values()
    assert group["rules"] == [{"record": "airfoil_backups_expected", "expr": f"vector({expected})"}]
    assert "1 rules found" in run(program("promtool"), "check", "rules", written)


def test_prometheus_understands_what_the_dashboards_ask(tmp_path):
    panels = [
        panel
        for path in sorted((MONITORING / "dashboards").glob("*.json"))
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]
    ]
    asked = sorted({target["expr"] for panel in panels for target in panel["targets"]})
    rules = [{"record": f"panel:{number}", "expr": expr} for number, expr in enumerate(asked)]
    written = tmp_path / "rules.yml"
    written.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    assert f"{len(asked)} rules found" in run(program("promtool"), "check", "rules", written)


def test_prometheus_is_started_with_its_token_in_memory_alone(tmp_path):
    """The script runs with a stand-in for the server, which shows what it was given."""
    shown = tmp_path / "prometheus"
    shown.write_text('#!/bin/sh\necho "$@"\necho "token=${METRICS_TOKEN-gone}"\nstat -c %a "$TOKEN"\n')
    shown.chmod(0o755)
    token = tmp_path / "metrics.token"
    script = tmp_path / "prometheus.sh"
    text = (MONITORING / "prometheus.sh").read_text(encoding="utf-8")
    script.write_text(text.replace("/tmp/", f"{tmp_path}/"), encoding="utf-8")
    shutil.copy(MONITORING / "prometheus.yml", tmp_path / "whole.yml")
    script.write_text(script.read_text().replace('"$here/prometheus.yml"', '"$here/whole.yml"'))
    path = f"{tmp_path}:{os.environ['PATH']}"
    said = run(
        "sh", script, PATH=path, TOKEN=str(token), METRICS_TOKEN="s3", AIRFOIL_URL="https://ml.example.com"
    )
    assert token.read_text() == "s3"
    assert said.splitlines()[1:] == ["token=gone", "600"]
    assert "--web.external-url=https://ml.example.com/prometheus/" in said
    with pytest.raises(AssertionError, match="METRICS_TOKEN is empty"):
        run("sh", script, PATH=path)


EVERYTHING = {
    "ALERT_MAIL_TO": "a@example.com, b@example.com",
    "ALERT_MAIL_FROM": "robot@example.com",
    "ALERT_SMTP_HOST": "mail.example.com:587",
    "ALERT_SMTP_USER": "robot",
    "ALERT_SMTP_PASSWORD": "it's #1: {x} \\n $HOME",
    "ALERT_CHAT_WEBHOOK": "https://hooks.example.com/services/T/B/x",
    "ALERT_WEBHOOK": "http://pager:9000/alerts",
}


@pytest.mark.parametrize("variables", [{}, EVERYTHING, {"ALERT_WEBHOOK": "http://pager:9000/"}])
def test_alertmanager_understands_what_is_written_for_it(tmp_path, variables):
    written = tmp_path / "alertmanager.yml"
    written.write_text(run("sh", MONITORING / "alertmanager.sh", "--print", **variables))
    assert "SUCCESS" in run(program("amtool"), "check-config", written)


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("mail.example.com", "mail.example.com:587"),
        ("mail.example.com:", "mail.example.com:587"),
        ("mail.example.com:25", "mail.example.com:25"),
        ("[2001:db8::1]", "[2001:db8::1]:587"),
        ("[2001:db8::1]:465", "[2001:db8::1]:465"),
    ],
)
def test_a_mail_server_without_a_port_does_not_stop_alertmanager(tmp_path, given, written):
    variables = {"ALERT_MAIL_TO": "a@example.com", "ALERT_SMTP_HOST": given}
    file = tmp_path / "alertmanager.yml"
    file.write_text(run("sh", MONITORING / "alertmanager.sh", "--print", **variables))
    assert yaml.safe_load(file.read_text())["global"]["smtp_smarthost"] == written
    assert "SUCCESS" in run(program("amtool"), "check-config", file)


def test_alertmanager_gets_every_value_as_it_was_given():
    written = yaml.safe_load(run("sh", MONITORING / "alertmanager.sh", "--print", **EVERYTHING))
    assert written["global"]["smtp_auth_password"] == EVERYTHING["ALERT_SMTP_PASSWORD"]
    assert written["global"]["smtp_require_tls"] is True
    (people,) = written["receivers"]
    assert people["email_configs"][0]["to"] == EVERYTHING["ALERT_MAIL_TO"]
    assert people["slack_configs"][0]["api_url"] == EVERYTHING["ALERT_CHAT_WEBHOOK"]
    assert people["webhook_configs"][0]["url"] == EVERYTHING["ALERT_WEBHOOK"]


def test_a_value_cannot_add_a_line_to_the_configuration():
    said = run("sh", MONITORING / "alertmanager.sh", "--print", ALERT_WEBHOOK="http://x/'\n  - name: other")
    assert [one["name"] for one in yaml.safe_load(said)["receivers"]] == ["people"]
