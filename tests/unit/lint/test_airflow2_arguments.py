"""Arguments of Airflow 2: in calls, decorators and default_args; and edits that leave nothing behind."""

from __future__ import annotations

import pytest

from airfoil.lint.mending import mend

pytestmark = pytest.mark.unit
DAG = "from airflow.sdk import DAG, dag, task\n"
DONE = 'tags=["t"], description="d", default_args={"owner": "o"}'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("schedule_interval=None", "schedule=None"),
        ("schedule=None, default_view='tree'", "schedule=None"),
        ("schedule=None, orientation='LR', catchup=False", "schedule=None, catchup=False"),
        ("schedule=None,\n    default_view='tree',\n    catchup=False", "schedule=None,\n    catchup=False"),
        (
            "max_active_tasks=1, schedule=None, fail_stop=True",
            "max_active_tasks=1, schedule=None, fail_fast=True",
        ),
    ],
)
def test_an_argument_is_renamed_or_taken_out(before, after):
    assert mend(f"{DAG}DAG('x', {before})\n".encode(), "x.py").decode() == f"{DAG}DAG('x', {after})\n"


def test_an_argument_is_not_given_twice(codes):
    text = f"{DAG}DAG('x', schedule='@daily', schedule_interval='@daily', deadline=d, {DONE})\n"
    assert codes(text) == [(2, "AF101")]
    assert mend(text.encode(), "x.py") == text.encode()


def test_decorators_and_default_args_are_looked_at(codes):
    text = (
        DAG
        + f"@dag(schedule_interval=None, {DONE})\ndef a():\n    @task(task_concurrency=1)\n    def b(): ...\n    b()\n"
        "ARGS = {'owner': 'o', 'provide_context': True, 'sla': 1, 'email': 'x'}\n"
        "DAG('y', tags=['t'], description='d', default_args=ARGS)\n"
    )
    assert codes(text) == [(2, "AF101"), (4, "AF102"), (7, "AF102"), (7, "AF108"), (7, "AF109")]


def test_other_peoples_functions_may_have_such_arguments(codes):
    text = "from shop import plan\nplan(schedule_interval=1, sla=2, email='x', concurrency=3)\nDAG = 1\n"
    assert codes(text) == []


def test_a_computed_value_is_not_deleted():
    text = f"{DAG}DAG('x', default_view=choose())\n"
    assert mend(text.encode(), "x.py").decode() == text


def test_trigger_rules_are_found_as_text_and_as_names(codes):
    text = (
        "from airflow.sdk import TriggerRule\nfrom shop import MyOperator\n"
        "MyOperator(trigger_rule='none_failed_or_skipped')\nMyOperator(trigger_rule=TriggerRule.DUMMY)\n"
    )
    assert codes(text) == [(3, "AF104"), (4, "AF104")]
    mended = mend(text.encode(), "x.py").decode()
    assert "'none_failed_min_one_success'" in mended
    assert "TriggerRule.ALWAYS" in mended


def test_the_old_variable_keeps_its_argument():
    text = "from airflow.models import Variable\ndef f():\n    Variable.get('x', default_var=1)\n"
    assert mend(text.encode(), "x.py").decode() == text
