"""An MLflow that accepts connections and never answers: the scheduler's loop must not notice."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psutil
import pytest
from tests.integration.running_airflow import Component, RunningAirflow
from tests.sizes import FULL

pytestmark = [pytest.mark.integration, pytest.mark.alone, pytest.mark.timeout(900)]

SECONDS = 45 if FULL else 20

# Two hundred DAG runs that need no task process: all that is measured is the scheduler's own loop.
RUSH = """
from datetime import UTC, datetime, timedelta
from airflow.sdk import DAG
from airflow.providers.standard.operators.empty import EmptyOperator

with DAG("rush", schedule=timedelta(seconds=1), start_date=datetime(2026, 1, 1, tzinfo=UTC),
         end_date=datetime(2026, 1, 1, 1, tzinfo=UTC), catchup=True, max_active_runs=8):
    EmptyOperator(task_id="one") >> EmptyOperator(task_id="two")
"""

# Writes down how long each turn of the loop took, in the scheduler only.
STOPWATCH = """
import contextlib, os, sys, time
if sys.argv[1:2] == ["scheduler"]:
    from airflow._shared.observability.metrics import stats
    real = stats.timer

    @contextlib.contextmanager
    def timed(*args, **kwargs):
        began = time.perf_counter()
        with real(*args, **kwargs) as inner:
            yield inner
        with open(os.environ["STOPWATCH"], "a") as log:
            log.write(f"{time.perf_counter() - began}\\n")

    def timer(*args, **kwargs):
        loop = args[:1] == ("scheduler.scheduler_loop_duration",)
        return (timed if loop else real)(*args, **kwargs)

    stats.timer = timer
"""


class Nobody(BaseHTTPRequestHandler):
    """An MLflow that has no run and says so at once."""

    asked = 0

    def do_POST(self):
        type(self).asked += 1
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"experiments": [{"experiment_id": "0", "name": "Default"}]}')

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def answering():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Nobody)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@contextlib.contextmanager
def silent():
    """A listener that accepts (the kernel does that) and never says a word."""
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen(64)
        yield hole.getsockname()[1]


@pytest.fixture(scope="module")
def airflow(migrated_airflow, tmp_path_factory):
    airflow = RunningAirflow.prepare(
        migrated_airflow,
        tmp_path_factory.mktemp("rush") / "home",
        AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME="0.05",
    )
    airflow.write("rush", RUSH)
    plugins = airflow.home.folder / "plugins"
    plugins.mkdir()
    (plugins / "stopwatch.py").write_text(STOPWATCH)
    parsed = subprocess.run(
        [sys.executable, "-m", "airflow", "dags", "reserialize"],
        env=airflow.home.environment,
        cwd=airflow.home.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert parsed.returncode == 0, parsed.stderr[-3000:]
    return airflow


def measure(airflow, name, port):
    """The loop's turns while DAG runs end, sorted, the DAG runs ended, and the scheduler's processor seconds."""
    turns = airflow.home.folder / f"{name}.turns"
    environment = airflow.home.environment | {
        "STOPWATCH": str(turns),
        "AIRFLOW_CONN_MLFLOW_DEFAULT": json.dumps(
            {"conn_type": "mlflow", "host": f"http://127.0.0.1:{port}"}
        ),
    }
    argv = [sys.executable, "-m", "airflow", "scheduler", "--skip-serve-logs"]
    scheduler = airflow.components[name] = Component(argv, environment, airflow.home.folder, name)
    before = ended(airflow)
    scheduler.start()
    try:
        airflow.until(lambda: ended(airflow) > before + 5, 120, "DAG runs end")
        turns.write_text("")
        began, used = time.monotonic(), sum(psutil.Process(scheduler.process.pid).cpu_times()[:2])
        count = ended(airflow)
        time.sleep(SECONDS)
        used = sum(psutil.Process(scheduler.process.pid).cpu_times()[:2]) - used
        found = sorted(float(line) for line in turns.read_text().splitlines())
        count = ended(airflow) - count
        took = time.monotonic() - began
    finally:
        scheduler.kill(signal.SIGTERM)
    p50, p99 = found[len(found) // 2], found[int(len(found) * 0.99)]
    print(
        f"{name}: {len(found)} turns, {count} DAG runs ended in {took:.0f} s, "
        f"p50 {p50 * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms, cpu {used:.1f} s"
    )
    return p99, count, scheduler.said()


def ended(airflow):
    ((count,),) = airflow.home.rows("select count(*) from dag_run where state = 'success'")
    return count


def test_the_loop_is_as_quick_as_with_an_mlflow_that_answers(airflow):
    with answering() as port:
        quick, ended_quick, _ = measure(airflow, "answering", port)
    assert Nobody.asked > 0
    with silent() as port:
        slow, ended_slow, said = measure(airflow, "silent", port)
    assert "are left as they are for now" in said
    print(f"ratio of p99: {slow / quick:.2f}")
    assert slow < 1.5 * quick + 0.05, "a loop that waits for a request would take 10 s"
    assert ended_slow > 0.6 * ended_quick
