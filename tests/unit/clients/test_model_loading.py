"""Models are loaded from every kind of address, and never by running code that their files choose."""

from __future__ import annotations

import pytest
import yaml
from tests.unit.provider.registry_tasks import Registry

from airfoil.clients.model_loading import artifact_address, load_model, read_model
from airfoil.errors import ConfigurationError, NotFoundError

pytestmark = pytest.mark.unit
SKOPS = {"sklearn": {"serialization_format": "skops", "pickled_model": "model.skops"}}


@pytest.fixture
def server():
    found = Registry()
    found.add_versions("wine", 2)
    found.point("wine", 2)
    return found


def files(folder, **flavors):
    (folder / "MLmodel").write_text(yaml.safe_dump({"flavors": flavors}), encoding="utf-8")
    return folder


def test_every_kind_of_address_leads_to_the_files(server, http):
    source = server.version("wine", 2)["source"]
    place = http.do(artifact_address(source))
    assert place.startswith("mlflow-artifacts:/")
    assert http.do(artifact_address("models:/wine/2")) == place
    assert http.do(artifact_address("models:/wine@champion")) == place
    assert http.do(artifact_address("models:/wine/1")) != place
    run = server.version("wine", 2)["run_id"]
    assert http.do(artifact_address(f"runs:/{run}/model")).endswith(f"{run}/artifacts/model")
    assert http.do(artifact_address("s3://bucket/model")) == "s3://bucket/model"


@pytest.mark.parametrize(
    "uri", ["models:/wine/9", "models:/beer@champion", "models:/wine/x", "models:/m-none"]
)
def test_a_model_that_is_not_there_is_said(server, http, uri):
    with pytest.raises(NotFoundError):
        http.do(artifact_address(uri))


def test_an_xgboost_model_predicts_from_the_columns_it_knows(server, http, tmp_path):
    xgboost = pytest.importorskip("xgboost", reason="xgboost-cpu has wheels for Linux only")
    import pandas as pd

    frame = pd.DataFrame({"a": [0.0, 1.0] * 20, "b": [1.0] * 40})
    labels = [0, 1] * 20
    below = http.do(artifact_address("models:/wine@champion")).removeprefix("mlflow-artifacts:/")
    makers = {
        "xgboost.sklearn.XGBClassifier": lambda: xgboost.XGBClassifier(n_estimators=3).fit(frame, labels),
        "xgboost.core.Booster": lambda: xgboost.train({}, xgboost.DMatrix(frame, label=labels), 3),
    }
    for kind, make in makers.items():
        make().save_model(tmp_path / "model.ubj")
        flavor = {"xgboost": {"data": "model.ubj", "model_class": kind}}
        server.artifacts[f"{below}/MLmodel"] = yaml.safe_dump({"flavors": flavor}).encode()
        server.artifacts[f"{below}/model.ubj"] = (tmp_path / "model.ubj").read_bytes()
        loaded = load_model(http, "models:/wine@champion")
        assert type(loaded.estimator).__name__ == kind.rpartition(".")[2]
        turned = frame.assign(more=7)[["more", "b", "a"]]
        assert [round(float(one)) for one in loaded.predict(turned)] == labels
        told = loaded.probabilities(turned)
        if kind.endswith("Booster"):
            assert told is None
        else:
            classes, shares = told
            assert (classes, shares.shape) == ([0, 1], (40, 2))


def test_a_pickle_is_refused(tmp_path):
    pickled = {
        "sklearn": {"serialization_format": "cloudpickle", "pickled_model": "model.pkl"},
        "python_function": {},
    }
    with pytest.raises(ConfigurationError, match="python_function, sklearn, which cannot be loaded"):
        read_model(files(tmp_path, **pickled), "models:/wine/1")


def test_a_class_of_another_library_is_not_made(tmp_path):
    xgboost = pytest.importorskip("xgboost", reason="xgboost-cpu has wheels for Linux only")
    folder = files(tmp_path, xgboost={"data": "model.ubj", "model_class": "subprocess.Popen"})
    with pytest.raises(xgboost.core.XGBoostError):  # a Booster, that finds no file
        read_model(folder, "models:/wine/1")


@pytest.mark.parametrize("text", ["", "flavors: [", "{}", "[]", "flavors"])
def test_what_is_no_model_is_said(tmp_path, text):
    (tmp_path / "MLmodel").write_text(text, encoding="utf-8")
    with pytest.raises(NotFoundError, match="is no model of MLflow"):
        read_model(tmp_path, "models:/wine/1")
