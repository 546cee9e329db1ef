"""From a real Airflow's tasks to a real Alertmanager's message: every promised name, and the alerts people wait for.

The files are those of deploy/monitoring. What is changed: addresses, for nothing runs in containers here, and every
duration is shorter, for nobody waits five minutes. Debian packs no StatsD exporter: our stand-in reads its file.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
import yaml
from tests.contracts.test_alerts import PROMISED
from tests.deploy.monitoring_programs import program
from tests.integration.running_airflow import Component, RunningAirflow, RunningMlflow
from tests.integration.servers import free_port

from airfoil.stack.backup import manifest
from airfoil.stack.server_page.exposition import exposition
from airfoil.stack.server_page.machine import MachineCollector

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "deploy" / "monitoring"
TOKEN = "made-for-this-test-and-long-enough"
DAGS = """
from airflow.sdk import dag, task

@dag(schedule=None)
def fine():
    @task
    def work(): return 1
    work()

@dag(schedule=None)
def bad():
    @task
    def work(): raise ValueError("on purpose")
    work()

fine()
bad()
"""


class Listener:
    """A small server: Alertmanager's messages come in, the machine's metrics go out."""

    def __init__(self, machine):
        self.messages = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                listener.messages += [(one["labels"]["alertname"], one["status"]) for one in body["alerts"]]
                self._answer(b"")

            def do_GET(self):
                self._answer(exposition((), 0.0, [machine]))

            def _answer(self, body):
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def hurried(text):
    """The same rules for people in a hurry: a minute of looking back is ten seconds, and waiting is two."""
    text = re.sub(r"for: \d+[mh]", "for: 2s", text)
    text = text.replace("interval: 15s", "interval: 1s")
    return text.replace("heartbeat[1m]", "heartbeat[12s]")


class Watch:
    """StatsD stand-in, Prometheus and Alertmanager on this machine, with the files of a server."""

    def __init__(self, folder, machine):
        self.folder = folder
        self.listener = Listener(machine)
        self.statsd, self.exporter, self.prometheus, self.alertmanager = (free_port() for _ in range(4))
        self.components = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.prometheus}/prometheus"

    def start(self, airflow_port):
        (self.folder / "rules").mkdir(parents=True)
        for path in (MONITORING / "rules").glob("*.yml"):
            (self.folder / "rules" / path.name).write_text(hurried(path.read_text(encoding="utf-8")))
        (self.folder / "metrics.token").write_text(TOKEN)
        self._configure(airflow_port)
        listen = f"--web.listen-address=127.0.0.1:{self.prometheus}"
        below = "--web.route-prefix=/prometheus/"
        store = f"--storage.tsdb.path={self.folder / 'data'}"
        self._run(
            program("prometheus"), f"--config.file={self.folder / 'prometheus.yml'}", listen, below, store
        )
        script = ["sh", str(MONITORING / "alertmanager.sh"), "--print"]
        written = subprocess.run(
            script,
            env=os.environ | {"ALERT_WEBHOOK": f"http://{self.listener.address}/"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        written = written.replace("group_wait: 15s", "group_wait: 1s").replace(
            "group_interval: 5m", "group_interval: 2s"
        )
        (self.folder / "alertmanager.yml").write_text(written)
        self._run(
            program("prometheus-alertmanager"),
            f"--config.file={self.folder / 'alertmanager.yml'}",
            f"--storage.path={self.folder / 'alerts'}",
            f"--web.listen-address=127.0.0.1:{self.alertmanager}",
            "--web.route-prefix=/alertmanager/",
            "--cluster.listen-address=",
        )
        self._run(
            sys.executable,
            str(ROOT / "tests" / "deploy" / "statsd_stand_in.py"),
            f"--statsd.mapping-config={MONITORING / 'statsd.yml'}",
            f"--statsd.listen-udp=127.0.0.1:{self.statsd}",
            f"--web.listen-address=127.0.0.1:{self.exporter}",
        )

    def _configure(self, airflow_port):
        text = (MONITORING / "prometheus.yml").read_text(encoding="utf-8")
        moved = {
            "alertmanager:9093": f"127.0.0.1:{self.alertmanager}",
            "statsd-exporter:9102": f"127.0.0.1:{self.exporter}",
            "airflow-api-server:8080": f"127.0.0.1:{airflow_port}",
            "status:8081": self.listener.address,
            "localhost:9090": f"127.0.0.1:{self.prometheus}",
            "/tmp/metrics.token": str(self.folder / "metrics.token"),
            "scrape_interval: 15s": "scrape_interval: 1s",
            "scrape_timeout: 10s": "scrape_timeout: 1s",
            "evaluation_interval: 15s": "evaluation_interval: 1s",
        }
        for old, new in moved.items():
            assert old in text, old
            text = text.replace(old, new)
        content = yaml.safe_load(text)
        here = {"airflow", "airfoil", "status", "prometheus", "alertmanager"}
        content["scrape_configs"] = [job for job in content["scrape_configs"] if job["job_name"] in here]
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(content))

    def _run(self, *argv):
        component = Component(list(argv), os.environ, self.folder, Path(argv[0]).name)
        component.start()
        self.components.append(component)

    def stop(self):
        for component in self.components:
            component.kill()
        self.listener.stop()

    def ask(self, expr):
        try:
            said = httpx.get(f"{self.url}/api/v1/query", params={"query": expr}, trust_env=False, timeout=10)
        except httpx.TransportError:
            return []
        return said.json()["data"]["result"] if said.is_success else []


@pytest.fixture(scope="module")
def backups(tmp_path_factory):
    """A volume of backups whose newest is of three days ago."""
    folder = tmp_path_factory.mktemp("backups")
    keep_backup(folder, datetime.now(UTC) - timedelta(days=3))
    return folder


def keep_backup(folder, moment):
    path = folder / manifest.place_of(f"{moment:%Y%m%dT%H%M%S}000Z-abcd")
    path.parent.mkdir(exist_ok=True)
    path.write_text("{}")


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory):
    with RunningMlflow.started(tmp_path_factory.mktemp("mlflow")) as server:
        yield server


@pytest.fixture(scope="module")
def watch(tmp_path_factory, backups):
    for name in ("prometheus", "prometheus-alertmanager"):
        program(name)
    made = Watch(
        tmp_path_factory.mktemp("watch"), MachineCollector(["localhost"], backups=backups, ask=no_proxy)
    )
    yield made
    made.stop()


def no_proxy(_host):
    raise ConnectionRefusedError


@pytest.fixture(scope="module")
def airflow(migrated_airflow, watch, mlflow, tmp_path_factory):
    airflow = RunningAirflow.prepare(
        migrated_airflow,
        tmp_path_factory.mktemp("watched") / "home",
        AIRFLOW_CONN_MLFLOW_DEFAULT=f'{{"conn_type": "mlflow", "host": "{mlflow.uri}"}}',
        AIRFLOW__AIRFOIL__METRICS_TOKEN=TOKEN,
        AIRFLOW__AIRFOIL__REAPER_SECONDS="2",
        AIRFLOW__METRICS__STATSD_ON="True",
        AIRFLOW__METRICS__STATSD_HOST="127.0.0.1",
        AIRFLOW__METRICS__STATSD_PORT=str(watch.statsd),
        AIRFLOW__METRICS__STATSD_PREFIX="airflow",
        AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED="True",
        AIRFLOW__METRICS__LEGACY_NAMES_ON="False",
    )
    airflow.write("watched", DAGS)
    watch.start(airflow.port)
    try:
        airflow.start()
        yield airflow
    finally:
        airflow.stop()


def until_told(airflow, watch, alert, status="firing"):
    """Wait until people are told of an alert, or of its end; all that they were told."""
    airflow.until(
        lambda: (alert, status) in watch.listener.messages, 120, f"people are told: {alert} {status}"
    )
    return list(watch.listener.messages)


def calm(airflow, watch, alert):
    """Wait until an alert does not fire, and forget what was told: servers that start are away at first."""
    airflow.until(lambda: not watch.ask(f'ALERTS{{alertname="{alert}"}}'), 120, f"{alert} has an end")
    if (alert, "firing") in watch.listener.messages:
        until_told(airflow, watch, alert, "resolved")
    watch.listener.messages.clear()


def test_every_promised_name_is_in_prometheus_after_two_runs(airflow, watch):
    assert airflow.until_over("fine", airflow.trigger("fine")) == "success"
    assert airflow.until_over("bad", airflow.trigger("bad")) == "failed"

    def missing():
        return {name for name in PROMISED if not watch.ask(name)}

    airflow.until(lambda: not missing(), 60, f"all names: {missing()} are not there")
    (success,) = watch.ask("airflow_dag_run_success")
    (failed,) = watch.ask("airflow_dag_run_failed")
    assert (success["metric"]["dag_id"], success["value"][1]) == ("fine", "1")
    assert (failed["metric"]["dag_id"], failed["value"][1]) == ("bad", "1")
    tasks = watch.ask('airflow_task_duration{quantile="0.95"}')
    assert {one["metric"]["dag_id"] for one in tasks} == {"fine", "bad"}
    assert all(0 < float(one["value"][1]) < 60 for one in tasks)
    (slots,) = watch.ask("airflow_executor_open_slots")
    assert slots["metric"]["executor_class_name"].endswith("Executor")
    airflow.until(lambda: watch.ask("airfoil_orphan_runs == 0"), 60, "the reaper's metric")


def test_people_are_told_of_a_dag_that_failed(airflow, watch):
    assert ("AirflowDAGFailed", "firing") in until_told(airflow, watch, "AirflowDAGFailed")


def test_people_are_told_of_an_old_backup_and_of_its_end(airflow, watch, backups):
    assert ("BackupOld", "firing") in until_told(airflow, watch, "BackupOld")
    keep_backup(backups, datetime.now(UTC))
    assert ("BackupOld", "resolved") in until_told(airflow, watch, "BackupOld", "resolved")


def test_people_are_told_of_a_scheduler_that_died_and_of_its_return(airflow, watch):
    calm(airflow, watch, "AirflowSchedulerDown")
    airflow.components["scheduler"].kill()
    assert ("AirflowSchedulerDown", "firing") in until_told(airflow, watch, "AirflowSchedulerDown")
    airflow.components["scheduler"].start()
    assert ("AirflowSchedulerDown", "resolved") in until_told(
        airflow, watch, "AirflowSchedulerDown", "resolved"
    )


def test_people_are_told_of_an_mlflow_that_died_and_of_its_return(airflow, watch, mlflow):
    calm(airflow, watch, "MlflowDown")
    mlflow.kill()
    assert ("MlflowDown", "firing") in until_told(airflow, watch, "MlflowDown")
    mlflow.start()
    assert ("MlflowDown", "resolved") in until_told(airflow, watch, "MlflowDown", "resolved")
