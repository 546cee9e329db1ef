"""What reaches outside while a file is parsed."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.unit
DAG = "from airflow.sdk import DAG\nDAG('x', tags=['t'], description='d', default_args={'owner': 'o'})\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("import requests\nrequests.get('http://x')", "AF203"),
        ("from requests import get\nget('http://x')", "AF203"),
        ("import mlflow.tracking\nmlflow.set_experiment('x')", "AF203"),
        ("import psycopg\npsycopg.connect()", "AF204"),
        ("from sqlalchemy import create_engine\ncreate_engine('x').connect()", "AF204"),
        ("from shop import DbHook\nDbHook('x').get_records('q')", "AF201"),
        ("from shop import DbHook\nhook = DbHook('x')\nhook.get_conn()", "AF201"),
        ("from airflow.models import Variable as V\nV.get('x')", "AF202"),
        ("import os\nos.system('ls')", "AF205"),
        ("from pathlib import Path\nPath('x').write_text('y')", "AF208"),
        ("import os\nos.makedirs('x')", "AF208"),
        ("open('x', mode='a')", "AF208"),
        ("import pandas as pd\npd.read_csv('x')", "AF209"),
    ],
)
def test_a_reach_is_told_with_its_line(codes, text, code):
    found = [one for one in codes(f"{DAG}{text}\n") if one[1] not in {"AF206", "AF107"}]
    assert found == [(2 + len(text.splitlines()), code)]


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    import requests\n    requests.get('x')",
        "requests = {}\nrequests.get('x')",
        "open('x').read()",
        "open('x', 'rb')",
        "import os\nos.environ.get('x')\nos.path.join('a')",
        "from pathlib import Path\nPath('x').read_text()",
        "lambda: open('x', 'w')",
        "from shop import DbHook\nDbHook('x')",
    ],
)
def test_honest_lines_are_left_in_peace(codes, text):
    assert codes(f"{DAG}{text}\n") == []


def test_the_body_of_a_dag_function_is_run_at_parse_and_that_of_its_tasks_is_not(codes):
    text = (
        "from airflow.sdk import dag, task, Variable\n"
        "@dag(tags=['t'], description='d', default_args={'owner': 'o'})\ndef f():\n    Variable.get('x')\n"
        "    @task\n    def g():\n        Variable.get('x')\n"
    )
    assert codes(text) == [(4, "AF202")]


def test_in_a_module_without_a_dag_files_may_be_written_but_no_network_used(codes):
    assert codes("open('x', 'w')\nimport requests\nrequests.get('x')\n") == [(3, "AF203")]
