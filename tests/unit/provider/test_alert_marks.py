"""One of many tells; when nobody can be told, or no mark be made, the next one tries."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from airfoil.provider.alert_marks import first_to_tell, take_back

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def work(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WORK_AREA", str(tmp_path / "work"))
    return tmp_path / "work"


def test_of_twenty_that_fail_at_once_one_tells():
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda _: first_to_tell("churn", "manual__1", "failed 1"), range(20)))
    assert sum(mark is not None for mark in found) == 1


def test_other_runs_and_later_attempts_tell_for_themselves():
    assert first_to_tell("churn", "manual__1", "failed 1")
    assert first_to_tell("churn", "manual__1", "failed 2")
    assert first_to_tell("churn", "manual__2", "failed 1")
    assert first_to_tell("churn", "manual__1", "failed 1") is None


def test_a_mark_that_is_taken_back_is_free_again():
    take_back(first_to_tell("churn", "manual__1", "failed 1"))
    assert first_to_tell("churn", "manual__1", "failed 1")


def test_where_no_mark_can_be_made_everybody_tells(work, monkeypatch):
    work.write_text("a file where the folder should be")
    assert first_to_tell("churn", "manual__1", "failed 1") == Path()
    assert first_to_tell("churn", "manual__1", "failed 1") == Path()
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WORK_AREA", "s3://bucket/work")
    assert first_to_tell("churn", "manual__1", "failed 1") == Path()
    take_back(Path())
