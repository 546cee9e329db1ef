"""Reads the tables below which the user chooses the names: [profiles.NAME], [pools], [airflow.SECTION].

Splits them off, so that `loading` sees sections with known keys alone. Must not read a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic import ValidationError

from airfoil.settings.airflow_options import read_options
from airfoil.settings.complaints import not_a_section, unknown_entry, wrong_entry
from airfoil.settings.schema import KEYS, PoolSettings, ProfileSettings, Section
from airfoil.settings.source import TomlFile
from airfoil.settings.values import plain_name

_Kind = TypeVar("_Kind", bound=Section)
_MOST_LETTERS = 256  # of a pool's name, in Airflow's database
_DATABASE_URL = "url"
"""What airflow.database is called below [airflow.database], where Airflow's section of that name is meant."""


@dataclass(frozen=True)
class NamedTables:
    """What the user set below names of their own choice."""

    profiles: Mapping[str, ProfileSettings]
    pools: Mapping[str, PoolSettings]
    airflow_options: Mapping[str, Mapping[str, str]]

    @property
    def given(self) -> frozenset[str]:
        """The dotted names of all values."""
        profiles = (
            f"profiles.{name}.{key}" for name, one in self.profiles.items() for key in one.model_fields_set
        )
        options = (f"airflow.{name}.{key}" for name, keys in self.airflow_options.items() for key in keys)
        return frozenset([*profiles, *(f"pools.{name}" for name in self.pools), *options])


def split_off(toml: TomlFile) -> tuple[NamedTables, TomlFile]:
    """Return the named tables, and the file without them."""
    rest = dict(toml.tables)
    profiles = _table(toml, "profiles", rest.pop("profiles", {}))
    pools = _table(toml, "pools", rest.pop("pools", {}))
    airflow, options = _airflow(toml, rest.get("airflow"))
    if airflow is not None:
        rest["airflow"] = airflow
    found = NamedTables(
        {name: _profile(toml, name, value) for name, value in profiles.items()},
        {name: _pool(toml, name, value) for name, value in pools.items()},
        options,
    )
    return found, replace(toml, tables=rest)


def _table(toml: TomlFile, name: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise not_a_section(toml.place([name]), name, value)
    return value


def _airflow(toml: TomlFile, section: object) -> tuple[dict[str, Any] | None, dict[str, dict[str, str]]]:
    """Return our own keys of [airflow], and Airflow's options below it."""
    if not isinstance(section, dict):
        return None, {}
    ours: dict[str, Any] = {}
    options: dict[str, dict[str, str]] = {}
    for key, value in section.items():
        if not isinstance(value, dict) or (key in KEYS["airflow"] and key != "database"):
            ours[key] = value
            continue
        table = dict(value)
        if key == "database" and _DATABASE_URL in table:
            ours[key] = table.pop(_DATABASE_URL)
        options[key] = read_options(toml, key, table)
    return ours, {name: table for name, table in options.items() if table}


def _profile(toml: TomlFile, name: str, value: object) -> ProfileSettings:
    place = toml.place(["profiles", name])
    try:
        plain_name(name)
    except ValueError as error:
        raise wrong_entry(place, "A profile's name", str(error), name) from None
    if not isinstance(value, dict):
        raise wrong_entry(
            place, f"profiles.{name}", f"a table: write [profiles.{name}] and its keys below", value
        )
    return _validated(toml, ProfileSettings, ("profiles", name), value)


def _pool(toml: TomlFile, name: str, value: object) -> PoolSettings:
    place = toml.place(["pools", name])
    if not name.strip() or not name.isprintable() or len(name) > _MOST_LETTERS:
        raise wrong_entry(place, "A pool's name", f"1 to {_MOST_LETTERS} characters on one line", name)
    if isinstance(value, dict):
        if "slots" not in value:
            raise wrong_entry(place, f"pools.{name}", "a table with slots", value)
        return _validated(toml, PoolSettings, ("pools", name), value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_entry(place, f"pools.{name}", "a whole number of slots, or a table with slots", value)
    return _validated(toml, PoolSettings, ("pools", name), {"slots": value})


def _validated(toml: TomlFile, kind: type[_Kind], path: tuple[str, str], value: dict[str, Any]) -> _Kind:
    """Build the model, or name the first key that is wrong."""
    table = ".".join(path)
    for key in value:
        if key not in kind.model_fields:
            raise unknown_entry(toml.place([*path, key]), table, key, kind.model_fields)
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
    key = str(problem["loc"][0])
    expected = kind.model_fields[key].description or "something else"
    if problem["type"] == "value_error":
        expected = str(problem["ctx"]["error"])
    raise wrong_entry(_place(toml, path, key), f"{table}.{key}", expected, value[key])


def _place(toml: TomlFile, path: tuple[str, str], key: str) -> str:
    """Return where a key stands; a pool's slots may be its whole value."""
    written = toml.tables[path[0]][path[1]]
    return toml.place([*path, key] if isinstance(written, dict) else path)
