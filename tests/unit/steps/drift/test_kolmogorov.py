from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from airfoil.steps.drift.gaps import Tally
from airfoil.steps.drift.kolmogorov import largest_gap, least_detectable, p_value

pytestmark = pytest.mark.unit


def gap_of(first, second):
    values = np.union1d(first, second)
    counts = [np.bincount(np.searchsorted(values, one), minlength=len(values)) for one in (first, second)]
    return Tally.of_all(*counts).largest()


def scipys(first, second):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return stats.ks_2samp(first, second)


@given(*[st.lists(st.integers(0, 30), min_size=1, max_size=80).map(np.array)] * 2)
@settings(deadline=None)
def test_the_exact_p_value_is_scipys(first, second):
    gap, expected = gap_of(first, second), scipys(first, second)
    assert gap.statistic == pytest.approx(expected.statistic, abs=1e-12)
    assert p_value(gap) == pytest.approx(expected.pvalue, abs=1e-12)


@pytest.mark.parametrize("shift", [0, 0.005, 0.02, 0.05, 1])
@pytest.mark.parametrize(("ours", "theirs"), [(10_001, 50), (20_000, 15_000), (10_000, 10_000)])
def test_the_p_value_of_many_rows_is_scipys(ours, theirs, shift):
    random = np.random.default_rng(3)
    first, second = random.normal(size=ours), random.normal(shift, size=theirs)
    gap, expected = gap_of(first, second), scipys(first, second)
    assert gap.statistic == pytest.approx(expected.statistic, abs=1e-12)
    assert p_value(gap) == pytest.approx(expected.pvalue, abs=1e-12)


def test_a_hundred_million_rows_have_a_p_value():
    tally = Tally.of_all(np.array([50_000_000, 50_000_000]), np.array([50_010_000, 49_990_000]))
    assert p_value(tally.largest()) == pytest.approx(stats.kstwo.sf(1e-4, 50_000_000), abs=1e-12)


@pytest.mark.parametrize(("reference", "current"), [(20_000, 20_000), (1_000_000, 30_000)])
def test_the_least_detectable_gap_has_about_the_p_value_of_the_level(reference, current):
    rows = reference * current / (reference + current)
    assert stats.kstwo.sf(least_detectable(reference, current), round(rows)) == pytest.approx(0.05, rel=0.02)


def test_what_is_decided_by_the_counts_takes_no_further_pass():
    search = largest_gap(None, None, Tally.of_all(np.array([4, 0]), np.array([0, 4])))
    with pytest.raises(StopIteration) as ended:
        next(search)
    assert ended.value.value.statistic == 1
