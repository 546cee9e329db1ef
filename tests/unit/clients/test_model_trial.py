"""Trying a model from its files: it predicts, is damaged, or would run code of its own."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import pytest

from airfoil.clients import model_trial
from airfoil.errors import ConfigurationError, NotFoundError

pytestmark = pytest.mark.unit
MLMODEL = """
flavors:
  sklearn: {serialization_format: skops, pickled_model: m.skops, skops_trusted_types: [numpy.dtype, os.system]}
saved_input_example_info: {artifact_path: input_example.json, type: dataframe, pandas_orient: split}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "MLmodel").write_text(MLMODEL)
    (tmp_path / "input_example.json").write_text(json.dumps({"columns": ["x"], "data": [[1.0], [2.0]]}))
    return tmp_path


def reading(monkeypatch, model):
    def read(_folder, _shown, *, trusted_types):
        assert trusted_types == ("numpy.dtype",), "the file does not choose what is trusted"
        if isinstance(model, Exception):
            raise model
        return SimpleNamespace(predict=model)

    monkeypatch.setattr(model_trial, "read_model", read)


def test_it_predicts_its_own_example(folder, monkeypatch):
    pytest.importorskip("pandas")
    reading(monkeypatch, lambda frame: frame["x"] * 2)
    assert model_trial.try_model(folder) == {"rows": 2, "predictions": [2.0, 4.0]}


@pytest.mark.parametrize(
    ("model", "key", "words"),
    [
        (ConfigurationError("it is a pickle"), "skipped", "pickle"),
        (NotFoundError("it is no model"), "error", "no model"),
        (ValueError("bad zip"), "error", "it cannot be loaded: ValueError: bad zip"),
        (lambda _: [1], "error", "it predicts 1 values for 2 rows"),
        (lambda frame: frame["y"], "error", "it cannot predict its input example: KeyError"),
    ],
)
def test_what_is_wrong_is_told(folder, monkeypatch, model, key, words):
    pytest.importorskip("pandas")
    reading(monkeypatch, model)
    assert words in model_trial.try_model(folder)[key]


def test_without_an_example_it_is_loaded(folder, monkeypatch):
    (folder / "MLmodel").write_text(MLMODEL.replace("type: dataframe", "type: ndarray"))
    reading(monkeypatch, lambda frame: frame)
    assert model_trial.try_model(folder)["rows"] == 0


@pytest.mark.parametrize("text", ["", "[", "- a", None])
def test_a_folder_that_is_no_model_is_told(tmp_path, text):
    if text is not None:
        (tmp_path / "MLmodel").write_text(text)
    assert "MLmodel cannot be read" in model_trial.try_model(tmp_path)["error"]


def test_the_answer_is_one_line(folder, monkeypatch, capsys):
    monkeypatch.setattr(model_trial, "try_model", lambda _: {"rows": 1, "predictions": [object]})
    monkeypatch.setattr(sys, "argv", ["model_trial", str(folder)])
    model_trial.main()
    assert capsys.readouterr().out.startswith('airfoil-answer: {"rows": 1')
