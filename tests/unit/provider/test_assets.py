"""Models as assets: addresses, equality, and a place in a DAG's schedule."""

from __future__ import annotations

import json

import pytest
from airflow.sdk import DAG, Asset
from airflow.serialization.serialized_objects import DagSerialization
from hypothesis import given
from hypothesis import strategies as st

from airfoil.errors import ConfigurationError
from airfoil.provider.assets import Model, ModelAlias, model_and_alias, uri_of

pytestmark = pytest.mark.unit
names = st.text(min_size=1, max_size=40).filter(lambda text: text.strip() and not set(text) & set("/:"))
aliases = st.from_regex(r"[A-Za-z][A-Za-z_-]{0,20}", fullmatch=True).filter(
    lambda text: text.lower() != "latest"
)


def test_an_alias_is_an_asset_with_an_address():
    asset = Model("wine").at("champion")
    assert isinstance(asset, Asset)
    assert (asset.name, asset.uri, asset.group) == ("wine@champion", "mlflow://model/wine@champion", "model")
    assert (asset.model, asset.alias, asset.mlflow_conn_id) == ("wine", "champion", "mlflow_default")


@given(names, aliases)
def test_an_address_leads_back_to_model_and_alias(name, alias):
    assert model_and_alias(uri_of(name, alias)) == (name, alias)
    assert Model(name).at(alias).uri == uri_of(name, alias)


def test_equal_aliases_are_one_asset():
    here, there = Model("wine").at("champion"), Model("wine").at("champion")
    assert {here, there} == {here}
    assert here != Model("wine").at("challenger")
    assert here != "wine@champion"


@pytest.mark.parametrize("name", ["", " ", "a/b", "a:b"])
def test_a_name_that_mlflow_refuses_is_refused_while_parsing(name):
    with pytest.raises(ConfigurationError, match="no name of a registered model"):
        Model(name)


@pytest.mark.parametrize("alias", ["", "latest", "v1", "V20", "a b", "ü", "a@b"])
def test_an_alias_that_mlflow_refuses_is_refused_while_parsing(alias):
    with pytest.raises(ConfigurationError, match="no alias of a model"):
        Model("wine").at(alias)


@pytest.mark.parametrize(
    "uri",
    [
        "mlflow://model/wine",
        "mlflow://models/wine@a",
        "mlflow://model/@a",
        "mlflow://model/a@b/c",
        "mlflow://model/a@b@c",
    ],
)
def test_an_address_that_means_nothing_is_refused_by_airflow_too(uri):
    with pytest.raises(ConfigurationError):
        model_and_alias(uri)
    with pytest.raises(ValueError, match="mlflow://model/NAME@ALIAS"):
        Asset(name="x", uri=uri)


def test_a_dag_may_be_scheduled_by_it():
    with DAG("scores_wine", schedule=[Model("wine").at("champion")]) as dag:
        pass
    stored = json.loads(json.dumps(DagSerialization.to_dict(dag)))
    (asset,) = DagSerialization.from_dict(stored).timetable.asset_condition.objects
    assert (asset.name, asset.uri) == ("wine@champion", "mlflow://model/wine@champion")


def test_the_asset_is_made_by_model_only_in_name():
    assert ModelAlias("wine", "champion") == Model("wine").at("champion")


def test_the_asset_carries_the_watcher_that_sees_its_moves():
    (watcher,) = Model("wine", mlflow_conn_id="mlflow_other").at("champion").watchers
    path, arguments = watcher.trigger.serialize()
    assert path == "airfoil.provider.triggers.model_moves.ModelMovesTrigger"
    assert (arguments["model"], arguments["alias"], arguments["mlflow_conn_id"]) == (
        "wine",
        "champion",
        "mlflow_other",
    )
