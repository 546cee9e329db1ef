"""Joins defaults, airfoil.toml and the environment into `Settings`.

Order, later wins: defaults, airfoil.toml, AIRFOIL_<SECTION>_<KEY>. An error names file and line (or the variable),
what was expected, and the nearest key that exists. Must not judge values itself: `schema` and `values` do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from airfoil.errors import SettingsError
from airfoil.settings.complaints import not_a_section, unknown_key, unknown_section, wrong_value
from airfoil.settings.environment import overrides, variable
from airfoil.settings.foreign import refuse_contradictions
from airfoil.settings.schema import KEYS, SECTIONS, Settings
from airfoil.settings.source import TomlFile, read_toml
from airfoil.settings.tables import NamedTables, split_off

_FOLDERS = ("airflow.dags", "airflow.plugins", "feast.repo")
_DATABASES = ("airflow.database", "mlflow.database")
_PLACES = ("mlflow.artifacts", "backup.place", "backup.passphrase_file")
_PORTS = ("airflow.port", "mlflow.port", "page.port")


@dataclass(frozen=True)
class _Given:
    """What the user set, by dotted name, and where."""

    toml: TomlFile
    values: Mapping[str, Any]
    variables: Mapping[str, Any]

    def place(self, dotted: str) -> str:
        """Return the variable, or file and line."""
        return variable(dotted) if dotted in self.variables else self.toml.place(dotted.split("."))


def load(root: Path, environ: Mapping[str, str]) -> Settings:
    """Return the settings of the project at `root`; SettingsError says what is wrong and where."""
    root = root.resolve()
    toml = read_toml(root / "airfoil.toml")
    named, plain = split_off(toml)
    variables = overrides(environ)
    given = _Given(toml, {**_file_values(plain), **variables}, variables)
    refuse_contradictions(given.values, given.place)
    settings = _with_named_tables(_validated(given, default_name=_name_of(root)), named)
    _refuse_equal_ports(given, settings)
    return _with_absolute_paths(settings, root)


def _name_of(root: Path) -> str:
    """Return the folder's name as far as it can serve as a project's name."""
    return "".join(letter for letter in root.name if letter.isprintable())[:100].strip() or "airfoil"


def _file_values(toml: TomlFile) -> dict[str, Any]:
    """Return the file's values by dotted name; a name that does not exist is an error."""
    values: dict[str, Any] = {}
    for section, table in toml.tables.items():
        if section not in SECTIONS:
            place = toml.place([section])
            raise (
                unknown_section(place, section)
                if isinstance(table, dict)
                else unknown_key(place, "", section)
            )
        if not isinstance(table, dict):
            raise not_a_section(toml.place([section]), section, table)
        for key, value in table.items():
            if key not in KEYS[section]:
                raise unknown_key(toml.place([section, key]), section, key)
            values[f"{section}.{key}"] = tuple(value) if isinstance(value, list) else value
    return values


def _validated(given: _Given, default_name: str) -> Settings:
    """Build the model; the first thing wrong becomes the sentence, the others its details."""
    tables: dict[str, Any] = {"project": {"name": default_name}, "given": frozenset(given.values)}
    for dotted, value in given.values.items():
        section, key = dotted.split(".")
        tables.setdefault(section, {})[key] = value
    try:
        return Settings.model_validate(tables)
    except ValidationError as error:
        problems = {
            f"{problem['loc'][0]}.{problem['loc'][1]}": problem for problem in error.errors(include_url=False)
        }
        sentences = [
            wrong_value(given.place(dotted), dotted, given.values.get(dotted), problem)
            for dotted, problem in problems.items()
        ]
        # `from None`: a validation error prints the values, and values may hold passwords.
        raise SettingsError(
            sentences[0], "Correct the value, or delete it to get the default.", details=sentences[1:]
        ) from None


def _with_named_tables(settings: Settings, named: NamedTables) -> Settings:
    """Add what was set below names of the user's own choice; it is validated already."""
    return settings.model_copy(
        update={
            "profiles": named.profiles,
            "pools": named.pools,
            "airflow_options": named.airflow_options,
            "given": settings.given | named.given,
        }
    )


def _refuse_equal_ports(given: _Given, settings: Settings) -> None:
    """Refuse one port for two services when the user set both; a default moves away by itself."""
    taken: dict[int, str] = {}
    for dotted in _PORTS:
        port = _value(settings, dotted)
        if not settings.user_set(dotted):
            continue
        if port in taken:
            raise SettingsError(
                f"{given.place(dotted)}: {dotted} is {port}, and so is {taken[port]}.",
                "Give each service a port of its own.",
            )
        taken[port] = dotted


def _value(settings: Settings, dotted: str) -> Any:
    section, key = dotted.split(".")
    return getattr(getattr(settings, section), key)


def _with_absolute_paths(settings: Settings, root: Path) -> Settings:
    """Make folders and SQLite files absolute: services run in other folders than the one the file lies in."""
    updates: dict[str, Any] = {dotted: root / _expanded(_value(settings, dotted)) for dotted in _FOLDERS}
    updates |= {dotted: _absolute_sqlite(_value(settings, dotted), root) for dotted in _DATABASES}
    for dotted in _PLACES:
        place = _value(settings, dotted)
        if place and "://" not in place:
            updates[dotted] = str(root / _expanded(Path(place)))
    sections: dict[str, Any] = {}
    for dotted, value in updates.items():
        section, key = dotted.split(".")
        sections[section] = sections.get(section, getattr(settings, section)).model_copy(update={key: value})
    return settings.model_copy(update=sections)


def _expanded(path: Path) -> Path:
    """Return the path with `~` replaced; a user that does not exist leaves it as it is."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def _absolute_sqlite(url: str, root: Path) -> str:
    """Return an SQLite address with an absolute file; other addresses as they are."""
    if not url.startswith("sqlite:///"):
        return url
    file, question, options = url.removeprefix("sqlite:///").partition("?")
    return f"sqlite:///{root / _expanded(Path(file))}{question}{options}"
