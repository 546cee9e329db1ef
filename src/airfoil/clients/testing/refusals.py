"""What MLflow refuses, and in which words: names, lengths and values that a request may carry.

Every limit is MLflow 3.17's own; tests/integration/test_fake_is_real.py holds them against a real server. Must not
know what is stored.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any

MAX_KEY_CHARACTERS = 250
MAX_PARAM_CHARACTERS = 6000
MAX_TAG_CHARACTERS = 8000
MAX_EXPERIMENT_NAME_CHARACTERS = 500
MAX_MODEL_TAG_CHARACTERS = 100_000
MAX_ALIAS_CHARACTERS = 255

_KEY = re.compile(r"[/\w.\- :]*")
_ALIAS = re.compile(r"[\w\-]*")
_RESERVED_ALIAS = re.compile(r"latest|v\d+", re.IGNORECASE)

STATUSES = {
    "BAD_REQUEST": 400,
    "ENDPOINT_NOT_FOUND": 404,
    "INTERNAL_ERROR": 500,
    "INVALID_PARAMETER_VALUE": 400,
    "INVALID_STATE": 500,
    "RESOURCE_ALREADY_EXISTS": 400,
    "RESOURCE_DOES_NOT_EXIST": 404,
    "TEMPORARILY_UNAVAILABLE": 503,
}


class RefusalError(Exception):
    """A request that MLflow answers with an error code."""

    def __init__(self, message: str, code: str = "INVALID_PARAMETER_VALUE") -> None:
        """Keep what the answer says."""
        super().__init__(message)
        self.message = message
        self.code = code

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return STATUSES[self.code]


def missing(what: str) -> RefusalError:
    """Return the refusal for something that is not there."""
    return RefusalError(what, "RESOURCE_DOES_NOT_EXIST")


def text(body: Mapping[str, Any], name: str) -> str:
    """Return a field that must be given, as text."""
    value = optional_text(body, name)
    if value == "":
        raise RefusalError(f"Missing value for required parameter '{name}'.")
    return value


def optional_text(body: Mapping[str, Any], name: str) -> str:
    """Return a field as text; empty when it is not given, as MLflow's protocol has it."""
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RefusalError(f"Invalid value {value!r} for parameter '{name}' supplied.")
    return value


def pairs(body: Mapping[str, Any], name: str) -> list[tuple[str, str]]:
    """Return a list of keys and values (params or tags)."""
    return [(optional_text(row, "key"), optional_text(row, "value")) for row in body.get(name) or []]


def check_key(key: str) -> str:
    """Refuse a name of a param, metric or tag that MLflow does not take."""
    if not _KEY.fullmatch(key):
        raise RefusalError(
            f'Invalid value "{key}" for parameter supplied: Names may only contain alphanumerics.'
        )
    _refuse_path(key)
    if len(key) > MAX_KEY_CHARACTERS:
        raise RefusalError(f"'{key[:20]}...' exceeds the maximum length of {MAX_KEY_CHARACTERS} characters")
    return key


def check_param(key: str, value: str) -> tuple[str, str]:
    """Return a param as it is kept: MLflow cuts a long value without a word."""
    return check_key(key), value[:MAX_PARAM_CHARACTERS]


def check_tag(key: str, value: str) -> tuple[str, str]:
    """Return a run's tag as it is kept: MLflow cuts a long value without a word."""
    return check_key(key), value[:MAX_TAG_CHARACTERS]


def check_model_tag(key: str, value: str) -> None:
    """Refuse a tag that a registered model or a version may not carry."""
    check_key(key)
    if len(value) > MAX_MODEL_TAG_CHARACTERS:
        raise RefusalError(f"'value' exceeds the maximum length of {MAX_MODEL_TAG_CHARACTERS} characters")


def check_experiment_name(name: str) -> str:
    """Refuse a name that no experiment can have."""
    if len(name) > MAX_EXPERIMENT_NAME_CHARACTERS:
        raise RefusalError(
            f"'name' exceeds the maximum length of {MAX_EXPERIMENT_NAME_CHARACTERS} characters"
        )
    return name


def check_model_name(name: str) -> str:
    """Refuse a name that no registered model can have."""
    if not name.strip():
        raise RefusalError("Missing value for required parameter 'name'.")
    if "/" in name or ":" in name:
        raise RefusalError(f"Invalid model name '{name}'. Names cannot contain '/' or ':'.")
    _refuse_path(name)
    return name


def check_alias(alias: str) -> str:
    """Refuse an alias that cannot be set."""
    if not _ALIAS.fullmatch(alias) or len(alias) > MAX_ALIAS_CHARACTERS:
        raise RefusalError(f"Invalid alias name: '{alias}'.")
    if _RESERVED_ALIAS.fullmatch(alias):
        raise RefusalError(f"The alias name '{alias}' is reserved.")
    return alias


def check_version(version: str) -> int:
    """Return a version number; anything else is refused."""
    try:
        return int(version)
    except ValueError as error:
        raise RefusalError(f"Parameter 'version' must be an integer, got '{version}'.") from error


def check_page_size(body: Mapping[str, Any], default: int, most: int) -> int:
    """Return how many results a page may have."""
    size = int(body.get("max_results", default))
    if not 1 <= size <= most:
        raise RefusalError(f"Invalid value {size} for parameter 'max_results' supplied.")
    return size


def check_active(what: str, stage: str) -> None:
    """Refuse to write to what is deleted."""
    if stage != "active":
        raise RefusalError(f"The {what} must be in the 'active' state. Current state is {stage}.")


def _refuse_path(name: str) -> None:
    normal = posixpath.normpath(name)
    if normal != name or normal == "." or normal.startswith(("..", "/")):
        raise RefusalError(f'Invalid value "{name}": this name would resolve to {normal!r}')
