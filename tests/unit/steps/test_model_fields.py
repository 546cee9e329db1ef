"""A field for each hyper-parameter: it takes what some model type takes, and says what is used when it stays empty."""

from __future__ import annotations

import jsonschema
import pytest

from airfoil.errors import ConfigurationError
from airfoil.steps.lifecycle.search import SPACES
from airfoil.steps.model_fields import model_fields
from airfoil.steps.model_zoo import ZOO, plan_model

pytestmark = pytest.mark.unit
FIELDS = model_fields()


def takes(name, value):
    return jsonschema.Draft202012Validator(FIELDS[name]).is_valid(value)


def test_each_parameter_of_each_type_has_one_field():
    assert set(FIELDS) == {name for plan in ZOO.values() for name in plan.model_fields}


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_may_stay_empty_and_says_what_that_means(name):
    field = FIELDS[name]
    assert takes(name, None)
    assert len(field["type"]) == 2, "one kind of value: a form has no field for two"
    assert field["title"][0].isupper()
    for model_type, plan in ZOO.items():
        if name in plan.model_fields:
            assert model_type in field["description"]


def test_one_sentence_tells_what_it_is_and_the_defaults():
    assert FIELDS["max_depth"]["description"] == (
        "The most questions from the root of a tree to a leaf. random_forest, gradient_boosting: no limit; xgboost: 6"
    )


@pytest.mark.parametrize(("model_type", "space"), SPACES.items())
def test_what_a_search_tries_a_person_may_fill_in(model_type, space):
    for name, values in space.items():
        assert all(takes(name, value) for value in values), (model_type, name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trees", 0),
        ("trees", 5001),
        ("trees", 2.5),
        ("trees", "many"),
        ("trees", True),
        ("learning_rate", 0),
        ("learning_rate", 1.5),
        ("strength", 0),
        ("seed", -1),
        ("kernel", "magic"),
        ("kernel", 3),
        ("weights", ""),
    ],
)
def test_what_no_type_takes_is_refused_in_the_form(name, value):
    assert not takes(name, value)
    for model_type, plan in ZOO.items():
        if name in plan.model_fields and value is not True:  # pydantic reads it as 1
            with pytest.raises(ConfigurationError):
                plan_model(model_type, {name: value})


def test_a_field_is_as_wide_as_the_widest_type():
    assert takes("max_depth", 200)
    with pytest.raises(ConfigurationError, match="'max_depth' of 'xgboost' cannot be 200"):
        plan_model("xgboost", {"max_depth": 200})
