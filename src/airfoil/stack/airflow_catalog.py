"""The options that the installed Airflow has of its own, by section, read from its list without importing it.

Providers add more, so a name that is not here may still be right. Must not import Airflow, nor find it missing worth
an error.
"""

from __future__ import annotations

import difflib
import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path

Catalog = Mapping[str, frozenset[str]]

_SECTION = re.compile(r"^(\w+):\s*$")
_OPTION = re.compile(r"^    (\w+):\s*$")
# Only what is very like an existing name is taken for a slip of the keyboard.
_NEAR_KEY = 0.8
_NEAR_SECTION = 0.85
_INDIRECT = re.compile(r"_(cmd|secret)$")


def read_catalog(file: Path | None = None) -> Catalog:
    """Return the names of the installed Airflow's options; none where there is no Airflow."""
    file = file or _installed()
    try:
        lines = file.read_text(encoding="utf-8").splitlines() if file else []
    except OSError:
        return {}
    found: dict[str, set[str]] = {}
    section = ""
    for line in lines:
        if opening := _SECTION.match(line):
            section = opening[1]
        elif section and (option := _OPTION.match(line)):
            found.setdefault(section, set()).add(option[1])
    return {name: frozenset(keys) for name, keys in found.items()}


def _installed() -> Path | None:
    try:
        spec = importlib.util.find_spec("airflow")
    except (ImportError, ValueError):
        return None
    places = (spec.submodule_search_locations or ()) if spec else ()
    return next((Path(place) / "config_templates" / "config.yml" for place in places), None)


def likely_meant(catalog: Catalog, section: str, key: str) -> str:
    """Return `[section] key` as it was probably meant; empty when the name is known or like no other."""
    if section not in catalog:
        near = difflib.get_close_matches(section, catalog, n=1, cutoff=_NEAR_SECTION)
        return f"[airflow.{near[0]}] {key}" if near else ""
    if {key, _INDIRECT.sub("", key)} & catalog[section]:
        return ""
    near = difflib.get_close_matches(key, sorted(catalog[section]), n=1, cutoff=_NEAR_KEY)
    if near:
        return f"[airflow.{section}] {near[0]}"
    elsewhere = sorted(name for name, keys in catalog.items() if key in keys)
    return f"[airflow.{elsewhere[0]}] {key}" if elsewhere else ""
