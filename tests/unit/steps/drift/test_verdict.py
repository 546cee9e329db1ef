from __future__ import annotations

import pytest

from airfoil.steps.drift.report import ColumnDrift, ColumnSummary, DriftLimits, DriftReport
from airfoil.steps.drift.verdict import judge_drift

pytestmark = pytest.mark.unit


def column(name="a", *, effect=0.3, p_adjusted=0.001, missing=0, **changed):
    return ColumnDrift(
        name=name,
        kind="number",
        test="kolmogorov_smirnov",
        reference=ColumnSummary(rows=100, missing=0),
        current=ColumnSummary(rows=100, missing=missing),
        statistic=effect,
        p_value=p_adjusted,
        p_adjusted=p_adjusted,
        effect=effect,
        **changed,
    )


def report(*columns, rows=100):
    return DriftReport(
        reference="old",
        current="new",
        reference_rows=100,
        current_rows=rows,
        correction="none",
        columns=columns,
    )


@pytest.mark.parametrize(
    ("effect", "p_adjusted", "drifted", "said"),
    [
        (0.3, 0.001, True, "gap 0.3 (0.1 or more counts), p 0.001 (below 0.05)"),
        (0.01, 0.0, False, "p 0 says that the two differ, but by a gap 0.01 only"),
        (0.3, 0.05, False, "gap 0.3, which may be chance: p 0.05"),
        (0.01, 0.9, False, "gap 0.01, p 0.9"),
    ],
)
def test_drift_is_no_chance_and_large_enough(effect, p_adjusted, drifted, said):
    verdict = judge_drift(report(column(effect=effect, p_adjusted=p_adjusted)))
    assert (verdict.passed, verdict.outcome) == ((False, "drifted") if drifted else (True, "stable"))
    assert said in verdict.columns[0].reason


def test_the_p_value_can_be_left_to_decide_alone():
    verdict = judge_drift(report(column(effect=0.001)), DriftLimits(effect=0))
    assert verdict.drifted == ("a",)


def test_values_that_went_missing_are_drift_whatever_the_rest_looks_like():
    verdict = judge_drift(report(column(effect=0, p_adjusted=1, missing=40)))
    assert not verdict.passed
    assert "0.4 of its values are missing, 0 in the reference" in verdict.reason


def test_a_share_of_the_columns_may_drift():
    columns = [column("a"), *[column(name, effect=0) for name in "bcd"]]
    assert judge_drift(report(*columns), DriftLimits(drifted_share=0.25)).passed
    assert not judge_drift(report(*columns), DriftLimits(drifted_share=0.2)).passed


def test_nothing_measured_is_no_pass():
    assert judge_drift(report()).outcome == "not_measured"
    verdict = judge_drift(report(column(), rows=0))
    assert (verdict.passed, verdict.outcome) == (False, "not_measured")
    assert "new has no rows" in verdict.reason


def test_many_drifted_columns_are_not_all_told():
    verdict = judge_drift(report(*[column(f"c{number}") for number in range(9)]))
    assert "and 4 more" in verdict.reason
    assert len(verdict.drifted) == 9
