"""The version that an alias points to, and what is known about how good it is.

Its gate's decision stands on the version since it was registered; everything else is what its run has logged. Must not
measure or judge.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from airfoil.clients.exchange import API, Exchange, get
from airfoil.clients.model_registry import ModelVersion, version_of
from airfoil.errors import NotFoundError
from airfoil.records import GateDecision, ModelRef, Scores

GATE_TAG = "airfoil.gate"
"""On a version: the decision that let it in, as JSON."""
MAX_TAG_CHARACTERS = 5000
"""What MLflow takes as the tag of a version."""


@dataclass(frozen=True)
class Champion:
    """A version that holds an alias, and the scores it is known for."""

    ref: ModelRef
    scores: Scores


def champion(model: str, alias: str) -> Exchange[Champion | None]:
    """Return who holds the alias; None when nobody does."""
    found = yield from version_of(model, alias)
    if found is None:
        return None
    values, rows = _decided(found)
    if found.run_id:
        with suppress(NotFoundError):  # runs may be deleted; their models stay
            run = (yield from get(f"{API}/runs/get", run_id=found.run_id))["run"]
            values = _logged(run) | values
    ref = ModelRef(
        name=model, uri=f"models:/{model}/{found.version}", run_id=found.run_id or "-", version=found.version
    )
    return Champion(ref, Scores(values=values, rows=rows or 1))


def gate_tag(decision: GateDecision) -> dict[str, str]:
    """Return the tag of a version that tells which decision let it in."""
    text = decision.model_dump_json(exclude_defaults=True)
    if len(text) > MAX_TAG_CHARACTERS:
        text = decision.model_copy(update={"parts": ()}).model_dump_json(exclude_defaults=True)
    return {GATE_TAG: text} if len(text) <= MAX_TAG_CHARACTERS else {}


def _decided(version: ModelVersion) -> tuple[dict[str, float], int | None]:
    """Return the numbers of the decision that let a version in, and on how many rows they were measured."""
    with suppress(ValidationError, ValueError):
        decision = GateDecision.from_json(version.tags.get(GATE_TAG, ""))
        parts = decision.parts or (decision,)
        values = {one.metric: one.value for one in parts if one.value is not None}
        return values, next((one.rows for one in parts if one.rows), None)
    return {}, None


def _logged(run: Mapping[str, Any]) -> dict[str, float]:
    found = {}
    for row in run.get("data", {}).get("metrics", []):
        with suppress(ValueError, TypeError):  # MLflow says NaN and Infinity in words
            if math.isfinite(value := float(row["value"])):
                found[str(row["key"])] = value
    return found
