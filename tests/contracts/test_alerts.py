"""Alerts, their tests, their runbook and the names they use belong together; none is left over on any side."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import airflow
import pytest
import yaml
from tests.deploy.statsd_stand_in import Mappings

from airfoil.provider.reaper import METRIC
from airfoil.runtime.container import maintenance
from airfoil.stack.deploy import compose, env_file, neighbours

pytestmark = pytest.mark.contracts

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "deploy" / "monitoring"
RULE_FILES = sorted((MONITORING / "rules").glob("*.yml"))
PROMISED = {
    "airflow_dag_run_duration",
    "airflow_task_duration",
    "airflow_dag_run_success",
    "airflow_dag_run_failed",
    "airflow_scheduler_heartbeat",
    "airflow_executor_open_slots",
    "airflow_executor_queued_tasks",
}
RAW = re.compile(r"\bairflow_statsd_\w+")


def rules():
    for path in RULE_FILES:
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
            yield from group["rules"]


ALERTS = {rule["alert"]: rule for rule in rules() if "alert" in rule}
RECORDED = {rule["record"]: rule["expr"] for rule in rules() if "record" in rule}
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (\w+)\n(.+?)(?=^## |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))


def test_there_is_an_alert_for_what_was_promised():
    assert {"AirflowDAGFailed", "AirflowSchedulerDown", "AirflowHighTaskLatency"} <= set(ALERTS)
    assert ALERTS["AirflowSchedulerDown"]["for"] == "5m"
    assert ALERTS["AirflowHighTaskLatency"]["expr"].endswith("> 3600")


def test_every_alert_has_its_section_in_the_runbook_and_no_section_is_left_over():
    assert set(SECTIONS) == set(ALERTS)


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_says_what_it_means_where_to_look_and_what_ends_it(name):
    assert [part for part in ("**Means**", "**Look**", "**End it**") if part not in SECTIONS[name]] in (
        [],
        ["**Look**"],
    )


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_is_wrong_what_to_do_and_how_bad_it_is(name):
    alert = ALERTS[name]
    assert set(alert["annotations"]) == {"summary", "next_move", "runbook_url"}
    assert alert["annotations"]["summary"].endswith(".")
    assert alert["annotations"]["runbook_url"].endswith(f"/runbook/#{name.lower()}")
    assert alert["labels"]["severity"] in {"critical", "warning"}


def rule_tests():
    return {
        path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]
        for path in sorted((MONITORING / "tests").glob("*.yml"))
    }


def fired(test):
    """The alerts that a test of promtool sees firing."""
    for one in test.get("alert_rule_test", ()):
        if one["exp_alerts"]:
            yield one["alertname"]
    for one in test.get("promql_expr_test", ()):
        for sample in one["exp_samples"]:
            yield from re.findall(r'alertname="(\w+)"', one["expr"] + sample["labels"])


def quiet(test):
    """The alerts that a test of promtool sees not firing."""
    for one in test.get("alert_rule_test", ()):
        if not one["exp_alerts"]:
            yield one["alertname"]
    for one in test.get("promql_expr_test", ()):
        if not one["exp_samples"] and "ALERTS" in one["expr"]:
            named = re.findall(r'alertname="(\w+)"', one["expr"])
            yield from named or re.findall(r"\w+", test["name"].partition(" - ")[0])


@pytest.mark.parametrize("seen", [fired, quiet])
def test_every_alert_is_seen_to_fire_and_not_to_fire_in_a_test(seen):
    names = {name for tests in rule_tests().values() for test in tests for name in seen(test)}
    assert set(ALERTS) - names == set()
    assert fired is not seen or names == set(ALERTS)


def test_every_file_of_rules_has_its_file_of_tests():
    beside = {"apart", "backups"}  # at a pace of their own
    assert set(rule_tests()) == {path.stem for path in RULE_FILES} | beside


def test_the_promised_names_are_recording_rules_and_are_tested():
    assert set(RECORDED) >= PROMISED
    tested = {
        one["expr"]
        for test in rule_tests()["names"]
        for one in test["promql_expr_test"]
        if one["exp_samples"]
    }
    assert PROMISED - tested == set()


def test_raw_names_are_used_where_names_are_made_and_nowhere_else():
    assert [name for name, alert in ALERTS.items() if RAW.search(alert["expr"])] == []
    dashboards = [
        path.name for path in (MONITORING / "dashboards").glob("*.json") if RAW.search(path.read_text())
    ]
    assert dashboards == []


def emitted():
    """What the exporter makes of everything that this Airflow can send."""
    folder = Path(airflow.__file__).parent / "_shared" / "observability" / "metrics"
    kinds = {"counter": ("counter", ("",)), "gauge": ("gauge", ("",))}
    timers = ("observer", ("", "_count", "_sum", "_bucket"))
    mappings = Mappings((MONITORING / "statsd.yml").read_text(encoding="utf-8"))
    template = yaml.safe_load((folder / "metrics_template.yaml").read_text(encoding="utf-8"))
    for metric in [*template["metrics"], {"name": METRIC, "type": "gauge"}]:
        kind, ends = kinds.get(metric["type"], timers)
        name = mappings.target(f"airflow.{metric['name']}", kind).name
        yield from (f"{name}{end}" for end in ends)


def test_every_raw_name_is_one_that_airflow_sends():
    used = {name for expr in RECORDED.values() for name in RAW.findall(expr)}
    assert len(used) > 8
    assert used - set(emitted()) == set()


def test_prometheus_scrapes_what_the_alerts_ask_by_job():
    scraped = yaml.safe_load((MONITORING / "prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    jobs = {job["job_name"] for job in scraped}
    asked = {name for alert in ALERTS.values() for name in re.findall(r'job="(\w+)"', alert["expr"])}
    asked |= {name for expr in RECORDED.values() for name in re.findall(r'job="(\w+)"', expr)}
    assert asked
    assert asked <= jobs


def test_inhibitions_name_alerts_that_exist():
    script = (MONITORING / "alertmanager.sh").read_text(encoding="utf-8")
    named = {name for found in re.findall(r'alertname=~?"([\w|]+)"', script) for name in found.split("|")}
    assert named
    assert named <= set(ALERTS)


def test_what_an_inhibition_silences_can_be_there():
    """ServiceDown is never about MLflow, which has an alert of its own: to silence it there silences nothing."""
    script = (MONITORING / "alertmanager.sh").read_text(encoding="utf-8")
    silenced = re.findall(r"target_matchers: \[(.+)\]", script)
    assert len(silenced) > 1
    assert [one for one in silenced if not re.fullmatch(r"'alertname=~?\"[\w|]+\"'", one)] == []


def test_no_id_of_a_dag_becomes_a_name():
    mappings = Mappings((MONITORING / "statsd.yml").read_text(encoding="utf-8"))
    assert mappings.target("airflow.dagrun.my.dag.first_task_scheduling_delay", "observer").dropped
    tagged = mappings.target("airflow.dagrun.first_task_scheduling_delay", "observer")
    assert (tagged.dropped, tagged.name) == (
        False,
        "airflow_statsd_dagrun_first_task_scheduling_delay_seconds",
    )


# -- beside the services of a server


def services():
    text = (ROOT / "deploy" / "compose" / "compose.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)["services"]


def test_prometheus_scrapes_services_that_exist():
    jobs = yaml.safe_load((MONITORING / "prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    targets = {target for job in jobs for one in job["static_configs"] for target in one["targets"]}
    hosts = {target.partition(":")[0] for target in targets} - {"localhost"}
    assert len(hosts) > 6
    assert hosts <= set(services())


@pytest.mark.parametrize(
    ("changes", "left_out"),
    [
        ({}, set()),
        ({"AIRFOIL_PARTS": "features,metrics,status"}, {"celery"}),
        ({"AIRFOIL_PARTS": "metrics"}, {"celery", "status"}),
        ({"MLFLOW_URL": "https://mlflow.example.com"}, {"mlflow"}),
        ({"POSTGRES_URL": "postgresql://a@b/c", "REDIS_URL": "redis://d", "S3_URL": "https://e"}, set()),
    ],
)
def test_nothing_is_scraped_that_a_server_leaves_out(changes, left_out):
    """`up == 0` of a service that is never there would be an alert for ever."""
    text = (ROOT / "deploy" / "compose" / "env.example").read_text(encoding="utf-8")
    given = neighbours.derived(env_file.spoken_values(text) | changes, "1.2.3")
    script = MONITORING / "prometheus.sh"
    said = subprocess.run(
        ["sh", script, "--print"],
        env={name: given[name] for name in ("AIRFOIL_STATUS_SERVICES",)},
        capture_output=True,
        text=True,
        check=True,
    )
    whole = yaml.safe_load((MONITORING / "prometheus.yml").read_text(encoding="utf-8"))
    printed = yaml.safe_load(said.stdout)
    assert printed["scrape_configs"] == [
        job for job in whole["scrape_configs"] if job["job_name"] not in left_out
    ]
    assert printed["rule_files"] == [
        *(f"{MONITORING}/{one}" for one in whole["rule_files"]),
        "/tmp/server.yml",
    ]
    kept = {"scrape_configs", "rule_files"}
    assert {name: printed[name] for name in set(printed) - kept} == {
        name: whole[name] for name in set(whole) - kept
    }


def advice():
    """All that people are told to do."""
    return "\n".join([RUNBOOK, *(alert["annotations"]["next_move"] for alert in ALERTS.values())])


def test_nobody_is_sent_to_a_file_that_is_written_anew():
    assert [name for name in compose.WRITTEN - {env_file.NAME} if name in advice()] == []


def test_a_variable_that_is_named_is_one_of_the_server():
    text = (ROOT / "deploy" / "compose" / "env.example").read_text(encoding="utf-8")
    inside = {"REDISCLI_AUTH"}  # of a program in a container
    named = set(re.findall(r"\b[A-Z]{3,}(?:_[A-Z]+)+\b", advice()))
    assert {"WORKER_MEMORY", "REDIS_MAXMEMORY", "POSTGRES_CONNECTIONS"} <= named
    assert named - inside - set(env_file.values(text)) == set()


def test_a_backup_is_asked_of_the_worker_that_may_open_the_databases():
    """`airfoil backup` is about the project of the machine where it is typed, whatever target is in use."""
    assert re.findall(r"(?<![./])\bairfoil backup \w+", advice()) == []
    for command in ("create", "verify"):
        assert f"exec maintenance python -m {maintenance.__name__} backup {command}" in RUNBOOK
    assert "maintenance backup create" in ALERTS["BackupOld"]["annotations"]["next_move"]


def test_an_alert_and_its_commands_name_services_that_exist():
    text = "\n".join(path.read_text(encoding="utf-8") for path in RULE_FILES) + RUNBOOK
    command = r"docker compose (?:logs(?: --tail \d+)?|restart|exec|ps|up -d(?: --scale)?) ([a-z][a-z-]+)"
    named = {alert["labels"]["service"] for alert in ALERTS.values() if "service" in alert["labels"]}
    named |= {name.removesuffix("-") for name in re.findall(command, text)}
    assert len(named) > 8
    assert named <= set(services())


def test_every_file_of_the_monitoring_that_is_mounted_is_there():
    mounts = {
        mount.partition(":")[0]
        for service in services().values()
        for mount in service.get("volumes", ())
        if isinstance(mount, str) and mount.startswith("../monitoring")
    }
    assert len(mounts) > 3
    folder = ROOT / "deploy" / "compose"
    assert [mount for mount in sorted(mounts) if not (folder / mount).resolve().exists()] == []


def test_the_start_scripts_get_every_variable_that_they_read():
    for name in ("prometheus", "alertmanager"):
        script = (MONITORING / f"{name}.sh").read_text(encoding="utf-8")
        read = set(re.findall(r"\$\{?([A-Z][A-Z_]+)\b", re.sub(r"(?m)^\s*#.*$", "", script)))
        assert read
        assert read <= set(services()[name]["environment"])


def test_the_page_that_knows_of_backups_sees_where_they_go():
    from airfoil.stack.server_page.machine import BACKUPS, BACKUPS_VARIABLE

    text = (ROOT / "deploy" / "compose" / "compose.yaml").read_text(encoding="utf-8")
    (place,) = re.findall(r"AIRFOIL_BACKUP_PLACE: \$\{BACKUP_PLACE:-(\S+)\}", text)
    assert Path(place).parent == BACKUPS, "the page looks into the volume and the folders right below it"
    status = services()["status"]
    assert f"backups:{BACKUPS}:ro" in status["volumes"]
    assert status["environment"][BACKUPS_VARIABLE] == f"${{BACKUP_PLACE:-{place}}}"


def test_the_page_that_knows_of_certificates_asks_for_each_name_of_the_proxy():
    from airfoil.stack.server_page.machine import CERTIFICATES_VARIABLE

    proxy, status = (services()[name]["environment"] for name in ("proxy", "status"))
    assert status[CERTIFICATES_VARIABLE] == proxy["AIRFOIL_HOSTS"]
