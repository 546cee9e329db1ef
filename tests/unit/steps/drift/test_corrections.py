from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from airfoil.steps.drift.corrections import adjust, benjamini_hochberg, holm

pytestmark = pytest.mark.unit

P_VALUES = st.lists(st.floats(0, 1), max_size=30)


@given(P_VALUES.filter(bool))
def test_benjamini_hochberg_is_scipys(p_values):
    expected = stats.false_discovery_control(p_values)
    assert benjamini_hochberg(p_values) == pytest.approx(expected, rel=1e-12, abs=1e-300)


@given(P_VALUES)
def test_holm_rejects_what_stepping_down_rejects(p_values):
    level = 0.05
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    rejected = set()
    for passed, place in enumerate(order):
        if p_values[place] * (len(p_values) - passed) >= level:
            break
        rejected.add(place)
    assert {place for place, p_value in enumerate(holm(p_values)) if p_value < level} == rejected


def test_no_correction_changes_nothing():
    assert adjust([0.5, 0.01], "none") == [0.5, 0.01]
    assert adjust([0.5, 0.01], "holm") == [0.5, 0.02]
    assert adjust([], "benjamini-hochberg") == []
