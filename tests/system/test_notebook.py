"""A notebook, executed for real: `airfoil.connect()` in a kernel of its own, a tiny model, and the run in MLflow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbclient import NotebookClient
from tests.system.platforms import fetch

if TYPE_CHECKING:
    from tests.system.platforms import Platform

pytestmark = pytest.mark.system

TRAIN = """
import mlflow
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

features, target = load_iris(return_X_y=True)
mlflow.set_experiment("notebook")
with mlflow.start_run() as run:
    model = LogisticRegression(max_iter=200).fit(features, target)
    mlflow.log_metric("accuracy", model.score(features, target))
print(run.info.run_id)
"""
CELLS = (
    "import airfoil\nplatform = airfoil.connect()\nplatform",
    TRAIN,
    "from shelf import COLOUR\nprint(COLOUR)",
    "with platform.airflow() as client:\n    print(client.get('/dags').json()['total_entries'])",
)


def test_a_notebook_trains_a_model_and_logs_it_to_the_running_platform(platform: Platform) -> None:
    folder = platform.root / "notebooks"
    folder.mkdir(exist_ok=True)
    platform.project.sources.mkdir(exist_ok=True)
    (platform.project.sources / "shelf.py").write_text("COLOUR = 'teal'\n")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    client = NotebookClient(notebook, timeout=120, kernel_name="python3")

    client.execute(cwd=str(folder))

    printed = ["".join(part.get("text", "") for part in cell.outputs) for cell in notebook.cells]
    run_id = printed[1].strip().splitlines()[-1]
    assert printed[2] == "teal\n"
    assert int(printed[3]) >= 1
    answer = fetch(f"{platform.url('mlflow')}/api/2.0/mlflow/runs/get?run_id={run_id}")
    (metric,) = answer.json()["run"]["data"]["metrics"]
    assert metric["value"] > 0.9
    text = json.dumps(notebook)
    assert all(secret not in text for secret in json.loads(platform.project.secrets.read_text()).values())
