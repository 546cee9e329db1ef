"""What records say in a mail: a reason and a few numbers, as people read them.

Knows what tasks of a life cycle return: decisions, moves of an alias, measurements, counts of rows. Must not know who
reads it, or how it is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airfoil.errors import redact
from airfoil.records import GateDecision, LedgerEntry, Record
from airfoil.steps.lifecycle.cleaning import CleaningRecord
from airfoil.steps.lifecycle.monitoring import MonitoringRecord

_DIGITS = 4


@dataclass(frozen=True)
class Facts:
    """One sentence, and numbers by name."""

    reason: str = ""
    numbers: Mapping[str, str] = field(default_factory=dict)


def facts_of(values: Sequence[Any]) -> Facts:
    """Return what records say together: the first reason, and all numbers in the order they were given."""
    reason, numbers = "", dict[str, str]()
    for value in values:
        found = _facts(value)
        reason = reason or found.reason
        numbers |= found.numbers
    return Facts(reason, numbers)


def _facts(value: Any) -> Facts:
    given = value.to_json() if isinstance(value, Record) else value
    if not isinstance(given, Mapping):
        return Facts()
    keys = set(given)
    if {"passed", "metric", "reason"} <= keys:
        return _of_decision(GateDecision.from_json(given))
    if {"alias", "to_version", "number"} <= keys:
        return _of_move(LedgerEntry.from_json(given))
    if {"latency_ms", "free_disk_gib"} <= keys:
        return _of_monitoring(MonitoringRecord.from_json(given))
    if {"rejected", "reasons"} <= keys:
        found = CleaningRecord.from_json(given)
        return Facts(numbers={"Rows of the source": found.in_words})
    return Facts(numbers={str(name): said for name, one in given.items() if (said := _said(one))})


def _of_decision(found: GateDecision) -> Facts:
    numbers = {found.metric.capitalize(): _said(found.value)}
    if found.needed is not None:
        numbers["Needed"] = _said(found.needed)
    if found.baseline is not None:
        version = "" if found.against_version is None else f" (version {found.against_version})"
        numbers[f"{found.metric.capitalize()} of {found.against or 'the champion'}{version}"] = _said(
            found.baseline
        )
    if found.rows is not None:
        numbers["Held-out rows"] = str(found.rows)
    return Facts(found.reason, {name: said for name, said in numbers.items() if said})


def _of_move(found: LedgerEntry) -> Facts:
    before = f", before it version {found.from_version}" if found.from_version else ", the first"
    return Facts(numbers={f"{found.model}@{found.alias}": f"version {found.to_version}{before}"})


def _of_monitoring(found: MonitoringRecord) -> Facts:
    numbers = {}
    if found.latency_ms:
        numbers["Time for one row"] = ", ".join(
            f"{name} {value:.3g} ms" for name, value in found.latency_ms.items()
        )
    if found.predicted:
        numbers["Predictions"] = ", ".join(f"{name} {share:.0%}" for name, share in found.predicted.items())
    ill = [f"{one.name} {one.said}" for one in found.unhealthy]
    if found.services:
        numbers["Services"] = "; ".join(ill) or f"{', '.join(one.name for one in found.services)}: well"
    numbers["Free disk"] = f"{found.free_disk_gib:.1f} of {found.whole_disk_gib:.1f} GiB"
    return Facts(numbers=numbers)


def _said(value: Any) -> str:
    """Return a plain value as it is read; nothing for what is no plain value."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:.{_DIGITS}g}" if isinstance(value, float) else str(value)
    return redact(value) if isinstance(value, str) else ""
