"""The button from a task instance to its MLflow run."""

from types import SimpleNamespace

import pytest

from airfoil.provider.links.mlflow_run import MlflowRunLink

pytestmark = pytest.mark.unit


def test_the_link_is_what_the_operator_knows():
    link = MlflowRunLink()
    assert (link.name, link.xcom_key) == ("MLflow run", "_link_MlflowRunLink")
    assert link.get_link(SimpleNamespace(mlflow_run_url="http://m/#/r"), ti_key=None) == "http://m/#/r"


def test_a_task_that_never_opened_its_run_has_no_link():
    assert MlflowRunLink().get_link(SimpleNamespace(mlflow_run_url=""), ti_key=None) == ""
    assert MlflowRunLink().get_link(SimpleNamespace(), ti_key=None) == ""
