"""Names of the old context: where they are looked up, and where the same word means something else."""

from __future__ import annotations

import pytest

from airfoil.lint.mending import mend

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "text",
    [
        "def f(**context): context['execution_date']",
        "def f(**kwargs): kwargs.get('prev_ds')",
        "from airflow.sdk import get_current_context\ndef f(): get_current_context()['conf']",
        "def f(ti): ti.execution_date",
        "def f(context): context['dag_run']\nx = '{{ dag_run.execution_date }}'",
        "x = '{{ macros.ds_add(yesterday_ds, 1) }}'",
        "x = '{% if prev_ds %}a{% endif %}'",
        'x = \'{{ conf.get("core", "x") }}\'',
        "from airflow.sdk import task\n@task\ndef f(tomorrow_ds): ...",
    ],
)
def test_an_old_name_is_found(codes, text):
    assert [code for _, code in codes(text + "\n")] == ["AF103"]


@pytest.mark.parametrize(
    "text",
    [
        "x = 'the execution_date {{ ds }}'",
        "x = '{{ dag_run.conf.x }} {{ params[\"execution_date\"] }} {{ my.execution_date_of }}'",
        "x = {'execution_date': 1}['execution_date']",
        "def f(execution_date): return execution_date",
        "from shop import context\ncontext['conf']",
        "order.execution_date",
        "x = '{{ conf_of }} {{ var.value.prev_ds }}'",
    ],
)
def test_the_same_word_elsewhere_is_left_in_peace(codes, text):
    assert codes(text + "\n") == []


def test_the_line_inside_a_long_text_is_told(codes):
    assert codes('x = """\nselect 1\nwhere d = {{ prev_ds }}\n"""\n') == [(3, "AF103")]


def test_only_what_is_the_same_under_another_name_is_mended():
    text = "def f(**context):\n    context['execution_date'], context['prev_ds'], '{{ execution_date }}'\n"
    expected = text.replace("execution_date", "logical_date")
    assert mend(text.encode(), "x.py").decode() == expected


def test_a_pull_with_a_task_is_no_blind_pull(codes):
    assert codes("def f(ti):\n    ti.xcom_pull(task_ids='a', key='x')\n    ti.xcom_pull('a')\n") == []
    assert codes("def f(ti):\n    ti.xcom_pull(key='x')\n") == [(2, "AF110")]
