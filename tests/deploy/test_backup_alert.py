"""How old the last backup may be: by its schedule, as the start script of Prometheus tells the rules."""

from __future__ import annotations

import os
import subprocess
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from croniter import croniter
from tests.deploy.monitoring_programs import program

pytestmark = pytest.mark.deploy

MONITORING = Path(__file__).parents[2] / "deploy" / "monitoring"
SECOND_DAYS = "30 1 */2 * *"
FIRING = 'count(ALERTS{alertname="BackupOld",alertstate="firing"})'


def written(schedule):
    """The rules of a server with this BACKUP_SCHEDULE."""
    said = subprocess.run(
        ["sh", MONITORING / "prometheus.sh", "--print-rules"],
        env={"PATH": os.environ["PATH"], "BACKUP_SCHEDULE": schedule},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stderr == ""
    return said.stdout


def hours(schedule):
    ((group,),) = yaml.safe_load(written(schedule)).values()
    found = {rule["record"]: rule["expr"] for rule in group["rules"]}
    assert found["airfoil_backups_expected"] == "vector(1)"
    allowed = found.get("airfoil_backup_hours")
    assert (allowed is None) == ("airfoil_backups_in_time" not in found)
    return None if allowed is None else int(allowed.removeprefix("vector(").removesuffix(")"))


def longest_days(schedule):
    """What Airflow's own reader of cron lines makes of it, in the same nine years."""
    times = croniter(schedule, datetime(2023, 12, 31, 23, 59))  # noqa: DTZ001 - days alone
    found: list[date] = []
    while (at := times.get_next(datetime)).year <= 2032:
        if not found or at.date() != found[-1]:
            found.append(at.date())
    return max((later - earlier) // timedelta(days=1) for earlier, later in pairwise(found))


@pytest.mark.parametrize(
    "schedule",
    [
        SECOND_DAYS,
        "30 1 * * SUN",
        "30 1 * * 7",
        "30 1 * * mon-FRI",
        "30 1 * * sat-tue",
        "0 1 * * fri-sun/2",
        "30 1 * * */2",
        "0 3 1,15 * *",
        "0 3 5/7 * ?",
        "0 0 1 * 0",
        "0 0 1 * *",
        "0 0 31 * *",
        "0 3 25-5 * *",
        "5 4 */10 jan-jun *",
        "0 0 29 2 *",
    ],
)
def test_a_backup_may_be_as_old_as_its_schedule_makes_it(schedule):
    assert hours(schedule) == longest_days(schedule) * 24 + 2


@pytest.mark.parametrize(("schedule", "days"), [("@weekly", 7), ("@monthly", 31), ("@quarterly", 92)])
def test_a_preset_is_known(schedule, days):
    assert hours(schedule) == days * 24 + 2


@pytest.mark.parametrize(
    "schedule", ["30 1 * * *", "0 */6 * * *", "@daily", "0 3 * * 1-7", "0 0 L * *", "soon"]
)
def test_every_day_and_what_is_not_understood_is_a_day(schedule):
    assert hours(schedule) is None


def told(tmp_path, schedule, series, firing):
    """Have promtool compare at which hours the alert fires."""
    server = tmp_path / "server.yml"
    server.write_text(written(schedule))
    shipped = [
        rule
        for name in ("names", "platform")
        for group in yaml.safe_load((MONITORING / "rules" / f"{name}.yml").read_text())["groups"]
        for rule in group["rules"]
        if {rule.get("record"), rule.get("alert")} & {"airfoil_backups_taken", "BackupOld"}
    ]
    assert len(shipped) == 2
    rules = tmp_path / "rules.yml"  # these two alone: all of them for days take a minute
    rules.write_text(yaml.safe_dump({"groups": [{"name": "backups", "rules": shipped}]}))
    samples = {True: [{"labels": "{}", "value": 1}], False: []}
    test = {
        "interval": "5m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {"expr": FIRING, "eval_time": f"{hour}h", "exp_samples": samples[expected]}
            for hour, expected in firing.items()
        ],
    }
    file = tmp_path / "test.yml"
    whole = {"rule_files": [str(rules), str(server)], "evaluation_interval": "5m", "tests": [test]}
    file.write_text(yaml.safe_dump(whole))
    said = subprocess.run(
        [program("promtool"), "test", "rules", file], capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize(
    ("schedule", "firing"),
    [(SECOND_DAYS, {27: False, 49: False, 51: True}), ("30 1 * * *", {25: False, 27: True})],
)
def test_a_backup_in_the_volume_that_is_older_than_its_schedule_is_told_of(tmp_path, schedule, firing):
    series = {'airfoil_backup_completed_timestamp_seconds{job="status"}': "0x700"}
    told(tmp_path, schedule, series, firing)


def test_one_in_s3_that_is_older_than_its_schedule_is_told_of(tmp_path):
    """The DAG's one success is 40 hours after the beginning."""
    counted = 'airflow_statsd_dagrun_seconds_count{dag_id="platform_backup",outcome="success"}'
    series = {'up{job="airflow"}': "1x1180", counted: "_x480 1x700"}
    told(tmp_path, SECOND_DAYS, series, {27: False, 49: False, 89: False, 91: True})


def test_a_server_that_never_took_one_is_told_so_when_the_first_was_due_long_ago(tmp_path):
    told(tmp_path, SECOND_DAYS, {'up{job="airflow"}': "1x700"}, {27: False, 49: False, 51: True})
