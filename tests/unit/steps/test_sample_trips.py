"""Made-up taxi trips: the same for a seed, good by their contract, and bad where they are asked to be."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from airfoil.errors import ConfigurationError
from airfoil.steps.anomaly.measurement import AnomalyPlan, measure_anomalies
from airfoil.steps.anomaly.verdict import judge_anomalies
from airfoil.steps.drift.measurement import DriftPlan, measure_drift
from airfoil.steps.drift.verdict import judge_drift
from airfoil.steps.quality.contract import Contract
from airfoil.steps.quality.measuring import measure
from airfoil.steps.quality.verdict import judge
from airfoil.steps.sample_trips import FAULTS, TIMES, sample_trips
from airfoil.steps.scans import Scan

pytestmark = pytest.mark.unit
NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
CONTRACT = Path(__file__).parents[3] / "dags/contracts/trips.yaml"


def scan(seed=2, fault="none", rows=5000):
    return Scan.of_table(sample_trips(rows, seed=seed, until=NOW, fault=fault), "trips")


@pytest.fixture(scope="module")
def reference():
    return scan(seed=1)


def quality(trips):
    contract = Contract.of_yaml(CONTRACT.read_text())
    return judge(contract, measure(trips, contract), at=NOW)


def drift(trips, reference):
    return judge_drift(measure_drift(reference, trips, DriftPlan(without=TIMES)))


def test_the_same_seed_gives_the_same_trips_with_the_published_types():
    table = sample_trips(100, seed=1, until=NOW)
    assert table.equals(sample_trips(100, seed=1, until=NOW))
    assert not table.equals(sample_trips(100, seed=2, until=NOW))
    types = {column.name: str(column.type) for column in table.schema}
    assert len(types) == 20
    assert types["VendorID"] == "int32"
    assert types["tpep_pickup_datetime"] == "timestamp[us]"
    assert types["store_and_fwd_flag"] == "large_string"


def test_good_trips_pass_everything(reference):
    trips = scan()
    report = quality(trips)
    assert report.passed, report.reason
    assert report.duplicate_rows == 0
    verdict = drift(trips, reference)
    assert verdict.passed, verdict.reason
    odd = judge_anomalies(measure_anomalies(trips, reference, AnomalyPlan(without=TIMES, trees=20)))
    assert odd.passed, odd.reason


def test_drifted_trips_are_what_their_contract_says_and_still_others(reference):
    trips = scan(fault="drifted")
    assert quality(trips).passed
    assert {"trip_distance", "fare_amount", "payment_type"} <= set(drift(trips, reference).drifted)


def test_dirty_trips_have_not_drifted(reference):
    trips = scan(fault="dirty")
    broken = {(check.check, check.columns) for check in quality(trips).failures}
    assert broken == {
        ("missing", ("PULocationID",)),
        ("range", ("fare_amount",)),
        ("range", ("total_amount",)),
        ("set", ("payment_type",)),
        ("duplicates", ()),
    }
    assert drift(trips, reference).passed


def test_broken_trips_are_good_until_their_file_is_cut():
    assert quality(scan(fault="broken")).passed
    assert FAULTS == ("none", "drifted", "dirty", "broken")
    with pytest.raises(ConfigurationError, match="fault 'rusty'"):
        sample_trips(10, seed=1, until=NOW, fault="rusty")
