"""Measures of returns: known values, and nothing made up where nothing is defined."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from airfoil.steps.trading.backtest import Returns
from airfoil.steps.trading.performance import drawdown, equity, measure_each, measure_one, sharpe_ratios

pytestmark = pytest.mark.unit


def returns(*net, traded=None):
    rows = np.array([net], dtype=float)
    return Returns(rows, np.zeros_like(rows) if traded is None else np.array([traded], dtype=float))


def test_a_known_series():
    found = measure_one(returns(0.1, -0.1, 0.2, traded=[1, 0, 0.5]), 1000)
    assert found.profit == pytest.approx(1000 * (1.1 * 0.9 * 1.2 - 1))
    assert found.max_drawdown == pytest.approx(0.1)
    assert found.turnover_per_year == pytest.approx(126)
    mean = 0.2 / 3
    assert found.sharpe_ratio == pytest.approx(mean / np.std([0.1, -0.1, 0.2], ddof=1) * math.sqrt(252))
    assert found.sortino_ratio == pytest.approx(mean / math.sqrt(0.01 / 3) * math.sqrt(252))


@pytest.mark.parametrize("net", [(0.0, 0.0, 0.0), (0.1, 0.1, 0.1), (1 / 3, 1 / 3, 1 / 3)])
def test_returns_that_never_move_have_no_sharpe_ratio(net):
    found = measure_one(returns(*net), 1)
    assert found.sharpe_ratio is None
    assert found.sortino_ratio is None
    assert set(found.to_scores().values) == {"max_drawdown", "turnover_per_year", "profit"}


def test_a_single_day_has_no_sharpe_ratio():
    assert np.isnan(sharpe_ratios(np.array([[0.1]]))).all()


def test_scores_are_of_so_many_days():
    scores = measure_one(returns(0.1, -0.1), 1).to_scores()
    assert scores.rows == 2
    assert scores["max_drawdown"] == pytest.approx(0.1)


def test_ruin_is_final():
    sheet = equity(np.array([[0.5, -1.5, 0.5]]))
    assert sheet.tolist() == [[1.5, 0, 0]]
    assert drawdown(sheet).tolist() == [[0, 1, 1]]


@given(hnp.arrays(np.float64, (3, 20), elements=st.floats(-0.9, 1)))
def test_measures_stay_in_their_bounds(net):
    found = measure_each(Returns(net, np.abs(net)), 1.0)
    assert ((found["max_drawdown"] >= 0) & (found["max_drawdown"] <= 1)).all()
    assert (found["profit"] >= -1).all()
    is_known = ~np.isnan(found["sharpe_ratio"])
    assert (np.sign(found["sharpe_ratio"]) == np.sign(net.mean(axis=1)))[is_known].all()
