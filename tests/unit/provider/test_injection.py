"""Arguments by name: what stands in for them while a DAG file is parsed."""

from __future__ import annotations

import pytest

from airfoil.provider.injection import NAMES, asks_for, placeholders

pytestmark = pytest.mark.unit


def test_what_a_function_asks_for_is_stood_in_for():
    def train(rows, mlflow_run, work, params): ...

    assert placeholders(train, (1,), {}) == {"mlflow_run": None, "work": None}
    assert placeholders(train, (), {"rows": 1}) == {"mlflow_run": None, "work": None}


def test_what_the_dag_file_gives_is_its_own():
    def clean(work, mlflow_run=None): ...

    assert placeholders(clean, (), {"work": 1}) == {"mlflow_run": None}
    assert placeholders(clean, (1,), {}) == {"mlflow_run": None}
    assert placeholders(clean, (1, 2), {}) == {}


def test_only_what_is_asked_for():
    assert placeholders(lambda: None, (), {}) == {}
    assert placeholders(lambda **rest: rest, (), {}) == {}
    assert placeholders(lambda *rest, mlflow_run: rest, (1, 2), {}) == {"mlflow_run": None}
    assert set(NAMES) == {"mlflow_run", "work"}


def test_a_function_asks_by_name_or_for_everything():
    assert asks_for(lambda work: work, "work")
    assert asks_for(lambda **rest: rest, "work")
    assert not asks_for(lambda *rest: rest, "work")
