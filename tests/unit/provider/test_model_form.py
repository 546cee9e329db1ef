"""The fields of the trigger dialog are Airflow's, and what is filled in reaches the life cycle as it was meant."""

from __future__ import annotations

import copy
import json

import pytest
from airflow.sdk import DAG, Param
from airflow.sdk.exceptions import ParamValidationError
from airflow.serialization.serialized_objects import DagSerialization

from airfoil.errors import ConfigurationError
from airfoil.provider.model_form import GIVEN_PARAMETERS, SECTION, model_form
from airfoil.steps.lifecycle.settings import read_settings
from airfoil.steps.model_zoo import ZOO

pytestmark = pytest.mark.unit


@pytest.fixture
def given():
    """What a run of a DAG with this form hands to the life cycle, for values that somebody filled in."""
    dag = DAG("iris", schedule=None, params=model_form())
    environment = dag.get_template_env()

    def given(model_type, **filled):
        params = copy.deepcopy(dag.params)
        params.update(filled)
        text = environment.from_string(GIVEN_PARAMETERS).render(params=params.validate())
        asked = {"crawl_url": "https://a.test/b", "ml_model_type": model_type, "accuracy_threshold": 0.8}
        return dict(read_settings({**asked, "parameters": text}).parameters)

    return given


def test_it_has_one_section_of_hyper_parameters():
    form = model_form()
    assert all(isinstance(field, Param) for field in form.values())
    sections = {name: field.schema.get("section") for name, field in form.items()}
    assert sections.pop("ml_model_type") is None, "it stands with the other parameters of a run"
    assert set(sections.values()) == {SECTION}


def test_every_model_type_can_be_chosen():
    assert model_form()["ml_model_type"].schema["enum"] == [None, *ZOO]
    assert model_form(default="svm")["ml_model_type"].schema["enum"] == [*ZOO]


@pytest.mark.parametrize("model_type", ZOO)
def test_an_empty_form_is_the_defaults(model_type, given):
    assert given(model_type) == {}


def test_what_is_filled_in_arrives_with_its_type(given):
    assert given("random_forest", trees=200, max_depth=None) == {"trees": 200}
    assert given("xgboost", learning_rate=0.05, max_depth=4) == {"learning_rate": 0.05, "max_depth": 4}
    assert given("svm", kernel="poly") == {"kernel": "poly"}


def test_what_the_chosen_type_does_not_know_is_refused_by_name(given):
    with pytest.raises(ConfigurationError, match="'knn' has no parameter 'trees'") as caught:
        given("knn", trees=200)
    assert caught.value.next_move == "It has neighbours, weights."


def test_what_means_nothing_does_not_get_past_the_form(given):
    with pytest.raises(ParamValidationError, match="less than the minimum of 1"):
        given("random_forest", trees=0)


def test_the_type_may_stay_empty_unless_there_is_a_default():
    assert model_form()["ml_model_type"].resolve(None) is None
    chosen = model_form(default="knn")["ml_model_type"]
    assert chosen.resolve() == "knn"
    for nothing in (None, "forest"):
        with pytest.raises(ParamValidationError):
            chosen.resolve(nothing)


def test_it_survives_a_serialize_round_trip():
    dag = DAG("iris", schedule=None, params=model_form())
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))
    for name, field in model_form().items():
        again = back.params.get_param(name)
        assert (again.value, again.description, again.schema) == (
            field.value,
            field.description,
            field.schema,
        )
