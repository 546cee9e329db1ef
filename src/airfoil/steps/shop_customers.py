"""Customers of a shop that does not exist: what they spend, how often they come, and who stays away then.

For the shipped feature repository and for tests: the same plan makes the same rows of a day, whenever they are asked
for. A customer's habits drift slowly, so that today's features say something about the weeks to come, and not all.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import Field

from airfoil.records import Record

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

DEVICES = ("phone", "tablet", "computer")
HORIZON_DAYS = 14
"""How long a customer must stay away to count as lost."""
_ORDERS_A_WEEK, _VISITS_A_WEEK = 5.0, 14.0
_LOST_BELOW = 0.35
_CYCLE_DAYS = 90.0


class ShopPlan(Record):
    """How many customers, how many days back, and the seed of all of it."""

    customers: int = Field(default=1000, ge=1, le=10_000_000)
    days: int = Field(default=30, ge=1, le=3650)
    seed: int = Field(default=0, ge=0)


def spending_rows(plan: ShopPlan, until: datetime) -> pa.Table:
    """Make one row for each customer and day: orders and money of the days before, as they are known at midnight."""
    import numpy as np
    import pyarrow as pa

    parts = []
    for day, dice, activity in _days(plan, until, "spending"):
        orders = dice.poisson(_ORDERS_A_WEEK * activity)
        basket = np.round(dice.gamma(4.0, 8.0, plan.customers), 2)
        parts.append(
            {
                **_head(plan, day),
                "orders_7d": pa.array(orders, pa.int64()),
                "spent_30d": pa.array(np.round(basket * dice.poisson(4 * _ORDERS_A_WEEK * activity), 2)),
                # Who has not ordered has no basket.
                "basket_mean": pa.array(basket, mask=orders == 0),
                "returned_30d": pa.array(dice.binomial(np.maximum(orders, 0), 0.1), pa.int64()),
            }
        )
    return _table(parts)


def visit_rows(plan: ShopPlan, until: datetime) -> pa.Table:
    """Make one row for each customer and day: visits of the shop's pages in the week before."""
    import numpy as np
    import pyarrow as pa

    parts = []
    for day, dice, activity in _days(plan, until, "visits"):
        visits = dice.poisson(_VISITS_A_WEEK * activity)
        devices = np.array(DEVICES)[dice.integers(0, len(DEVICES), plan.customers)]
        parts.append(
            {
                **_head(plan, day),
                "visits_7d": pa.array(visits, pa.int64()),
                "minutes_7d": pa.array(np.round(visits * dice.gamma(3.0, 2.0, plan.customers), 1)),
                "last_device": pa.array(devices.tolist(), pa.string()),
                "reads_mail": pa.array(dice.random(plan.customers) < activity),
            }
        )
    return _table(parts)


def lost_rows(plan: ShopPlan, until: datetime) -> pa.Table:
    """Make one row for each customer and week whose outcome is known by now: whether the customer was lost."""
    import pyarrow as pa

    last = until - timedelta(days=HORIZON_DAYS)
    parts = []
    for day, dice, _ in _days(plan, last, "lost"):
        if day.toordinal() % 7:
            continue
        coming = _activity(plan, day + timedelta(days=HORIZON_DAYS // 2))
        is_lost = coming + dice.normal(0.0, 0.03, plan.customers) < _LOST_BELOW
        parts.append({name: values for name, values in _head(plan, day).items() if name != "created"})
        parts[-1]["lost"] = pa.array(is_lost)
    return _table(parts)


def _days(
    plan: ShopPlan, until: datetime, kind: str
) -> Iterator[tuple[date, np.random.Generator, NDArray[np.float64]]]:
    """Go through the days up to a moment; each has dice of its own, so that it is the same in every run."""
    import numpy as np

    last = until.astimezone(UTC).date()
    for back in reversed(range(plan.days)):
        day = last - timedelta(days=back)
        dice = np.random.default_rng([plan.seed, day.toordinal(), *kind.encode()])
        yield day, dice, _activity(plan, day)


def _activity(plan: ShopPlan, day: date) -> NDArray[np.float64]:
    """How much each customer is drawn to the shop on a day, from 0 to 1."""
    import numpy as np

    dice = np.random.default_rng([plan.seed, plan.customers])
    loyalty, phase = dice.beta(1.2, 1.0, plan.customers), dice.random(plan.customers)
    wave = np.sin(2 * np.pi * (day.toordinal() / _CYCLE_DAYS + phase))
    return np.asarray(np.clip(loyalty + 0.1 * wave, 0.0, 1.0))


def _head(plan: ShopPlan, day: date) -> dict[str, pa.Array]:
    import numpy as np
    import pyarrow as pa

    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    stamps = pa.timestamp("us", "UTC")
    return {
        "customer_id": pa.array(np.arange(1, plan.customers + 1), pa.int64()),
        "event_timestamp": pa.array([midnight] * plan.customers, stamps),
        "created": pa.array([midnight + timedelta(minutes=20)] * plan.customers, stamps),
    }


def _table(parts: list[dict[str, pa.Array]]) -> pa.Table:
    import pyarrow as pa

    return pa.concat_tables([pa.table(part) for part in parts]).combine_chunks()
