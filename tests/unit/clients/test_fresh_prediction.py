"""The process's own work: which version the alias has, what it predicts, how long single rows take."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace

import httpx
import pytest
from tests.unit.provider.registry_tasks import Registry

from airfoil.clients import fresh_prediction as module
from airfoil.clients.model_endpoints import ANSWER
from airfoil.errors import ConfigurationError, NotFoundError

pytestmark = pytest.mark.unit
QUESTION = {
    "server": {"uri": "http://mlflow.test:5000", "tries": 1},
    "model": "wine",
    "alias": "champion",
    "rows": [{"x": 1.0}, {"x": 2.0}, {"x": 3.0}],
    "alone": 2,
}


@pytest.fixture
def server():
    found = Registry()
    found.add_versions("wine", 2)
    found.point("wine", 2)
    return found


@pytest.fixture
def loaded(monkeypatch):
    """What was loaded, and what it predicts; loading for real is an integration test."""
    asked = []

    def predict(frame):
        asked.append(len(frame))
        return frame["x"] * 2

    def load(_, uri, *, trusted_types):
        asked.append(uri)
        return SimpleNamespace(predict=predict)

    monkeypatch.setattr(module, "load_model", load)
    return asked


def test_the_version_behind_the_alias_predicts_all_rows_and_some_alone(server, loaded):
    pytest.importorskip("pandas")
    found = module.answer(QUESTION, transport=httpx.MockTransport(server))
    assert (found.version, found.predictions) == (2, (2.0, 4.0, 6.0))
    assert loaded == ["models:/wine/2", 3, 1, 1]
    assert len(found.latency_ms) == 2


def test_an_alias_that_nobody_has_is_said(server):
    with pytest.raises(NotFoundError, match="There is no model wine@nobody"):
        module.answer({**QUESTION, "alias": "nobody"}, transport=httpx.MockTransport(server))


def test_rows_that_the_model_does_not_know_are_said(server, loaded):
    pytest.importorskip("pandas")
    with pytest.raises(ConfigurationError, match=r"wine@champion \(version 2\) cannot predict these rows"):
        module.answer({**QUESTION, "rows": [{"y": 1}]}, transport=httpx.MockTransport(server))


def test_an_error_of_ours_is_an_answer(monkeypatch, capsys):
    def refuse(_):
        raise NotFoundError("There is none", "Look.")

    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(QUESTION)))
    monkeypatch.setattr(module, "answer", refuse)
    module.main()
    said = capsys.readouterr().out
    assert json.loads(said.removeprefix(ANSWER)) == {
        "error": {"kind": "NotFoundError", "message": "There is none", "next_move": "Look."}
    }
