"""A sweep in parts is the sweep as a whole, and each number is that of a single back-test."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.steps.trading.markets import market

from airfoil.errors import ConfigurationError
from airfoil.steps.trading import sweep
from airfoil.steps.trading.backtest import TradingRules, run_backtests
from airfoil.steps.trading.momentum import ParameterGrid
from airfoil.steps.trading.performance import measure_one, sharpe_ratios
from airfoil.steps.trading.sweep import run_sweep, split_sets
from airfoil.steps.trading.walk_forward import WalkForward, plan_folds

pytestmark = pytest.mark.unit

RULES = TradingRules()
SETS = ParameterGrid(lookback_days=(5, 20), skip_days=(0, 2), rebalance_days=(1, 7)).sets()
FOLDS = plan_folds(200, SETS, RULES, WalkForward(train_days=60, test_days=20))


def test_parts_laid_together_are_the_whole(monkeypatch):
    monkeypatch.setattr(sweep, "BATCH_SETS", 7)
    prices = market(200)
    whole = run_sweep(prices, SETS, RULES, FOLDS)
    parts = [run_sweep(prices, SETS[a:b], RULES, FOLDS) for a, b in split_sets(len(SETS), 4)]
    together = pa.concat_tables(parts)
    assert whole.num_rows == len(SETS)
    for name in whole.column_names:
        assert np.array_equal(together[name].to_numpy(), whole[name].to_numpy(), equal_nan=True), name


def test_a_row_holds_what_a_single_backtest_gives():
    prices = market(200)
    rows = run_sweep(prices, SETS, RULES, FOLDS).to_pylist()
    for one, row in zip(SETS, rows, strict=True):
        returns = run_backtests(prices, [one], RULES)
        wanted = measure_one(returns, RULES.capital).model_dump(exclude={"days"}, exclude_none=True)
        assert {name: row[name] for name in wanted} == pytest.approx(wanted, rel=1e-12)
        assert {name: row[name] for name in one.model_dump()} == one.model_dump()
        fold = FOLDS.folds[1]
        assert row["train_2"] == pytest.approx(
            sharpe_ratios(returns.net[:, fold.train.first : fold.train.last])[0], rel=1e-12, nan_ok=True
        )


def test_every_period_has_its_column():
    names = run_sweep(market(200), SETS[:1], RULES, FOLDS).column_names
    assert [name for name in names if name.startswith("test_")] == [
        f"test_{number}" for number in range(1, len(FOLDS.folds) + 1)
    ]
    assert "latest" in names


def test_memory_is_that_of_a_batch_not_of_the_grid(monkeypatch):
    seen = []
    real = run_backtests

    def noted(prices, sets, rules):
        seen.append(len(sets))
        return real(prices, sets, rules)

    monkeypatch.setattr(sweep, "run_backtests", noted)
    run_sweep(market(200), SETS, RULES, FOLDS)
    assert max(seen) <= sweep.BATCH_SETS
    assert sum(seen) == len(SETS)


@given(st.integers(1, 600), st.integers(0, 50))
def test_parts_are_even_and_none_is_empty(count, parts):
    found = split_sets(count, parts)
    sizes = [last - first for first, last in found]
    assert [number for first, last in found for number in range(first, last)] == list(range(count))
    assert max(sizes) - min(sizes) <= 1
    assert len(found) == max(1, min(parts, count))


def test_a_sweep_of_nothing_is_refused():
    with pytest.raises(ConfigurationError, match="no parameters"):
        run_sweep(market(200), [], RULES, FOLDS)


def test_numbers_that_are_not_defined_are_nan():
    calm = market(200).with_close(np.ones((200, 4)))
    assert np.isnan(run_sweep(calm, SETS[:1], RULES, FOLDS)["latest"].to_numpy()).all()
