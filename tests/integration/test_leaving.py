"""Leaving: the shipped DAGs on a plain Airflow and a plain MLflow, with the provider and nothing else of ours.

The rooms that are not the provider's cannot even be imported here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from tests.integration.servers import free_port, running, wait_until
from tests.integration.taxi_months import NAME, write_months
from tests.sizes import full_only

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

TAXI = {"nyc_taxi_duration_prediction", "nyc_taxi_linear_duration_prediction"}
PLAYED_ELSEWHERE = {
    "data_validation_pipeline",
    "feast_feature_materialization",
    "ml_model_training_pipeline",
    "ml_pipeline",
    "trading_strategy_train",
} | TAXI
"""By other tests, though not without the platform's rooms."""
ABSENT = ("airfoil.cli.", "airfoil.runtime.", "airfoil.serving.", "airfoil.settings.", "airfoil.stack.")
WITHOUT_THE_PLATFORM = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if f"{{name}}.".startswith({ABSENT!r}):
            raise ModuleNotFoundError(f"No module named {{name!r}}: this is not the platform", name=name)

sys.meta_path.insert(0, Absent())
"""
AIRFLOW = f"{WITHOUT_THE_PLATFORM}\nfrom airflow.__main__ import main\nsys.argv = ['airflow', *sys.argv[1:]]\nmain()"


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`mlflow server`, as its own documentation starts it."""
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    words = ["server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    given = {
        "MLFLOW_BACKEND_STORE_URI": f"sqlite:///{folder}/mlflow.db",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    with running(folder, given, "mlflow", *words) as started:
        url = f"http://127.0.0.1:{port}"

        def healthy() -> bool:
            try:
                return httpx.get(f"{url}/health", trust_env=False).status_code == 200
            except httpx.TransportError:
                return False

        wait_until(healthy, started.process, started.log)
        yield url


@pytest.fixture(scope="module")
def samples(repository: Path) -> Iterator[str]:
    """The table that ml_pipeline begins with, on a web server of somebody else's."""
    folder = repository / "src/airfoil/stack/page/static/samples"
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=folder))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/iris.csv"
    server.shutdown()
    server.server_close()
    thread.join()


OF_THE_PLATFORM = {"database_cleanup", "platform_backup"}
"""They look after the platform itself; without it there is nothing for them to do."""


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory, mlflow: str, samples: str, repository: Path):
    """An AIRFLOW_HOME as a person makes it; the shipped DAGs and the features they use are copied there."""
    home = tmp_path_factory.mktemp("airflow home")
    for folder in ("dags", "features"):
        shutil.copytree(repository / folder, home / folder, ignore=shutil.ignore_patterns("__pycache__"))
    # `airflow dags test` of Airflow 3.3.2 breaks on any DAG with a deadline, after it has succeeded.
    for file in (home / "dags").glob("*.py"):
        file.write_text(re.sub(r"\n    deadline=.*", "", file.read_text(encoding="utf-8")), encoding="utf-8")
    (home / ".airfoil").mkdir()  # where the feature repository keeps its registry and its tables
    port = int(mlflow.rpartition(":")[2])
    connection = {"conn_type": "mlflow", "host": "http://127.0.0.1", "port": port}
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("AIRFOIL_", "AIRFLOW_"))
    }
    environment = kept | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW_CONN_MLFLOW_DEFAULT": json.dumps(connection),
        "AIRFLOW_VAR_CRAWL_URL": samples,
        "AIRFLOW_VAR_ML_MODEL_TYPE": "knn",
        "AIRFLOW_VAR_ACCURACY_THRESHOLD": "0.8",
        "AIRFLOW_CONN_FEAST_DEFAULT": json.dumps({"conn_type": "feast", "host": str(home / "features")}),
    }

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", AIRFLOW, *words],
            cwd=home,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    done = run("db", "migrate")
    assert done.returncode == 0, done.stderr[-3000:]
    return run


def test_the_absent_rooms_are_absent(airflow):
    code = f"{WITHOUT_THE_PLATFORM}\nimport airfoil.stack.project"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "this is not the platform" in done.stderr


@pytest.mark.parametrize(
    "dag_id",
    [
        pytest.param(path.stem, marks=[full_only] if path.stem in PLAYED_ELSEWHERE else [])
        for path in sorted(Path(__file__).parents[2].glob("dags/*.py"))
        if path.stem not in OF_THE_PLATFORM
    ],
)
def test_a_shipped_dag_runs_on_a_plain_airflow(airflow, dag_id, tmp_path):
    given = []
    if dag_id in TAXI:  # the city's own server is far away
        write_months(tmp_path / "months", rows=2_000)
        given = ["--conf", json.dumps({"source": str(tmp_path / "months" / NAME)})]
    done = airflow("dags", "test", dag_id, *given)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    assert "this is not the platform" not in done.stdout + done.stderr


def test_and_its_model_is_in_the_plain_mlflow(airflow, mlflow):
    search = {"experiment_ids": [], "max_results": 50}
    experiments = httpx.post(
        f"{mlflow}/api/2.0/mlflow/experiments/search", json={"max_results": 50}, trust_env=False
    ).json()["experiments"]
    search["experiment_ids"] = [one["experiment_id"] for one in experiments]
    runs = httpx.post(f"{mlflow}/api/2.0/mlflow/runs/search", json=search, trust_env=False).json()["runs"]
    metrics = {metric["key"] for run in runs for metric in run["data"].get("metrics", [])}
    assert "accuracy" in metrics
    assert all(run["info"]["status"] == "FINISHED" for run in runs)
