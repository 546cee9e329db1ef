"""Whatever a person typed into a Variable becomes a setting or one clear sentence."""

from __future__ import annotations

import pytest

from airfoil.errors import ConfigurationError
from airfoil.steps.lifecycle.settings import LifecycleSettings, read_settings

pytestmark = pytest.mark.unit
GOOD = {
    "crawl_url": "https://example.com/iris.csv",
    "ml_model_type": "random_forest",
    "accuracy_threshold": "0.8",
    "notification_email": "ana@example.com; bo@example.com,ana@example.com",
    "parameters": '{"trees": 20}',
}


def test_what_variables_hold_is_read():
    found = read_settings(GOOD)
    assert found == LifecycleSettings(
        crawl_url="https://example.com/iris.csv",
        ml_model_type="random_forest",
        accuracy_threshold=0.8,
        notification_email=("ana@example.com", "bo@example.com"),
        parameters={"trees": 20},
    )
    assert LifecycleSettings.from_json(found.to_json()) == found


@pytest.mark.parametrize("nobody", ["", None, " , "])
def test_mail_and_parameters_may_be_missing(nobody):
    found = read_settings(
        {**GOOD, "notification_email": nobody, "parameters": nobody if nobody != " , " else {}}
    )
    assert (found.notification_email, dict(found.parameters)) == ((), {})


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("accuracy_threshold", "abc", "accuracy_threshold is 'abc', which is no number"),
        ("accuracy_threshold", "1.7", "accuracy_threshold is 1.7, and an accuracy lies between 0 and 1"),
        ("accuracy_threshold", -0.1, "accuracy_threshold is -0.1, and"),
        ("accuracy_threshold", "nan", "accuracy_threshold is 'nan', which is no number"),
        ("accuracy_threshold", "80 %", "which is no number"),
        ("accuracy_threshold", "", "accuracy_threshold is not set"),
        ("accuracy_threshold", "inf", "lies between 0 and 1"),
        ("ml_model_type", "forest", "ml_model_type is 'forest', and there is no such model type"),
        ("ml_model_type", None, "ml_model_type is not set"),
        ("ml_model_type", ["knn"], "there is no such model type"),
        ("crawl_url", "", "crawl_url is not set, so there is nothing to fetch"),
        ("crawl_url", "/tmp/iris.csv", "no address of a web server"),
        ("crawl_url", "ftp://example.com/iris.csv", "no address of a web server"),
        ("crawl_url", "https://[::1", "no address of a web server"),
        ("notification_email", "ana", "notification_email is 'ana', which is no mail address"),
        ("notification_email", "ana@example.com\nBcc: x@y.z", "no mail address"),
        ("parameters", "trees=20", "The hyper-parameters are 'trees=20', which is no JSON object"),
        ("parameters", "[1]", "no JSON object"),
        ("parameters", {"trees": 0}, "The parameter 'trees' of 'random_forest' cannot be 0"),
        ("parameters", {"tree": 1}, "has no parameter 'tree'"),
    ],
)
def test_each_mistake_is_one_sentence_with_a_next_move(name, value, sentence):
    with pytest.raises(ConfigurationError) as raised:
        read_settings({**GOOD, name: value})
    assert sentence in raised.value.message
    assert raised.value.next_move
    assert "\n" not in raised.value.in_full


def test_what_a_form_leaves_empty_is_not_given():
    text = '{"trees": 20, "max_depth": null, "kernel": null}'
    assert dict(read_settings({**GOOD, "parameters": text}).parameters) == {"trees": 20}


def test_a_setting_of_another_name_is_refused():
    with pytest.raises(ConfigurationError, match="'treshold' is no setting"):
        read_settings({**GOOD, "treshold": 0.8})


def test_a_model_type_that_does_not_exist_names_those_that_do():
    with pytest.raises(ConfigurationError) as raised:
        read_settings({**GOOD, "ml_model_type": "cnn"})
    assert (
        "random_forest, logistic_regression, gradient_boosting, xgboost, svm, knn" in raised.value.next_move
    )
    assert "airfoil variables set ml_model_type" in raised.value.next_move
