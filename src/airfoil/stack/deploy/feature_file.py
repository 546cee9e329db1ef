"""The feature_store.yaml of a server: the project's own, with registry and online store where all machines reach them.

Addresses stay variables, which Feast fills in from the environment, so that this file holds no secret. Pure.
"""

from __future__ import annotations

from typing import Any

import yaml

from airfoil.errors import ConfigurationError

_HEAD = """\
# Written by `airfoil deploy compose` from {source}: the registry is in PostgreSQL, the online store is Redis.
# It lies over that file inside the containers.
"""
_DEFAULTS = {"project": "airfoil", "provider": "local", "entity_key_serialization_version": 3}


def rendered(own: str, source: str) -> str:
    """Return the text for the server; an empty one stands for a project that has no features yet."""
    try:
        found = yaml.safe_load(own) or {}
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{source} is not YAML.", "Correct it.") from error
    if not isinstance(found, dict):
        raise ConfigurationError(f"{source} does not hold names and values.", "Correct it.")
    settings: dict[str, Any] = _DEFAULTS | found
    registry = settings.get("registry")
    kept = {"cache_ttl_seconds": registry.get("cache_ttl_seconds", 60)} if isinstance(registry, dict) else {}
    settings["registry"] = {"registry_type": "sql", "path": "${FEAST_REGISTRY_URL}", **kept}
    settings["online_store"] = {"type": "redis", "connection_string": "${FEAST_REDIS}"}
    return f"{_HEAD.format(source=source)}{yaml.safe_dump(settings, sort_keys=False)}"
