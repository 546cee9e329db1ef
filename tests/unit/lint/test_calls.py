"""Which DAGs and operators a file makes."""

from __future__ import annotations

import pytest

from airfoil.lint.calls import dag_calls, default_arguments, literal_items, operator_calls

pytestmark = pytest.mark.unit


def test_a_dag_with_unknown_arguments_is_not_whole(source):
    text = "from airflow.sdk import DAG\nDAG('a', **more)\nDAG(*some)\nDAG('b', schedule=None)\n"
    assert [(one.dag_id, one.is_whole) for one in dag_calls(source(text))] == [
        ("a", False),
        (None, False),
        ("b", True),
    ]


def test_a_dag_inside_a_plain_function_is_not_made_here(source):
    assert list(dag_calls(source("from airflow.sdk import DAG\ndef make():\n    DAG('a')\n"))) == []


def test_operators_are_known_by_their_names(source):
    text = (
        "from shop import MyOperator, MySensor, other\nfrom airflow.sdk import task\n"
        "MyOperator()\nMySensor()\nother()\n@task(retries=1)\ndef f(): ...\n"
    )
    assert len(list(operator_calls(source(text)))) == 3


def test_default_args_are_followed_by_name(source):
    (found,) = default_arguments(source("ARGS = {'a': 1, **more}\nf(default_args=ARGS)\n"))
    assert [name for _, name, _ in literal_items(found)] == ["a"]
