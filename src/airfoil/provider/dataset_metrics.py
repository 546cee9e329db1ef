"""Verdicts as numbers that Prometheus can watch: of datasets, of models' gates, and where aliases point.

Names and numbers alone, in Prometheus's text format, on a registry of their own. Must not ask anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily

    from airfoil.clients.verdicts import Verdict
    from airfoil.records import DatasetVerdict

_NUMBERS = {
    "rows": ("airfoil_dataset_rows", "Rows in the newest judged table."),
    "failed_checks": ("airfoil_dataset_checks_failed", "Checks of its contract that failed."),
    "drifted_columns": ("airfoil_dataset_columns_drifted", "Columns that drifted from the reference."),
    "anomaly_rate": ("airfoil_dataset_anomaly_rate", "Share of its rows that stand out, from 0 to 1."),
}


@dataclass(frozen=True)
class Judged:
    """What MLflow holds at one moment: verdicts of datasets and of gates, and the models' aliases."""

    datasets: Iterable[DatasetVerdict] = ()
    gates: Iterable[Verdict] = ()
    models: Iterable[Mapping[str, Any]] = ()
    """As `views.catalogue` lists them."""


class JudgedCollector:
    """One moment. Prometheus's library calls `collect`."""

    def __init__(self, judged: Judged | None) -> None:
        """Take what is known; None when MLflow does not answer."""
        self._judged = judged

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield every family; without MLflow only that it is away."""
        from prometheus_client.core import GaugeMetricFamily

        up = GaugeMetricFamily("airfoil_mlflow_up", "1 when MLflow, which holds the verdicts, answers.")
        up.add_metric([], self._judged is not None)
        yield up
        if self._judged is not None:
            yield from _of_datasets(self._judged.datasets)
            yield from _of_gates(self._judged.gates)
            yield from _of_aliases(self._judged.models)


def exposition(judged: Judged | None) -> bytes:
    """Return the metrics in Prometheus's text format."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(JudgedCollector(judged))
    return generate_latest(registry)


def _of_datasets(verdicts: Iterable[DatasetVerdict]) -> Iterator[GaugeMetricFamily]:
    passed = _family("airfoil_dataset_passed", "1 when the newest verdict on it is good.", "dataset")
    part = _family("airfoil_dataset_part_passed", "1 when this part of its checks passed.", "dataset", "part")
    judged = _family("airfoil_dataset_judged_timestamp_seconds", "When it was judged (epoch).", "dataset")
    numbers = {key: _family(*named, "dataset") for key, named in _NUMBERS.items()}
    for verdict in verdicts:
        passed.add_metric([verdict.dataset], verdict.passed)
        judged.add_metric([verdict.dataset], verdict.at.timestamp())
        for name, has_passed in verdict.passed_parts.items():
            part.add_metric([verdict.dataset, name], has_passed)
        for key, family in numbers.items():
            if key in verdict.numbers:
                family.add_metric([verdict.dataset], verdict.numbers[key])
    yield from (passed, part, judged, *numbers.values())


def _of_gates(verdicts: Iterable[Verdict]) -> Iterator[GaugeMetricFamily]:
    passed = _family("airfoil_gate_passed", "1 when the newest candidate may pass.", "model")
    judged = _family("airfoil_gate_judged_timestamp_seconds", "When it was judged (epoch).", "model")
    value = _family("airfoil_gate_value", "What the gate measured.", "model", "metric")
    for verdict in verdicts:
        passed.add_metric([verdict.model], verdict.decision.passed)
        judged.add_metric([verdict.model], verdict.at.timestamp())
        if verdict.decision.value is not None:
            value.add_metric([verdict.model, verdict.decision.metric], verdict.decision.value)
    yield from (passed, judged, value)


def _of_aliases(models: Iterable[Mapping[str, Any]]) -> Iterator[GaugeMetricFamily]:
    version = _family(
        "airfoil_model_alias_version", "The version that the alias points to.", "model", "alias"
    )
    moved = _family(
        "airfoil_model_alias_moved_timestamp_seconds", "When it was moved last (epoch).", "model", "alias"
    )
    for model in models:
        for one in model["aliases"]:
            labels = [str(model["name"]), str(one["alias"])]
            if one["version"] is not None:
                version.add_metric(labels, one["version"])
            if one["last"]:
                moved.add_metric(labels, datetime.fromisoformat(one["last"]["at"]).timestamp())
    yield from (version, moved)


def _family(name: str, documentation: str, *labels: str) -> GaugeMetricFamily:
    from prometheus_client.core import GaugeMetricFamily

    return GaugeMetricFamily(name, documentation, labels=labels)
