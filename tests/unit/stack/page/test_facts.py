from __future__ import annotations

import pytest

from airfoil.stack.page import facts

pytestmark = pytest.mark.unit


def test_moments_come_in_every_form_neighbours_use():
    assert facts.moment("1970-01-01T00:01:00Z") == 60
    assert facts.moment("1970-01-01T01:01:00.500000+01:00") == 60.5
    assert facts.moment(1_763_640_000_000) == 1_763_640_000
    assert facts.moment("1763640000000") == 1_763_640_000
    assert facts.moment(1_763_640_000.25) == 1_763_640_000.25


@pytest.mark.parametrize(
    "odd", [None, True, "", "yesterday", [], {}, "²", "9999-99-99", float("nan"), 10**400]
)
def test_what_is_no_moment_is_none(odd):
    assert facts.moment(odd) is None


def test_text_is_one_line_of_bounded_length():
    assert facts.text("a\n  b\tc") == "a b c"
    assert facts.text(None) == ""
    assert facts.text({"a": 1}) == ""
    assert facts.text(5) == "5"
    long = facts.text("x" * 5000)
    assert len(long) == facts.MAX_TEXT_CHARACTERS
    assert long.endswith("…")


def test_a_dag_run_links_to_airflow():
    row = {
        "dag_id": "shop/etl",
        "dag_run_id": "manual__2026-11-20T10:00:00+00:00",
        "state": "success",
        "run_type": "manual",
        "start_date": "1970-01-01T00:01:00Z",
        "end_date": None,
    }
    (run,) = facts.dag_runs([row], "http://127.0.0.1:8080")
    assert run.url == ("http://127.0.0.1:8080/dags/shop%2Fetl/runs/manual__2026-11-20T10%3A00%3A00%2B00%3A00")
    assert (run.dag_id, run.state, run.started_at, run.ended_at) == ("shop/etl", "success", 60, None)


def test_rows_without_anything_still_become_values():
    assert facts.dag_runs([{}], "http://h")[0].state == "unknown"
    assert facts.tracked_runs([{}])[0].status == "UNKNOWN"
    assert facts.model_versions([{"aliases": "champion"}])[0].aliases == ()
    assert facts.import_problems([{}]) == (facts.ImportProblem("", ""),)


def test_of_a_stack_trace_the_last_line_is_kept():
    trace = "Traceback (most recent call last):\n  File \"a.py\", line 1\nModuleNotFoundError: No module named 'x'\n\n"
    (problem,) = facts.import_problems([{"filename": "dags/a.py", "stack_trace": trace}])
    assert problem == facts.ImportProblem("dags/a.py", "ModuleNotFoundError: No module named 'x'")


def test_runs_and_models_of_mlflow():
    (run,) = facts.tracked_runs(
        [
            {
                "run_id": "r1",
                "name": "",
                "experiment": "wine",
                "status": "RUNNING",
                "start_time": 60.0,
                "url": "http://u",
            }
        ]
    )
    assert (run.name, run.started_at, run.ended_at) == ("r1", 60.0, None)
    (model,) = facts.model_versions(
        [{"name": "wine", "version": 3, "aliases": ["champion"], "created_at": 60.0, "url": "http://m"}]
    )
    assert model == facts.ModelVersion("wine", "3", ("champion",), 60.0, "http://m")
