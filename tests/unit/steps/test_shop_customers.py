"""A shop that does not exist: the same rows of a day in every run, and features that say who stays away."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pydantic import ValidationError

from airfoil.steps.scans import Scan
from airfoil.steps.shop_customers import ShopPlan, lost_rows, spending_rows, visit_rows
from airfoil.steps.training_sets import FeatureTable, join_features

pytestmark = pytest.mark.unit
NIGHT = dt.datetime(2026, 3, 1, 2, tzinfo=dt.UTC)
PLAN = ShopPlan(customers=50, days=40)


def day_of(table, moment):
    return table.filter(pc.equal(table["event_timestamp"], pa.scalar(moment, pa.timestamp("us", "UTC"))))


@pytest.mark.parametrize("make", [spending_rows, visit_rows])
def test_a_row_for_each_customer_and_day_up_to_today(make):
    table = make(PLAN, NIGHT)
    assert table.num_rows == 50 * 40
    assert pc.max(table["event_timestamp"]).as_py() == NIGHT.replace(hour=0)
    assert pc.min(table["event_timestamp"]).as_py() == NIGHT.replace(hour=0) - dt.timedelta(days=39)
    assert table["customer_id"].null_count == 0


@pytest.mark.parametrize("make", [spending_rows, visit_rows])
def test_a_day_is_the_same_whenever_it_is_asked_for(make):
    yesterday = NIGHT.replace(hour=0) - dt.timedelta(days=1)
    today, tomorrow = make(PLAN, NIGHT), make(PLAN, NIGHT + dt.timedelta(days=1))
    assert day_of(today, yesterday) == day_of(tomorrow, yesterday)
    assert make(PLAN, NIGHT) == today
    assert make(PLAN.model_copy(update={"seed": 1}), NIGHT) != today


def test_who_has_not_ordered_has_no_basket():
    table = spending_rows(PLAN, NIGHT)
    assert pc.all(pc.equal(table["basket_mean"].is_null(), pc.equal(table["orders_7d"], 0))).as_py()
    assert 0 < table["basket_mean"].null_count < table.num_rows


def test_outcomes_are_known_only_where_they_are_over():
    table = lost_rows(PLAN, NIGHT)
    assert pc.max(table["event_timestamp"]).as_py() <= NIGHT - dt.timedelta(days=14)
    assert table.schema.names == ["customer_id", "event_timestamp", "lost"]
    assert 0.1 < pc.mean(table["lost"].cast(pa.int8())).as_py() < 0.6


def test_features_say_who_stays_away():
    """A forest on yesterday's features is right more often than the gate of the shipped training asks for."""
    from sklearn.ensemble import RandomForestClassifier

    plan = ShopPlan(customers=600, days=60)
    orders = lost_rows(plan, NIGHT)
    tables = [
        FeatureTable(Scan.of_table(make(plan, NIGHT), name), "event_timestamp", features, ["customer_id"])
        for name, make, features in (
            ("spending", spending_rows, ["orders_7d", "spent_30d"]),
            ("visits", visit_rows, ["visits_7d", "minutes_7d"]),
        )
    ]
    joined = join_features(Scan.of_table(orders, "orders"), tables).read_all().drop_null()
    names = ["orders_7d", "spent_30d", "visits_7d", "minutes_7d"]
    is_test = pc.less_equal(joined["customer_id"], 150)
    train, test = joined.filter(pc.invert(is_test)), joined.filter(is_test)
    forest = RandomForestClassifier(60, max_depth=8, random_state=0, n_jobs=1)
    forest.fit(train.select(names).to_pandas(), train["lost"].to_pylist())
    assert forest.score(test.select(names).to_pandas(), test["lost"].to_pylist()) > 0.85


@pytest.mark.parametrize("wrong", [{"customers": 0}, {"days": 0}, {"seed": -1}])
def test_a_plan_has_somebody_in_it(wrong):
    with pytest.raises(ValidationError):
        ShopPlan(**wrong)
