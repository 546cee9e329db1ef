"""A task of an operator, under a name of its own."""

from __future__ import annotations

import pytest
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, XComArg

from airfoil.provider.task_results import result_of

pytestmark = pytest.mark.unit


def test_the_second_task_of_a_name_is_numbered():
    with DAG("d", schedule=None) as dag:
        results = [result_of(EmptyOperator, "look", retries=3) for _ in range(2)]
    assert all(isinstance(one, XComArg) for one in results)
    assert dag.task_ids == ["look", "look__1"]
    assert dag.get_task("look").retries == 3
