"""A plan is made of the parameters of a DAG run, or a sentence names the one that is wrong."""

import pytest
from tests.unit.steps.trading.markets import market

from airfoil.errors import ConfigurationError
from airfoil.steps.trading.plan import SweepPlan

pytestmark = pytest.mark.unit

SMALL = {"lookback_days": [5, 20], "rebalance_days": [1], "train_days": 60, "test_days": 20}


def test_parameters_find_their_place_by_name_and_others_are_left_alone():
    plan = SweepPlan.of_params({**SMALL, "cost_bps": 7, "prices": None, "least_sharpe_ratio": 0.3})
    assert plan.grid.lookback_days == (5, 20)
    assert plan.rules.cost_bps == 7
    assert plan.windows.train_days == 60
    assert len(plan.sets) == 2 * 2 * 1 * 5 - 5  # a skip of 5 leaves nothing of 5


def test_without_parameters_it_is_the_whole_grid():
    plan = SweepPlan.of_params({})
    assert len(plan.sets) == 500
    assert plan.days_needed == 252 + 91 + 2 + 1260 + 252


def test_folds_lie_over_the_table():
    plan = SweepPlan.of_params(SMALL)
    assert plan.folds(market(200)).latest.last == 200
    assert plan.folds(market(200)).folds[-1].test.first == 180


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"lookback_days": [0]},
            "'lookback_days.0' of the sweep cannot be used: Input should be greater than",
        ),
        ({"lookback_days": []}, "'lookback_days' of the sweep cannot be used: Tuple should have at least 1"),
        (
            {"lookback_days": [5], "skip_days": [5]},
            "'the grid' of the sweep cannot be used: the grid is empty",
        ),
        ({"threshold": ["abc"]}, "'threshold.0' of the sweep cannot be used"),
        ({"cost_bps": -1}, "'cost_bps' of the sweep cannot be used"),
        ({"delay_days": 0}, "'delay_days' of the sweep cannot be used: Input should be greater than"),
        ({"train_days": "long"}, "'train_days' of the sweep cannot be used"),
    ],
)
def test_a_parameter_that_means_nothing_is_named(changed, sentence):
    with pytest.raises(ConfigurationError) as caught:
        SweepPlan.of_params({**SMALL, **changed})
    assert sentence in str(caught.value)
