"""Experiments: found, made, or told apart from those in the bin."""

import httpx
import pytest

from airfoil.clients import experiments as module
from airfoil.clients.experiments import experiment_id, experiment_ids
from airfoil.errors import ConfigurationError

pytestmark = pytest.mark.unit


def test_an_experiment_is_made_once(server, http):
    first = http.do(experiment_id("wine"))
    assert http.do(experiment_id("wine")) == first
    assert set(server.experiments) == {"Default", "wine"}


def test_an_experiment_made_by_somebody_else_in_between_is_used(server, http):
    def create():
        http.post("api/2.0/mlflow/experiments/create", {"name": "wine"})

    server.faults.meanwhile("mlflow/experiments/create", create)
    assert http.do(experiment_id("wine")) == server.experiment_id("wine")


def test_an_experiment_name_that_mlflow_refuses_is_our_error(server, http):
    server.fail["mlflow/experiments/create"] = httpx.Response(400, json={"message": "bad name"})
    with pytest.raises(ConfigurationError, match="bad name"):
        http.do(experiment_id("//"))


def test_a_deleted_experiment_says_how_to_get_it_back(server, http):
    number = http.do(experiment_id("wine"))
    http.post("api/2.0/mlflow/experiments/delete", {"experiment_id": number})
    with pytest.raises(ConfigurationError, match="is deleted") as caught:
        http.do(experiment_id("wine"))
    assert f"restore -x {number}" in caught.value.next_move


def test_all_active_experiments_are_listed_over_all_pages(server, http, monkeypatch):
    monkeypatch.setattr(module, "PAGE", 1)
    ids = {name: http.do(experiment_id(name)) for name in ("wine", "ledger", "beer", "old")}
    http.post("api/2.0/mlflow/experiments/delete", {"experiment_id": ids["old"]})
    found = set(http.do(experiment_ids(but="ledger")))
    assert found >= {ids["wine"], ids["beer"]}
    assert not found & {ids["ledger"], ids["old"]}
