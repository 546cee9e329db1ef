"""Edits: several in one file, one that makes room for the next, and files that must stay as they are."""

from __future__ import annotations

import pytest

from airfoil.lint.mending import mend

pytestmark = pytest.mark.unit


def test_a_mended_file_needs_no_more_mending():
    text = (
        "# größe\nfrom airflow import DAG\nfrom airflow.operators.python import PythonOperator\n"
        "with DAG('ö', schedule_interval=None, concurrency=1):\n"
        "    PythonOperator(task_id='a', python_callable=f, provide_context=True, trigger_rule='dummy')\n"
    )
    once = mend(text.encode(), "x.py")
    assert once.decode() == (
        "# größe\nfrom airflow.sdk import DAG\nfrom airflow.providers.standard.operators.python import PythonOperator\n"
        "with DAG('ö', schedule=None, max_active_tasks=1):\n"
        "    PythonOperator(task_id='a', python_callable=f, trigger_rule='always')\n"
    )
    assert mend(once, "x.py") == once


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_stay(end):
    text = end.join(
        ["from airflow.sdk import DAG", "DAG('x',", "    default_view='tree',", "    fail_stop=True)", ""]
    )
    expected = end.join(["from airflow.sdk import DAG", "DAG('x',", "    fail_fast=True)", ""])
    assert mend(text.encode(), "x.py").decode() == expected


def test_encodings_stay():
    text = "# coding: latin-1\nfrom airflow.sdk import DAG\nDAG('größe', fail_stop=True)\n"
    assert mend(text.encode("latin-1"), "x.py") == text.replace("fail_stop", "fail_fast").encode("latin-1")
    marked = b"\xef\xbb\xbffrom airflow import DAG\n"
    assert mend(marked, "x.py") == b"\xef\xbb\xbffrom airflow.sdk import DAG\n"


@pytest.mark.parametrize("content", [b"def (", b"\0", "größe".encode("latin-1"), b"", b"x = 1\ry = 2\n"])
def test_what_cannot_be_read_comes_back_as_it_is(content):
    assert mend(content, "x.py") == content
