"""Reports about tables that were really measured: a month of trips that is fine, one that is not, and odd ones."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from airfoil.records import DatasetVerdict
from airfoil.steps.anomaly.measurement import measure_anomalies
from airfoil.steps.anomaly.verdict import judge_anomalies
from airfoil.steps.drift.measurement import measure_drift
from airfoil.steps.drift.verdict import judge_drift
from airfoil.steps.quality.contract import Contract
from airfoil.steps.quality.measuring import measure
from airfoil.steps.quality.verdict import judge
from airfoil.steps.report import DatasetReport
from airfoil.steps.scans import Scan

AT = dt.datetime(2026, 11, 22, 4, 0, tzinfo=dt.UTC)
AWKWARD = "<script>alert('x')</script> \"größe\" & 日本\n\u202etxt"
CONTRACT = """
columns:
  trip_id: {type: integer, nullable: false, unique: true}
  pickup: {type: timestamp, at_least: 2026-01-01}
  distance: {type: number, finite: true, at_least: 0, at_most: 100}
  fare: {type: number, nullable: false, at_least: 0, at_most: 500, tolerance: 0.001}
  passengers: {type: integer, at_least: 1, at_most: 6}
  payment: {type: text, one_of: [card, cash]}
  currency: {type: text, one_of: [USD]}
rows: {at_least: 1000}
freshness: {column: pickup, hours: 24}
"""


def trips(rows: int = 6000, *, seed: int = 7, ends: dt.datetime = AT, is_dirty: bool = False) -> pa.Table:
    """A table like a month of taxi trips; a dirty one has moved, and holds what it should not."""
    random = np.random.default_rng(seed)
    distance = random.gamma(1.6, 1.9, rows)
    rate = 3.4 if is_dirty else 2.6
    fare = np.round(3 + rate * distance + random.normal(0, 1.2, rows).clip(-2), 2)
    payment = random.choice(["card", "cash"], rows, p=[0.86, 0.14] if is_dirty else [0.68, 0.32]).astype(
        object
    )
    passengers = random.choice([1, 2, 3, 4, 5, 6], rows, p=[0.7, 0.15, 0.06, 0.04, 0.03, 0.02])
    trip_id = np.arange(rows)
    missing_tip = random.random(rows) < 0.05
    if is_dirty:
        distance[:23] = -distance[:23]
        distance[23:26] = np.inf
        payment[::97] = "crypto"
        trip_id[100:104] = trip_id[200:204]
        fare[40:60] += 900
        passengers[::400] = 0
    times = ends - dt.timedelta(minutes=20)
    pickup = [times - dt.timedelta(seconds=float(one)) for one in np.sort(random.random(rows) * 30 * 86400)]
    tip = np.round(np.where(payment == "cash", 0, fare * random.beta(2, 9, rows)), 2)
    return pa.table(
        {
            "trip_id": trip_id,
            "pickup": pa.array(pickup, pa.timestamp("us", tz="UTC")),
            "distance": distance,
            "fare": fare,
            "tip": pa.array(
                [None if lost else float(one) for one, lost in zip(tip, missing_tip, strict=True)]
            ),
            "passengers": passengers,
            "payment": pa.array(payment.tolist()),
            "zone": random.choice([f"zone {number}" for number in range(1, 31)], rows, p=_falling(30)),
            "currency": ["USD"] * rows,
        }
    )


def _falling(count: int) -> np.ndarray:
    weights = 1 / np.arange(1, count + 1)
    return weights / weights.sum()


def report_of(
    current: pa.Table,
    reference: pa.Table | None,
    contract: str = CONTRACT,
    *,
    name: str = "trips",
    **facts: str,
) -> DatasetReport:
    """Measure and judge everything, as the platform does."""
    scan = Scan.of_table(current, name)
    asked = Contract.of_yaml(contract)
    parts = {"quality": judge(asked, measure(scan, asked), AT)}
    if reference is not None:
        before = Scan.of_table(reference, f"{name} of October")
        drift, odd = measure_drift(before, scan), measure_anomalies(scan, before)
        parts |= {"drift": drift, "drift_verdict": judge_drift(drift)}
        parts |= {"anomalies": odd, "anomaly_verdict": judge_anomalies(odd)}
    return DatasetReport(dataset=name, at=AT, **parts, **facts)


FACTS = {
    "dag_run": "data_validation_pipeline/scheduled__2026-11-22T00:00:00+00:00",
    "run_url": "http://127.0.0.1:5000/#/experiments/4/runs/0f3b8a",
}


@cache
def fine() -> DatasetReport:
    """A month like the one before."""
    return report_of(trips(seed=1), trips(seed=2), **FACTS)


@cache
def dirty() -> DatasetReport:
    """A month that fails at everything but its anomalies."""
    return report_of(trips(seed=3, is_dirty=True), trips(seed=2), **FACTS)


@cache
def odd() -> DatasetReport:
    """Everything that tables may hold and pages may stumble over."""
    rows = 300
    random = np.random.default_rng(1)
    values = random.normal(0, 1, rows)
    values[:3] = [np.nan, np.inf, -np.inf]

    def table(shift: float) -> pa.Table:
        return pa.table(
            {
                AWKWARD: values + shift,
                "": pa.array(["a\nb", "<b>&amp;", None, "\x00\x1b[31m", "\u202eevil"] * (rows // 5)),
                "all null": pa.nulls(rows),
                "never": pa.array([None] * rows, pa.float64()),
                "constant": [42] * rows,
                "money": pa.array([Decimal("12345678901234567890.12")] * rows, pa.decimal128(38, 2)),
                "nested": [[{"a": 1}]] * rows,
                "when": pa.array([-(10**16), 25 * 10**16] * (rows // 2), pa.timestamp("us")),
                "span": pa.array([dt.timedelta(days=one) for one in range(rows)], pa.duration("us")),
                "huge": [2.0**1000 * one for one in range(rows)],
                "x" * 300: [one % 2 == 0 for one in range(rows)],
            }
        )

    contract = "columns:\n  constant: {type: integer, at_most: 41}\n  gone: {type: text}\n"
    contract += "  '': {one_of: ['<i>x</i>']}\nother_columns: refuse\nmost_duplicates: 0\n"
    return report_of(
        table(2), table(0), contract, name=AWKWARD, dag_run=AWKWARD, run_url="javascript:alert(1)"
    )


def wide(columns: int, rows: int = 300) -> DatasetReport:
    """A table of thousands of columns, of which some drifted: a hundred are measured, the others are like them."""
    random = np.random.default_rng(5)

    def table(shift: float) -> pa.Table:
        return pa.table(
            {
                f"feature {place}": random.normal(shift * (place % 50 == 0), 1, rows)
                for place in range(_MEASURED)
            }
        )

    contract = "columns:\n" + "".join(
        f"  feature {place}: {{type: float, finite: true, at_least: -9, at_most: {9 if place % 50 else 0}}}\n"
        for place in range(_MEASURED)
    )
    seen = report_of(table(3), table(0), contract, name="features")

    def again(many: tuple) -> tuple:
        return tuple(_called(many[place % len(many)], place // len(many)) for place in range(columns))

    checks = tuple(_called(one, turn) for turn in range(columns // _MEASURED) for one in seen.quality.checks)
    quality = seen.quality.model_copy(update={"checks": checks, "columns": again(seen.quality.columns)})
    drift = seen.drift.model_copy(update={"columns": again(seen.drift.columns)})
    return seen.model_copy(update={"quality": quality, "drift": drift, "drift_verdict": judge_drift(drift)})


_MEASURED = 100


def _called(record: Any, turn: int) -> Any:
    """The same record about another column."""
    if hasattr(record, "columns"):
        return record.model_copy(update={"columns": tuple(_name(one, turn) for one in record.columns)})
    return record.model_copy(update={"name": _name(record.name, turn)})


def _name(name: str, turn: int) -> str:
    return f"feature {int(name.removeprefix('feature ')) + _MEASURED * turn}"


def history(count: int = 30) -> list[DatasetVerdict]:
    """Verdicts of the weeks before, newest first, as the client gives them."""
    return [
        DatasetVerdict(
            dataset="trips",
            at=AT - dt.timedelta(hours=6 * (number + 1)),
            passed=number not in {4, 5, 17},
            reason="trips failed: 1 of 12 checks failed (freshness of pickup)"
            if number in {4, 5, 17}
            else "trips passed: none of 12 checks failed, none of 9 columns drifted",
            outcomes={"quality": "failed" if number in {4, 5, 17} else "passed", "drift": "stable"},
            numbers={
                "rows": 6000 + 37 * (number * number % 11),
                "failed_checks": int(number in {4, 5, 17}),
                "drifted_columns": 0,
                "anomaly_rate": 0.008 + 0.001 * (number % 5),
            },
        )
        for number in range(count)
    ]
