"""What a worker tries out for verify.sh: a failure is told, nothing to try is no failure, nothing is left behind."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from airfoil.runtime.container import trial

pytestmark = pytest.mark.unit


class Mlflow:
    """A client that remembers, and an artifact store that may lie."""

    def __init__(self, models=(), damaged=False):
        self.models = list(models)
        self.damaged = damaged
        self.texts = {}
        self.deleted = []
        self.ended = []

    def get_experiment_by_name(self, name):
        return None

    def create_experiment(self, name):
        assert name == trial.EXPERIMENT
        return "7"

    def create_run(self, experiment_id, run_name):
        return SimpleNamespace(info=SimpleNamespace(run_id="r1"))

    def log_param(self, run_id, key, value):
        pass

    def log_text(self, run_id, text, path):
        self.texts[path] = text

    def set_terminated(self, run_id):
        self.ended.append(run_id)

    def delete_run(self, run_id):
        self.deleted.append(run_id)

    def search_registered_models(self):
        return self.models

    def download(self, dst_path, artifact_path="model", run_id=None, artifact_uri=None):
        from pathlib import Path

        file = Path(dst_path) / artifact_path
        file.write_text(
            "something else" if self.damaged else self.texts.get(artifact_path, artifact_uri or "")
        )
        return str(file)


def model(name, **aliases):
    return SimpleNamespace(name=name, aliases=aliases)


def test_a_run_is_made_read_back_and_deleted():
    mlflow = Mlflow()
    assert "read back" in trial.try_run(mlflow, mlflow.download)
    assert (mlflow.ended, mlflow.deleted) == (["r1"], ["r1"])


def test_an_artifact_that_came_back_different_fails_and_is_deleted_all_the_same():
    mlflow = Mlflow(damaged=True)
    with pytest.raises(trial.TrialError, match="not what was written"):
        trial.try_run(mlflow, mlflow.download)
    assert mlflow.deleted == ["r1"]


def test_the_champion_predicts():
    mlflow = Mlflow([model("tried", staging="1"), model("wine", champion="3")])
    asked = []

    def judge(place):
        asked.append(place.read_text())
        return {"rows": 2, "predictions": [0, 1]}

    assert trial.try_prediction(mlflow, mlflow.download, judge) == "wine@champion (version 3) predicts [0, 1]"
    assert asked == ["models:/wine@champion"]


def test_without_a_champion_there_is_nothing_to_predict():
    mlflow = Mlflow([model("tried", staging="1"), model("bare")])
    assert trial.try_prediction(mlflow, mlflow.download, dict).startswith("skipped: ")


def test_a_champion_that_cannot_predict_fails():
    mlflow = Mlflow([model("wine", champion="3")])
    with pytest.raises(trial.TrialError, match=r"wine@champion \(version 3\): it cannot be loaded"):
        trial.try_prediction(mlflow, mlflow.download, lambda _: {"error": "it cannot be loaded"})


def test_a_champion_that_may_not_be_tried_is_skipped():
    mlflow = Mlflow([model("wine", champion="3")])
    said = trial.try_prediction(mlflow, mlflow.download, lambda _: {"skipped": "of another library"})
    assert said == "skipped: wine@champion (version 3): of another library"


def view(name="shop", kind="Int64"):
    column = SimpleNamespace(name="customer", dtype=kind)
    return SimpleNamespace(
        name=name, online=True, features=[SimpleNamespace(name="orders")], entity_columns=[column]
    )


@pytest.mark.parametrize(("kind", "value"), [("Int64", 1), ("String", "1")])
def test_a_feature_is_asked_for_by_an_entity_of_its_type(kind, value):
    asked = []

    def ask(question):
        asked.append(question)
        return {"metadata": {"feature_names": ["customer", "orders"]}}

    assert trial.try_features([view(kind=kind)], ask) == "shop:orders answered"
    assert asked == [{"features": ["shop:orders"], "entities": {"customer": [value]}}]


def test_no_views_are_no_failure():
    assert trial.try_features([], dict).startswith("skipped: ")


def test_an_answer_about_something_else_fails():
    with pytest.raises(trial.TrialError, match="told of"):
        trial.try_features([view()], lambda _: {"metadata": {"feature_names": ["customer"]}})


def test_a_feature_server_that_is_away_is_named(monkeypatch):
    monkeypatch.setattr(trial, "FEATURE_SERVER", "http://127.0.0.1:9")
    with pytest.raises(trial.TrialError, match="the feature server"):
        trial._ask({})


def test_the_last_line_is_the_result(monkeypatch, capsys):
    monkeypatch.setitem(trial.TRIALS, "run", lambda: "well")
    monkeypatch.setattr("sys.argv", ["trial", "run"])
    trial.main()
    assert capsys.readouterr().out == "well\n"


def test_what_is_wrong_is_one_line_and_an_exit_code(monkeypatch, capsys):
    def fail():
        raise trial.TrialError("no good")

    monkeypatch.setitem(trial.TRIALS, "run", fail)
    monkeypatch.setattr("sys.argv", ["trial", "run"])
    with pytest.raises(SystemExit) as ended:
        trial.main()
    assert ended.value.code == 1
    assert capsys.readouterr().out == "airfoil: no good\n"
