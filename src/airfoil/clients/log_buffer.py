"""What waits to be logged to a run, and how it is cut into requests that MLflow accepts.

Values are made fit here: too long ones are cut with a visible mark, numbers that JSON cannot hold travel as words,
names that MLflow would refuse are named in an error before anything is sent. No server, no clock.
"""

from __future__ import annotations

import hashlib
import json
import math
import operator
import posixpath
import re
from collections import deque
from collections.abc import Mapping
from typing import Any, TypeAlias

from airfoil.errors import ConfigurationError

# MLflow's own limits, for one request and for one value.
MAX_ROWS = 1000
MAX_PARAMS = 100
MAX_TAGS = 100
MAX_BYTES = 900_000  # 1 MB, less what the envelope may take
MAX_PARAM_CHARACTERS = 6000
MAX_TAG_CHARACTERS = 8000
MAX_NAME_CHARACTERS = 250
_NAME = re.compile(r"[/\w.\- :]+")
_LARGEST_STEP = 2**63 - 1

Row: TypeAlias = dict[str, Any]


class LogBuffer:
    """Parameters, metrics and tags that wait; of a tag only the last value is sent."""

    def __init__(self) -> None:
        """Begin empty."""
        self.params: dict[str, str] = {}
        self.metrics: deque[Row] = deque()
        self.tags: dict[str, str] = {}

    def __len__(self) -> int:
        """Return how many rows wait."""
        return len(self.params) + len(self.metrics) + len(self.tags)

    def next_request(self) -> dict[str, list[Row]]:
        """Return the rows of the next request, parameters first; they wait until `sent` is told."""
        request: dict[str, list[Row]] = {}
        rows, size = 0, 0
        for kind, waiting, limit in (
            ("params", _pairs(self.params), MAX_PARAMS),
            ("tags", _pairs(self.tags), MAX_TAGS),
            ("metrics", self.metrics, MAX_ROWS),
        ):
            chosen: list[Row] = []
            for row in waiting:
                size += _size(row)
                if len(chosen) == limit or rows == MAX_ROWS or (size > MAX_BYTES and rows):
                    break
                chosen.append(row)
                rows += 1
            if chosen:
                request[kind] = chosen
        return request

    def sent(self, request: Mapping[str, list[Row]]) -> None:
        """Forget what has arrived; a tag that was set anew meanwhile stays."""
        for row in request.get("params", ()):
            self.params.pop(row["key"], None)
        for row in request.get("tags", ()):
            if self.tags.get(row["key"]) == row["value"]:
                del self.tags[row["key"]]
        for _ in request.get("metrics", ()):
            self.metrics.popleft()


def param_text(value: Any) -> str:
    """Return a parameter's value as MLflow can hold it."""
    return cut(str(value), MAX_PARAM_CHARACTERS)


def tag_text(value: Any) -> str:
    """Return a tag's value as MLflow can hold it."""
    return cut(str(value), MAX_TAG_CHARACTERS)


def cut(text: str, limit: int) -> str:
    """Shorten a text visibly; two long texts that differ still differ. What databases refuse is replaced."""
    # PostgreSQL stores no NUL, and half of a surrogate pair is no UTF-8.
    text = text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    if len(text) <= limit:
        return text
    mark = f" ... [cut: {len(text)} characters, sha256 {hashlib.sha256(text.encode()).hexdigest()[:12]}]"
    return text[: limit - len(mark)] + mark


def checked_name(name: Any, kind: str) -> str:
    """Return the name of a metric, parameter or tag, if MLflow takes it."""
    if not isinstance(name, str) or not name:
        raise ConfigurationError(f"The name of a {kind} must be a text, not {name!r}", "Give it a name.")
    if len(name) > MAX_NAME_CHARACTERS:
        raise ConfigurationError(
            f"The {kind} '{name[:60]}...' has a name of {len(name)} characters; MLflow takes {MAX_NAME_CHARACTERS}",
            "Shorten it.",
        )
    if (
        not _NAME.fullmatch(name)
        or posixpath.normpath(name) != name
        or name.startswith(("/", ".."))
        or name == "."
    ):
        raise ConfigurationError(
            f"MLflow takes no {kind} of the name {name!r}",
            "Use letters, digits, spaces and _ - . : / in it; it must not look like '/a', '../a' or 'a//b'.",
        )
    return name


def metric_row(name: Any, value: Any, step: Any, timestamp_ms: int) -> Row:
    """Return one measured number as MLflow's REST API takes it."""
    key = checked_name(name, "metric")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ConfigurationError(
            f"The metric '{key}' is not a number: {value!r:.200}",
            "Log numbers as metrics, and everything else with log_params, log_text or log_json.",
        ) from error
    try:
        place = operator.index(step)
    except TypeError as error:
        raise ConfigurationError(
            f"The step of the metric '{key}' is not a whole number: {step!r:.200}"
        ) from error
    if abs(place) > _LARGEST_STEP:
        raise ConfigurationError(f"The step of the metric '{key}' is too large: {place}")
    return {"key": key, "value": json_number(number), "timestamp": timestamp_ms, "step": place}


def json_number(number: float) -> float | str:
    """Return a number as MLflow takes it: JSON has no NaN and no infinity, so those travel as words."""
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _pairs(values: Mapping[str, str]) -> list[Row]:
    return [{"key": key, "value": value} for key, value in values.items()]


def _size(row: Row) -> int:
    # A measured number takes at most this; texts are counted as they are sent.
    return 120 + len(row["key"].encode()) if "step" in row else len(json.dumps(row))
