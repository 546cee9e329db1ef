"""Verdicts as Prometheus reads them: every number under its dataset; a name cannot break out of its quotes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from airfoil.clients.verdicts import Verdict
from airfoil.provider.dataset_metrics import Judged, exposition
from airfoil.records import DatasetVerdict, GateDecision

pytestmark = pytest.mark.unit

AT = datetime(2026, 11, 22, 6, tzinfo=UTC)
ODD = 'trips "2026"\\\n# HELP x 1'


def samples(judged):
    families = parse(exposition(judged).decode())
    return {
        (one.name, *sorted(one.labels.items())): one.value for family in families for one in family.samples
    }


def verdict(dataset="trips", **fields):
    return DatasetVerdict(dataset=dataset, at=AT, **{"passed": True, "reason": "well", **fields})


def test_a_dataset_with_all_its_numbers():
    numbers = {"rows": 1e6, "failed_checks": 2, "drifted_columns": 3, "anomaly_rate": 0.125, "other": 7}
    one = verdict(passed=False, numbers=numbers, outcomes={"quality": "failed", "drift": "stable"})
    found = samples(Judged([one]))
    label = ("dataset", "trips")
    assert found == {
        ("airfoil_mlflow_up",): 1,
        ("airfoil_dataset_passed", label): 0,
        ("airfoil_dataset_part_passed", label, ("part", "quality")): 0,
        ("airfoil_dataset_part_passed", label, ("part", "drift")): 1,
        ("airfoil_dataset_judged_timestamp_seconds", label): AT.timestamp(),
        ("airfoil_dataset_rows", label): 1e6,
        ("airfoil_dataset_checks_failed", label): 2,
        ("airfoil_dataset_columns_drifted", label): 3,
        ("airfoil_dataset_anomaly_rate", label): 0.125,
    }


def test_a_number_that_nobody_measured_is_not_there():
    names = {name for name, *_ in samples(Judged([verdict()]))}
    assert names == {
        "airfoil_mlflow_up",
        "airfoil_dataset_passed",
        "airfoil_dataset_judged_timestamp_seconds",
    }


def test_any_name_stays_a_label():
    found = samples(Judged([verdict(ODD), verdict("größe ✗")]))
    assert {dict(labels)["dataset"] for name, *labels in found if labels} == {ODD, "größe ✗"}


def test_gates_and_aliases():
    decision = GateDecision(passed=True, outcome="passed", metric="accuracy", value=0.9, reason="good")
    last = {"at": "2026-11-22T06:00:00+00:00"}
    aliases = [
        {"alias": "champion", "version": 3, "last": last},
        {"alias": "staging", "version": None, "last": None},
    ]
    gate = Verdict(model="wine", at=AT, decision=decision)
    found = samples(Judged(gates=[gate], models=[{"name": "wine", "aliases": aliases}]))
    model, champion = ("model", "wine"), ("alias", "champion")
    assert found == {
        ("airfoil_mlflow_up",): 1,
        ("airfoil_gate_passed", model): 1,
        ("airfoil_gate_judged_timestamp_seconds", model): AT.timestamp(),
        ("airfoil_gate_value", ("metric", "accuracy"), model): 0.9,
        ("airfoil_model_alias_version", champion, model): 3,
        ("airfoil_model_alias_moved_timestamp_seconds", champion, model): AT.timestamp(),
    }


def test_without_mlflow_only_that_is_said():
    assert samples(None) == {("airfoil_mlflow_up",): 0}
