"""What is logged to the fake server's runs: params (write-once), metrics with their history, inputs and outputs."""

from __future__ import annotations

import math
import sys
from typing import Any

from airfoil.clients.testing.paging import page
from airfoil.clients.testing.refusals import (
    RefusalError,
    check_key,
    check_param,
    check_tag,
    optional_text,
    pairs,
    text,
)
from airfoil.clients.testing.runs import Runs, rank
from airfoil.clients.testing.state import Answer, Body, without_empty

MOST_PARAMS = MOST_TAGS = 100
MOST_METRICS = MOST_ROWS = 1000
DATASET_LIMITS = {"name": 500, "digest": 36, "source": 65_535}


class RunData:
    """Writes to runs what a client logs."""

    def __init__(self, runs: Runs) -> None:
        """Take the runs."""
        self._runs = runs

    def log_parameter(self, body: Body) -> Answer:
        """Keep a param; the first value stays, and a different one is refused."""
        key, value = check_param(text(body, "key"), optional_text(body, "value"))
        kept = self._runs.find_active(text(body, "run_id"))
        held = kept["params"].setdefault(key, value)
        if held != value:
            raise RefusalError(
                f"Changing param values is not allowed. Param with key='{key}' was already logged."
            )
        return {}

    def log_metric(self, body: Body) -> Answer:
        """Keep one point of a metric."""
        point = _point(body)
        _add_points(self._runs.find_active(text(body, "run_id")), [point])
        return {}

    def log_batch(self, body: Body) -> Answer:
        """Keep params, metrics and tags; nothing of it when a part is refused."""
        run_id = text(body, "run_id")
        points = [_point(row) for row in body.get("metrics") or []]
        params = [check_param(*row) for row in pairs(body, "params")]
        tags = [check_tag(*row) for row in pairs(body, "tags")]
        _check_sizes(len(points), len(params), len(tags))
        if len({key for key, _ in params}) < len(params):
            raise RefusalError("Duplicate parameter keys have been submitted.")
        kept = self._runs.find_active(run_id)
        if any(kept["params"].get(key, value) != value for key, value in params):
            raise RefusalError("Changing param values is not allowed. Params were already logged.")
        kept["params"].update(params)
        _add_points(kept, points)
        for key, value in tags:
            self._runs.tag(kept, key, value)
        return {}

    def history(self, body: Body) -> Answer:
        """Return all points of a metric, the earliest first; of a run that does not exist there are none."""
        run_id, key = text(body, "run_id"), text(body, "metric_key")
        kept = self._runs.by_id.get(run_id)
        points = [point for point in kept["metrics"] if point["key"] == key] if kept else []
        points.sort(key=lambda point: (point["timestamp"], point["step"], rank(point)[2]))
        size = int(body.get("max_results", len(points) or 1))
        if size < 1:
            raise RefusalError(f"Invalid value {size} for parameter 'max_results' supplied.")
        rows, more = page(points, body, size)
        return without_empty({"metrics": [dict(point) for point in rows], **more})

    def log_inputs(self, body: Body) -> Answer:
        """Note the datasets of a run, each once by name and digest."""
        kept = self._runs.find_active(text(body, "run_id"))
        datasets = body.get("datasets") or []
        for row in datasets:
            _check_dataset(row.get("dataset") or {})
        known = {(row["dataset"]["name"], row["dataset"]["digest"]) for row in kept["datasets"]}
        for row in datasets:
            name = (row["dataset"]["name"], row["dataset"]["digest"])
            if name not in known:
                kept["datasets"].append(
                    {"tags": list(row.get("tags") or []), "dataset": dict(row["dataset"])}
                )
                known.add(name)
        return {}

    def outputs(self, body: Body) -> Answer:
        """Link models to a run; a second time is refused, in words of the database."""
        models = body.get("models")
        if models is None:
            raise RefusalError("Missing value for required parameter 'models'.")
        kept = self._runs.find_active(text(body, "run_id"))
        given = [str(row["model_id"]) for row in models]
        if set(given) & set(kept["models"]) or len(set(given)) < len(given):
            raise RefusalError(
                "UNIQUE constraint failed: inputs.source_type, inputs.source_id", "BAD_REQUEST"
            )
        kept["models"] += given
        return {}


def _point(row: Body) -> dict[str, Any]:
    for name in ("key", "value", "timestamp"):
        if row.get(name) in {None, ""}:
            raise RefusalError(f"Missing value for required parameter '{name}'.")
    key, time_ms, step = check_key(str(row["key"])), int(row["timestamp"]), int(row.get("step") or 0)
    if time_ms < 0:
        raise RefusalError(f"Invalid value {time_ms} for parameter 'timestamp' supplied.")
    try:
        value = float(row["value"])
    except ValueError as error:
        raise RefusalError(f"Invalid value {row['value']!r} for parameter 'value' supplied.") from error
    return {"key": key, "value": _kept(value), "timestamp": time_ms, "step": step}


def _kept(value: float) -> float | str:
    """Return a number as MLflow keeps it: NaN as a word, infinity as the largest number there is."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return math.copysign(sys.float_info.max, value)
    return value


def _add_points(kept: dict[str, Any], points: list[dict[str, Any]]) -> None:
    """Keep points that are not there yet: the same one, sent again, is one."""
    for point in points:
        if point not in kept["metrics"]:
            kept["metrics"].append(point)


def _check_sizes(metrics: int, params: int, tags: int) -> None:
    limits = {"metrics": (metrics, MOST_METRICS), "params": (params, MOST_PARAMS), "tags": (tags, MOST_TAGS)}
    limits["metrics, params, and tags"] = (metrics + params + tags, MOST_ROWS)
    for what, (given, most) in limits.items():
        if given > most:
            raise RefusalError(
                f"A batch logging request can contain at most {most} {what}. Got {given} {what}."
            )


def _check_dataset(dataset: Body) -> None:
    for name, most in DATASET_LIMITS.items():
        if len(str(dataset.get(name) or "")) > most:
            raise RefusalError(f"'{name}' exceeds the maximum length of {most} characters")
