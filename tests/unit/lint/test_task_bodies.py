"""Data handed on through /tmp."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.unit
DAG = "from airflow.sdk import DAG\nDAG('x', tags=['t'], description='d', default_args={'owner': 'o'})\n"


@pytest.mark.parametrize(
    "body",
    [
        "import joblib\n    joblib.dump(model, '/tmp/m.joblib')",
        "import pickle\n    return pickle.load(open('/tmp/m.pkl', 'rb'))",
        "name = '1'\n    frame.to_pickle(f'/tmp/{name}.pkl')",
    ],
)
def test_it_is_told(codes, body):
    assert codes(f"{DAG}def f(model=None, frame=None):\n    {body}\n") == [(5, "AF501")]


@pytest.mark.parametrize(
    "body",
    [
        "import pickle\n    return pickle.dumps(1)",
        "import joblib\n    joblib.dump(model, 'm.joblib')",
        "print('/tmp/x')",
    ],
)
def test_what_stays_in_one_task_is_left_in_peace(codes, body):
    assert codes(f"{DAG}def f(model=None):\n    {body}\n") == []
