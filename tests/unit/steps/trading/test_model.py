"""Parameters as a model: the positions of the strategy for rows in any order, stored as plain data."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.unit.steps.trading.markets import market, parameter_sets

from airfoil.clients.model_files import TRUSTED_TYPES
from airfoil.errors import TableError
from airfoil.runtime.skops_home import skops
from airfoil.steps.trading.model import MomentumModel, example_prices
from airfoil.steps.trading.momentum import MomentumParameters, positions

pytestmark = pytest.mark.unit

TYPE = "airfoil.steps.trading.model.MomentumModel"
PARAMETERS = MomentumParameters(lookback_days=20, rebalance_days=7, threshold=0.02, long_only=False)


@given(parameter_sets(), st.integers(0, 100))
def test_rows_in_any_order_get_the_positions_of_the_strategy(parameters, seed):
    prices = market(60)
    order = np.random.default_rng(seed).permutation(240)
    frame = example_prices(prices, 240).iloc[order]
    assert (MomentumModel.of(parameters).predict(frame) == positions(prices, parameters).ravel()[order]).all()


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%Y-%m-%dT22:00:00Z", "%Y-%m-%dT22:00:00-05:00"])
def test_dates_may_be_texts_and_have_a_zone(form):
    frame = example_prices(market(60), 240)
    expected = MomentumModel.of(PARAMETERS).predict(frame)
    frame["date"] = frame["date"].dt.strftime(form)
    assert expected.any()
    assert (MomentumModel.of(PARAMETERS).predict(frame) == expected).all()


def test_a_model_is_data_of_a_type_that_is_trusted():
    stored = skops.io.dumps(MomentumModel.of(PARAMETERS))
    assert skops.io.get_untrusted_types(data=stored) == [TYPE]
    assert TYPE in TRUSTED_TYPES
    assert skops.io.loads(stored, trusted=[TYPE]) == MomentumModel.of(PARAMETERS)


def test_parameters_from_a_file_are_checked_again():
    with pytest.raises(ValidationError, match="skip_days"):
        _ = MomentumModel(5, 9, 0.0, 1, long_only=True).parameters


def test_a_missing_column_is_named():
    with pytest.raises(TableError, match="no column 'symbol'"):
        MomentumModel.of(PARAMETERS).predict(pd.DataFrame({"date": ["2024-01-01"], "close": [1.0]}))


def test_a_price_that_is_missing_is_no_position():
    frame = example_prices(market(60), 240).assign(close=np.nan)
    assert not MomentumModel.of(PARAMETERS).predict(frame).any()
