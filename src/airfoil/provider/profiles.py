"""Profiles: one word on a task says where it runs, and each installation says what that word means there.

The tables stand in Airflow's own configuration, `[airfoil] profiles`, as JSON; the stack writes them from
airfoil.toml. They are resolved while a DAG file is parsed, so one file runs on a laptop, a server and a cluster. Must
not raise for what another tier has and this one lacks: that is dropped, with one line in the log.
"""

from __future__ import annotations

import difflib
import json
import logging
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any

from airfoil.errors import ConfigurationError
from airfoil.provider.executors import Executor, find_executor, parse_executors
from airfoil.provider.pods import Builder, describe_pod, kubernetes_builder

DEFAULT = "default"
"""The profile that always exists; empty unless somebody fills it."""
KEYS = (
    "executor",
    "queue",
    "pool",
    "pool_slots",
    "cpu",
    "memory",
    "gpu",
    "timeout_seconds",
    "retries",
    "environment",
    "pod",
)
_TEXTS = ("executor", "queue", "pool", "environment", "memory")
_WHOLE_NUMBERS = ("pool_slots", "gpu", "retries")
# Keys that are arguments of every operator under the same name.
_SHARED = ("executor", "queue", "pool", "pool_slots", "retries")

_log = logging.getLogger(__name__)


def profile(name: str = DEFAULT, **overrides: Any) -> dict[str, Any]:
    """Return the keyword arguments that a profile means here, for any operator or `@task(**profile("training"))`.

    `overrides` are keys of a profile (`gpu=2`; None takes one away) or any other arguments of the operator, and win.
    """
    table = _table(name)
    table |= {key: value for key, value in overrides.items() if key in KEYS}
    table = {key: value for key, value in table.items() if value is not None}
    _check(name, table)
    others = {key: value for key, value in overrides.items() if key not in KEYS}
    return _resolved(name, table, _executors(), _gpu_pool(), kubernetes_builder) | others


def with_profile(name: str | None, given: Mapping[str, Any], *, takes_python: bool) -> dict[str, Any]:
    """Return an operator's arguments with those of a profile beneath them: what the DAG says itself wins.

    For operators and decorators that have an argument `profile`; None means no profile at all.
    """
    if name is None:
        return dict(given)
    shared = {key: value for key, value in given.items() if key in _SHARED}
    found = profile(name, **shared)
    if "python" in found and not takes_python:
        raise ConfigurationError(
            f"The profile '{name}' has an isolated environment, which this kind of task cannot run in",
            f'Use `@task.external_python(**profile("{name}"))`, or a profile without `environment`.',
        )
    return found | dict(given)


def _resolved(
    name: str,
    table: Mapping[str, Any],
    executors: tuple[Executor, ...],
    gpu_pool: str,
    find_builder: Any,
) -> dict[str, Any]:
    found: dict[str, Any] = {
        key: table[key] for key in ("queue", "pool", "pool_slots", "retries") if key in table
    }
    runs_on = executors[0] if executors else None
    if "executor" in table:
        asked = find_executor(executors, table["executor"])
        if asked is not None:
            runs_on, found["executor"] = asked, table["executor"]
        else:
            _say_once(
                f"The executor {table['executor']} of the profile {name} is not configured here; "
                "its tasks run on the default one."
            )
    if "timeout_seconds" in table:
        found["execution_timeout"] = timedelta(seconds=table["timeout_seconds"])
    if "environment" in table:
        found["python"] = table["environment"]
    if table.get("gpu") and gpu_pool and runs_on is not None and runs_on.is_local:
        found.setdefault("pool", gpu_pool)
    if runs_on is not None and runs_on.makes_pods:
        found |= _executor_config(name, table, find_builder)
    return found


def _executor_config(name: str, table: Mapping[str, Any], find_builder: Any) -> dict[str, Any]:
    described = describe_pod(table)
    if not described:
        return {}
    build: Builder | None = find_builder()
    if build is None:
        _say_once(
            f"The profile {name} describes a pod, but apache-airflow-providers-cncf-kubernetes is not installed here; "
            "the pod is as it comes."
        )
        return {}
    return {"executor_config": {"pod_override": build(described)}}


def _table(name: str) -> dict[str, Any]:
    """Return a copy of a profile's table; an unknown one is the default one."""
    tables = _tables(_configured("profiles"))
    if name not in tables and name != DEFAULT:
        _say_once(f"There is no profile {name} here; the profile {DEFAULT} is used.", logging.WARNING)
        name = DEFAULT
    return dict(tables.get(name, {}))


@lru_cache(maxsize=8)
def _tables(text: str) -> dict[str, dict[str, Any]]:
    """Return the tables by name; what cannot be read is an error that names the option."""
    place = "[airfoil] profiles in Airflow's configuration"
    try:
        found = json.loads(text or "{}")
    except ValueError as error:
        raise ConfigurationError(
            f"{place} is not JSON: {error}", 'Write an object such as {"training": {"gpu": 1}}.'
        ) from error
    if not isinstance(found, dict) or not all(isinstance(table, dict) for table in found.values()):
        raise ConfigurationError(
            f"{place} is not an object of objects", 'Write it as {"training": {"gpu": 1}}.'
        )
    return found


def _check(name: str, table: Mapping[str, Any]) -> None:
    """Refuse a key or a value that means nothing; airfoil.toml was checked, a provider's airflow.cfg was not."""
    for key, value in table.items():
        if key not in KEYS:
            close = difflib.get_close_matches(key, KEYS, n=1)
            raise ConfigurationError(
                f"The profile '{name}' has a key '{key}', which does not exist",
                (f"Did you mean {close[0]}? " if close else "") + f"Keys: {', '.join(KEYS)}.",
            )
        if not _fits(key, value):
            raise ConfigurationError(
                f"'{value}' is no usable value for '{key}' of the profile '{name}'",
                "docs/settings.md lists what each key of a profile may be.",
            )


def _fits(key: str, value: object) -> bool:
    if key in _TEXTS:
        return isinstance(value, str) and bool(value.strip())
    if key == "pod":
        return isinstance(value, Mapping)
    if isinstance(value, bool):
        return False
    if key in _WHOLE_NUMBERS:
        return isinstance(value, int) and value >= (1 if key == "pool_slots" else 0)
    if key == "cpu" and isinstance(value, str):
        return bool(value.strip())
    return isinstance(value, int | float) and 0 < value < float("inf")


def _configured(key: str) -> str:
    """Return an option of ours in Airflow's configuration."""
    from airflow.sdk.configuration import conf

    return str(conf.get("airfoil", key, fallback="") or "")


def _gpu_pool() -> str:
    return _configured("gpu_pool").strip()


def _executors() -> tuple[Executor, ...]:
    from airflow.sdk.configuration import conf

    return parse_executors(str(conf.get("core", "executor", fallback="LocalExecutor")))


@lru_cache(maxsize=256)
def _say_once(sentence: str, level: int = logging.INFO) -> None:
    """Log a sentence, once in the life of this process; what is as it should be on this tier is no warning."""
    _log.log(level, sentence)
