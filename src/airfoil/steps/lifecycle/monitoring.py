"""What was seen of a deployed model and of what it stands on: a record of numbers at one time.

Latency, what it predicts, whether services answer, how much disk is left. Numbers in, a record out; it must not ask
anybody, and raises no alarm.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import AwareDatetime, Field

from airfoil.records import FrozenNumbers, Record

GIB = 1 << 30
_NO_METRIC = re.compile(r"[^A-Za-z0-9_. /-]")
"""What the name of a metric may not hold."""


class ServiceHealth(Record):
    """Whether a service answered, and what it said."""

    name: str = Field(min_length=1)
    healthy: bool
    said: str = ""
    milliseconds: float | None = Field(default=None, ge=0)


class MonitoringRecord(Record):
    """A deployed model at one time."""

    model: str = Field(min_length=1)
    alias: str
    version: int = Field(ge=1)
    at: AwareDatetime
    rows: int = Field(ge=0)
    """Held-out rows that it was asked about."""
    accuracy: float | None = None
    latency_ms: FrozenNumbers = Field(default_factory=dict, validate_default=True)
    """For one row: `p50`, `p95`, `most`; without the way over a network until a model server is there."""
    load_seconds: float = Field(default=0.0, ge=0)
    predicted: FrozenNumbers = Field(default_factory=dict, validate_default=True)
    """The share of each class among the predictions."""
    services: tuple[ServiceHealth, ...] = ()
    free_disk_gib: float = Field(ge=0)
    whole_disk_gib: float = Field(ge=0)

    @property
    def unhealthy(self) -> tuple[ServiceHealth, ...]:
        """The services that did not answer as they should."""
        return tuple(one for one in self.services if not one.healthy)

    def metrics(self) -> dict[str, float]:
        """Return the numbers as metrics of a run."""
        found = {f"latency_{name}_ms": value for name, value in self.latency_ms.items()}
        found |= {
            f"predicted_share_{_NO_METRIC.sub('_', name)}": share for name, share in self.predicted.items()
        }
        found |= {"free_disk_gib": self.free_disk_gib, "unhealthy_services": float(len(self.unhealthy))}
        return found | ({} if self.accuracy is None else {"deployed_accuracy": self.accuracy})


def latency_of(milliseconds: Sequence[float]) -> dict[str, float]:
    """Return the middle, the slow end and the worst of what single predictions took."""
    if not milliseconds:
        return {}
    ordered = sorted(milliseconds)
    return {"p50": _rank(ordered, 0.5), "p95": _rank(ordered, 0.95), "most": ordered[-1]}


def shares_of(predictions: Sequence[Any], names: Sequence[str] = ()) -> dict[str, float]:
    """Return which share each class has among predictions; `names` are those of numbers from 0 on.

    A class that was never predicted has a share of 0: that is what a collapsed model looks like.
    """
    counts = Counter(_named(one, names) for one in predictions)
    known = dict.fromkeys(names, 0) | dict(sorted(counts.items()))
    return {name: counts.get(name, 0) / len(predictions) for name in known} if predictions else {}


def accuracy_of(predictions: Sequence[Any], truth: Sequence[Any]) -> float | None:
    """Return the share of right predictions; None where there is nothing to compare."""
    if not predictions or len(predictions) != len(truth):
        return None
    right = [bool(one == other) for one, other in zip(predictions, truth, strict=True)]
    return sum(right) / len(right)


def disk_of(usage: Mapping[str, int]) -> dict[str, float]:
    """Return the free and the whole disk in GiB, from bytes."""
    return {
        "free_disk_gib": round(usage["free"] / GIB, 3),
        "whole_disk_gib": round(usage["total"] / GIB, 3),
    }


def _rank(ordered: Sequence[float], share: float) -> float:
    """Return the value that this share of all does not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _named(prediction: Any, names: Sequence[str]) -> str:
    is_code = isinstance(prediction, int) and not isinstance(prediction, bool)
    return names[prediction] if is_code and 0 <= prediction < len(names) else str(prediction)
