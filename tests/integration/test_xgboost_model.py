"""XGBoost models as files: MLflow loads them, they predict the same, and nothing in them is code."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.integration
# A process of its own: mlflow warns about its own types when it is imported, and here warnings are errors.
SCENE = """
import json, sys
from pathlib import Path
import numpy as np
import pandas as pd
import xgboost
import mlflow.pyfunc
from airfoil.clients.model_files import save_model

frame = pd.DataFrame(np.random.default_rng(1).normal(size=(200, 3)), columns=list("abc"))
labels = (frame.a > 0).astype(int)
found = {}
for model in (
    xgboost.XGBClassifier(n_estimators=5).fit(frame, labels),
    xgboost.XGBRegressor(n_estimators=5).fit(frame, labels),
    xgboost.train({}, xgboost.DMatrix(frame, label=labels), 5),
):
    folder = Path(sys.argv[1]) / type(model).__name__
    save_model(model, folder, example=frame.head(3))
    matrix = xgboost.DMatrix(frame) if isinstance(model, xgboost.Booster) else frame
    loaded = mlflow.pyfunc.load_model(str(folder))
    found[folder.name] = {
        "files": sorted(path.name for path in folder.iterdir()),
        "requirements": (folder / "requirements.txt").read_text().split(),
        "same": bool(np.allclose(loaded.predict(frame), model.predict(matrix))),
        "inputs": loaded.metadata.signature.inputs.input_names(),
    }
print(json.dumps(found))
"""


def test_each_kind_is_the_same_again_and_its_packages_are_pinned(tmp_path):
    pytest.importorskip("xgboost", reason="xgboost-cpu has wheels for Linux only")
    command = [sys.executable, "-W", "ignore", "-c", SCENE, str(tmp_path)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    found = json.loads(said.stdout.strip().rpartition("\n")[2])
    assert set(found) == {"XGBClassifier", "XGBRegressor", "Booster"}
    for one in found.values():
        assert one["same"]
        assert one["inputs"] == ["a", "b", "c"]
        assert "model.ubj" in one["files"]
        assert not [name for name in one["files"] if name.endswith((".pkl", ".cloudpickle"))]
        assert {line.partition("==")[0] for line in one["requirements"]} >= {"mlflow", "numpy", "pandas"}
        assert all("==" in line for line in one["requirements"])
