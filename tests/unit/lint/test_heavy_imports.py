"""Heavy libraries at the top of a DAG file, and everywhere else."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.unit
DAG = "from airflow.sdk import DAG\nDAG('x', tags=['t'], description='d', default_args={'owner': 'o'})\n"


@pytest.mark.parametrize(
    "line",
    [
        "import pandas as pd",
        "import sklearn.linear_model",
        "from mlflow import log_metric",
        "import os, torch",
    ],
)
def test_a_heavy_import_is_told(codes, line):
    assert codes(f"{DAG}{line}\n") == [(3, "AF206")]


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    import pandas",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pandas",
        "if __name__ == '__main__':\n    import pandas",
        "from airflow.providers.standard.operators.bash import BashOperator",
        "from . import pandas",
        "import json",
    ],
)
def test_an_import_that_does_not_run_at_parse_is_left_in_peace(codes, text):
    assert codes(f"{DAG}{text}\n") == []


def test_a_module_that_makes_no_dag_may_import_what_it_needs(codes):
    assert codes("import pandas\n") == []
