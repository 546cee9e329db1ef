"""What the log_model benchmark makes of its seconds."""

import pytest
from benchmarks import log_model

pytestmark = pytest.mark.unit


def side(*warm):
    return {"warm": list(warm), "first": 3.0, "import": 4.0, "peak_mib": 500.0, "uri": "models:/m-1"}


def test_the_warm_median_is_judged_and_imports_stand_apart():
    found = log_model.assemble({"ours": side(0.2, 0.4, 0.3), "peer": side(12.0)}, equal=True)
    assert found.line()["ours"]["seconds"] == 0.3
    assert found.line()["ours"]["import_seconds"] == 4.0
    assert found.line()["ratio"]["seconds"] == 0.025
    assert [goal.is_met for goal in found.goals] == [True]
    assert found.samples == 1
