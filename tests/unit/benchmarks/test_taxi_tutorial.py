"""The tutorials' three tasks hand on what they should."""

import pytest
from benchmarks import taxi_tutorial
from benchmarks.taxi_months import write_months

pytestmark = pytest.mark.unit


def test_the_tasks_run_one_after_the_other(tmp_path):
    write_months(tmp_path, 3000)
    seen = taxi_tutorial.read(tmp_path)
    assert all(2800 < trips < 3000 for trips in seen["trips"].values())
    assert taxi_tutorial.vectorise(tmp_path, with_distance=False)["seconds"] > 0
    assert 1 < taxi_tutorial.fit_linear(tmp_path)["found"]["rmse"] < 30
