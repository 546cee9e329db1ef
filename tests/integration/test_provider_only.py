"""`pip install airfoil` beside a plain Airflow: the provider is there, warns of nothing, and tracks without mlflow."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import httpx
import pytest
from tests.integration.guides import printed
from tests.integration.mlflow_servers import plain_mlflow
from tests.integration.provider_only import ProviderOnly
from tests.sizes import full_only

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
TRACKING = """
import importlib.util, sys
assert importlib.util.find_spec("mlflow") is None
import httpx
from airfoil.clients.claims import Claims
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.testing import FakeMlflow
server = FakeMlflow()
with MlflowHttp(MlflowServer("http://mlflow.test"), transport=httpx.MockTransport(server)) as http:
    print(http.do(Claims().claim("wine", "cell", "won")))
"""
NAMES = """
import airfoil
print(sorted(name for name in airfoil.__all__ if getattr(airfoil, name) is None))
"""
SAVING = """
import sys
from pathlib import Path
from airfoil.clients.model_files import save_sklearn_model
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
wine = load_wine(as_frame=True)
estimator = LogisticRegression(max_iter=5000).fit(wine.data, wine.target)
folder = Path(sys.argv[1]) / "model"
save_sklearn_model(estimator, folder, example=wine.data.head(3))
print((folder / "requirements.txt").read_text())
import mlflow.pyfunc
print(list(mlflow.pyfunc.load_model(str(folder)).predict(wine.data.head(1))))
"""
DAG_FILES = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(dag_folder=sys.argv[1])
print(json.dumps([bag.import_errors, sorted(bag.dags)]))
"""


@pytest.fixture(scope="module")
def plain(wheel, tested, tmp_path_factory) -> ProviderOnly:
    """Airflow core as locked and the wheel without extras."""
    found = ProviderOnly(tmp_path_factory.mktemp("plain"))
    found.install(wheel, tested)
    return found


def test_airflow_lists_the_provider_and_warns_of_nothing(plain):
    done = plain.run("airflow", "providers", "list", "-o", "json")
    assert done.returncode == 0, done.stderr
    (ours,) = [row for row in json.loads(done.stdout) if row["package_name"] == "airfoil"]
    assert ours["version"]
    assert done.stderr == ""


def test_the_classes_it_registers_are_there(plain):
    hooks = json.loads(plain.well("airflow", "providers", "hooks", "-o", "json"))
    ours = {row["connection_type"]: row for row in hooks if row["package_name"] == "airfoil"}
    assert ours["mlflow"]["class"] == "airfoil.provider.hooks.mlflow.MlflowHook"
    assert "mlflow_conn_id" in ours["mlflow"]["conn_id_attribute_name"]


def test_the_plugin_loads(plain):
    done = plain.run("airflow", "plugins", "-o", "json")
    assert "airfoil" in {row["name"] for row in json.loads(done.stdout)}, done.stderr
    assert "error" not in done.stderr.lower()


def test_runs_are_tracked_without_mlflow(plain):
    assert plain.well("python", "-W", "error", "-c", TRACKING).strip() == "won"


def test_every_public_name_can_be_had(plain):
    assert plain.well("python", "-c", NAMES).strip() == "[]"


def test_the_libraries_of_the_platform_are_not_there(plain):
    assert not {"mlflow", "mlflow-skinny", "feast", "pandas", "pyarrow", "scikit-learn"} & plain.packages()


def test_shipped_dags_and_those_of_the_guides_import_with_no_connection(plain):
    for path in sorted((ROOT / "dags").glob("*.py")):
        shutil.copy(path, plain.dags)
    for page in ("first-gated-training.md", "gates.md", "model-events.md", "testing.md"):
        for number, block in enumerate(printed(page)):
            if "@dag" in block:
                (plain.dags / f"{page.removesuffix('.md')}_{number}.py").write_text(block, encoding="utf-8")
    said = plain.well("python", "-c", DAG_FILES, str(plain.dags)).strip().splitlines()[-1]
    errors, dags = json.loads(said)
    assert errors == {}
    assert {"simple_test_dag", "example_dag", "judged", "wine_training", "wine_weekly"} <= set(dags)


@pytest.mark.timeout(900)
@full_only
def test_one_extra_is_enough_to_save_models(wheel, tested, plain, tmp_path):
    """With mlflow-skinny alone; what the model is said to need is the mlflow that loads it."""
    plain.add(tested, f"airfoil[models] @ {wheel.as_uri()}")
    said = plain.well("python", "-c", SAVING, str(tmp_path))
    assert "mlflow==3.17" in said
    assert said.strip().endswith("[np.int64(0)]")
    assert "mlflow-skinny" in plain.packages()
    assert "mlflow" not in plain.packages()


@pytest.mark.timeout(900)
@full_only
def test_the_guides_gated_training_runs_as_printed(wheel, tested, plain, tmp_path):
    plain.add(tested, f"airfoil[models] @ {wheel.as_uri()}")
    (guide,) = printed("first-gated-training.md")
    (plain.dags / "wine_weekly.py").write_text(guide, encoding="utf-8")
    plain.well("airflow", "db", "migrate")
    with (
        plain_mlflow(tmp_path) as url,
        httpx.Client(base_url=f"{url}/api/2.0/mlflow", trust_env=False) as mlflow,
    ):
        connection = {"AIRFLOW_CONN_MLFLOW_DEFAULT": json.dumps({"conn_type": "mlflow", "host": url})}
        done = plain.run("airflow", "dags", "test", "wine_weekly", timeout=600, settings=connection)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        champion = mlflow.get("/registered-models/alias", params={"name": "wine", "alias": "champion"}).json()
        assert champion["model_version"]["version"] == "1"
        run = mlflow.get("/runs/get", params={"run_id": champion["model_version"]["run_id"]}).json()["run"]
    assert run["info"]["status"] == "FINISHED"
    assert {"key": "trees", "value": "50"} in run["data"]["params"]
