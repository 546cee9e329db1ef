from __future__ import annotations

import pytest
from pydantic import ValidationError

from airfoil.steps.drift.report import ColumnSummary, DriftLimits, DriftVerdict

pytestmark = pytest.mark.unit


def test_a_share_of_no_rows_is_nothing():
    assert ColumnSummary(rows=0, missing=0).missing_share == 0
    assert ColumnSummary(rows=4, missing=1).missing_share == 0.25


def test_a_verdict_survives_json():
    verdict = DriftVerdict(passed=True, outcome="stable", reason="0 of 1", limits=DriftLimits())
    assert DriftVerdict.from_json(verdict.to_json()) == verdict


@pytest.mark.parametrize("wrong", [{"p_value": 0}, {"effect": 2}, {"missing_change": -1}, {"other": 1}])
def test_limits_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValidationError):
        DriftLimits(**wrong)
