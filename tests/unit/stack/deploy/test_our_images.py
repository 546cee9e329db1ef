"""Images of ours: their names, and whom nobody asks for them."""

from __future__ import annotations

import pytest

from airfoil.stack.deploy import our_images

pytestmark = pytest.mark.unit


def test_an_image_is_called_after_the_release_unless_it_has_a_name_of_its_own():
    assert our_images.name("airflow", {"AIRFOIL_TAG": "1.2", "AIRFLOW_IMAGE": ""}) == "airfoil/airflow:1.2"
    assert our_images.name("status", {"AIRFOIL_TAG": "1.2"}) == "airfoil/status:1.2"
    given = {"AIRFOIL_TAG": "1.2", "MLFLOW_IMAGE": "registry/mlflow:7"}
    assert our_images.name("mlflow", given) == "registry/mlflow:7"


@pytest.mark.parametrize(
    ("name", "policy"),
    [
        ("airfoil/airflow:1.2", "never"),
        ("airfoil/airflow:test", "never"),
        ("ml/airflow:1", "never"),
        ("airflow:1.2", "never"),
        ("airflow.internal:1.2", "never"),
        ("registry.example.com/ml/airflow:1", "missing"),
        ("registry:5000/airflow", "missing"),
        ("localhost/airflow:1", "missing"),
        ("docker.io/ml/airflow:1", "missing"),
    ],
)
def test_an_image_may_be_fetched_whose_name_says_of_which_registry(name, policy):
    assert our_images.pull_policy(name) == policy
