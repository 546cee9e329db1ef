"""What a run of the life cycle is asked for, checked before anything is fetched: one clear sentence for each mistake.

Values come from Airflow's Variables or from the trigger's form, so they are whatever a person typed. Must not read them
from anywhere.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field

from airfoil.errors import ConfigurationError
from airfoil.records import FrozenJson, Record
from airfoil.steps.model_zoo import ZOO, plan_model

NAMES = ("crawl_url", "ml_model_type", "accuracy_threshold", "notification_email")
"""The Variables; `parameters` come from the form alone."""
_ADDRESS = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+")


class LifecycleSettings(Record):
    """What to fetch, what to train, how good it has to be, and who is told."""

    crawl_url: str
    ml_model_type: str
    accuracy_threshold: float = Field(ge=0, le=1)
    notification_email: tuple[str, ...] = ()
    """Nobody gets mail when it is empty."""
    parameters: FrozenJson = Field(default_factory=dict, validate_default=True)
    """Hyper-parameters by name; what is not said has a default."""


def read_settings(given: Mapping[str, Any]) -> LifecycleSettings:
    """Return what was given as settings; the first thing that means nothing is a ConfigurationError that names it."""
    unknown = sorted(set(given) - {*NAMES, "parameters"})
    if unknown:
        raise ConfigurationError(
            f"'{unknown[0]}' is no setting of this pipeline", f"There are {', '.join(NAMES)}, and parameters."
        )
    kind, parameters = _model_type(given.get("ml_model_type")), _parameters(given.get("parameters"))
    plan_model(kind, parameters)
    return LifecycleSettings(
        crawl_url=_url(given.get("crawl_url")),
        ml_model_type=kind,
        accuracy_threshold=_threshold(given.get("accuracy_threshold")),
        notification_email=_addresses(given.get("notification_email")),
        parameters=parameters,
    )


def _url(given: Any) -> str:
    url = str(given or "").strip()
    if not url:
        raise ConfigurationError("crawl_url is not set, so there is nothing to fetch", _set("crawl_url"))
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(
            f"crawl_url is {url!r:.200}, which is no address of a web server",
            f"Give one such as https://example.com/data.csv. {_set('crawl_url')}",
        )
    return url


def _model_type(given: Any) -> str:
    kind = str(given or "").strip()
    if kind not in ZOO:
        raise ConfigurationError(
            f"ml_model_type is {kind!r:.60}, and there is no such model type"
            if kind
            else "ml_model_type is not set",
            f"Choose one of {', '.join(ZOO)}. {_set('ml_model_type')}",
        )
    return kind


def _threshold(given: Any) -> float:
    text = str("" if given is None else given).strip()
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isnan(number):
        raise ConfigurationError(
            f"accuracy_threshold is {text!r:.60}, which is no number"
            if text
            else "accuracy_threshold is not set",
            f"Give a share between 0 and 1, such as 0.8. {_set('accuracy_threshold')}",
        )
    if not 0 <= number <= 1:
        raise ConfigurationError(
            f"accuracy_threshold is {text:.60}, and an accuracy lies between 0 and 1",
            f"Give a share such as 0.8. {_set('accuracy_threshold')}",
        )
    return number


def _addresses(given: Any) -> tuple[str, ...]:
    parts = given if isinstance(given, list | tuple) else str(given or "").replace(";", ",").split(",")
    addresses = tuple(dict.fromkeys(str(part).strip() for part in parts if str(part).strip()))
    for address in addresses:
        if not _ADDRESS.fullmatch(address):
            raise ConfigurationError(
                f"notification_email is {address!r:.100}, which is no mail address",
                f"Give addresses such as team@example.com, with commas between them. {_set('notification_email')}",
            )
    return addresses


def _parameters(given: Any) -> dict[str, Any]:
    """Return hyper-parameters as a mapping; a template makes text of one, and a form null of what was left empty."""
    found = given
    if isinstance(given, str):
        try:
            found = json.loads(given.strip() or "{}")
        except ValueError:
            found = given
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise ConfigurationError(
            f"The hyper-parameters are {given!r:.100}, which is no JSON object",
            'Write them as {"trees": 200}; empty braces take the defaults.',
        )
    return {name: value for name, value in found.items() if value is not None}


def _set(name: str) -> str:
    return f"Set it with `airfoil variables set {name}`, or in the trigger's form."
