"""The packages that a project names in its pyproject.toml, and how one is added or taken away there.

`[project] dependencies` are for tasks, tests and notebooks; `[tool.airfoil.environments] NAME = [...]` for a virtualenv
apart. Comments and formatting stay as they are. A manifest is a value: nothing is written before `write`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from airfoil.errors import ConfigurationError, NotFoundError, ProjectError
from airfoil.stack.storage import storage_error, write_shared

if TYPE_CHECKING:
    from tomlkit.items import Array

OURSELVES = "airfoil"
OLDEST_PYTHON = "3.11"
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_SKELETON = (
    '[project]\nname = "{name}"\nversion = "0.1.0"\nrequires-python = ">={python}"\ndependencies = []\n'
)
_EXAMPLES = "Write it as `airfoil add cowsay`, 'cowsay>=6' or 'cowsay @ https://...'."


def parse(text: str) -> Requirement:
    """Read one requirement as a person writes it."""
    try:
        return Requirement(text.strip())
    except InvalidRequirement as error:
        raise ConfigurationError(f"{text!r} names no package.", _EXAMPLES) from error


def check_environment_name(name: str) -> str:
    """Accept what can be a folder, a key and a word of a command line."""
    if not _ENVIRONMENT_NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} cannot be the name of an environment.", "Use letters, digits, - and _."
        )
    return name


@dataclass(frozen=True)
class Manifest:
    """What pyproject.toml says; `text` is what the file holds or will hold."""

    path: Path
    text: str
    line_end: str = "\n"

    @classmethod
    def read(cls, root: Path, name: str = "") -> Manifest:
        """Read the project's pyproject.toml; one that is missing is begun when a name is given."""
        path = root / "pyproject.toml"
        try:
            text = path.read_bytes().decode("utf-8")
        except FileNotFoundError:
            if not name:
                raise ProjectError(
                    f"{path} is missing.", "Bring it back, or begin it: `airfoil add`."
                ) from None
            text = _SKELETON.format(name=name, python=OLDEST_PYTHON)
        except UnicodeDecodeError as error:
            raise ProjectError(f"{path} is not UTF-8 text.", "Save it as UTF-8.") from error
        except OSError as error:
            raise storage_error(path, error) from error
        line_end = "\r\n" if "\r\n" in text else "\n"
        found = cls(path, text.replace("\r\n", "\n"), line_end)
        found.refuse_unusable()
        return found

    def _table(self, *keys: str) -> Any:
        try:
            value: Any = tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            raise ProjectError(f"{self.path} is not valid TOML: {error}.", "Correct that line.") from error
        for key in keys:
            value = value.get(key, {}) if isinstance(value, dict) else {}
        return value

    def refuse_unusable(self) -> None:
        """Refuse a file that keeps its packages where we do not look."""
        project = self._table("project")
        if not project:
            raise ProjectError(
                f"{self.path} has no [project] table, where packages are named.",
                "Add [project] with name, version and dependencies (https://packaging.python.org).",
            )
        if canonicalize_name(str(project.get("name", ""))) == OURSELVES:
            raise ProjectError(
                f"{self.path} is Airfoil's own.",
                "Add to Airfoil itself with `uv add`; a project: `airfoil init DIR`.",
            )
        if "dependencies" in project.get("dynamic", ()):
            raise ProjectError(
                f"{self.path} declares its dependencies dynamic.", "Name them in [project] dependencies."
            )
        for environment in (None, *self.environments()):
            for line in self._lines(environment):
                parse(line)

    def environments(self) -> tuple[str, ...]:
        """The names of the virtualenvs apart from the platform."""
        return tuple(check_environment_name(name) for name in self._table("tool", "airfoil", "environments"))

    def requirements(self, environment: str | None) -> tuple[str, ...]:
        """The packages named for the platform's Python, or for an environment; Airfoil itself is not ours to lock."""
        return tuple(line for line in self._lines(environment) if _name(line) != OURSELVES)

    def _lines(self, environment: str | None) -> list[str]:
        keys = ("project", "dependencies") if environment is None else (*_ENVIRONMENTS, environment)
        found = self._table(*keys) or []
        if not isinstance(found, list) or not all(isinstance(line, str) for line in found):
            raise ProjectError(
                f"{'.'.join(keys)} in {self.path} is not a list of packages.", 'Write it as ["cowsay>=6"].'
            )
        return found

    @property
    def oldest_python(self) -> str:
        """The lowest Python that the project allows: what is locked must fit it and all later ones."""
        try:
            bounds = SpecifierSet(str(self._table("project").get("requires-python", "")))
        except InvalidSpecifier:
            return OLDEST_PYTHON
        lower = [one.version for one in bounds if one.operator in {">=", "~=", "=="}]
        return lower[0].removesuffix(".*") if lower else OLDEST_PYTHON

    def with_requirements(self, wanted: Iterable[str], environment: str | None) -> Manifest:
        """Name packages; one that is named already gets the new wording."""

        def change(lines: Array) -> None:
            for text in wanted:
                requirement = parse(text)
                places = _places(lines, requirement.name)
                if not places:
                    _append(lines, str(requirement))
                elif requirement.specifier or requirement.url or requirement.extras:
                    lines[places[0]] = str(requirement)

        return self._edited(change, environment)

    def without(self, names: Iterable[str], environment: str | None) -> Manifest:
        """Take packages away; one that is not named is an error."""

        def change(lines: Array) -> None:
            for text in names:
                name = parse(text).name
                places = _places(lines, name)
                if not places:
                    raise NotFoundError(
                        f"{self.path.name} names no package {name}"
                        + (f" for the environment {environment}." if environment else "."),
                        f"It names: {', '.join(self.requirements(environment)) or 'none'}.",
                    )
                for place in reversed(places):
                    del lines[place]

        return self._edited(change, environment)

    def with_floors(
        self, versions: Mapping[str, str], names: Iterable[str], environment: str | None
    ) -> Manifest:
        """Write the version found as the lowest one, where a package was named without any."""
        floors = []
        for line in self.requirements(environment):
            requirement = parse(line)
            name = canonicalize_name(requirement.name)
            if name in names and name in versions and not requirement.specifier and not requirement.url:
                requirement.specifier = SpecifierSet(f">={versions[name].partition('+')[0]}")
                floors.append(str(requirement))
        return self.with_requirements(floors, environment)

    def _edited(self, change: Any, environment: str | None) -> Manifest:
        import tomlkit

        document: Any = tomlkit.parse(self.text)
        if environment is None:
            project = document["project"]
            if "dependencies" not in project:
                project["dependencies"] = tomlkit.array()
            change(project["dependencies"])
        else:
            table = document
            for key in _ENVIRONMENTS:
                if key not in table:
                    table[key] = tomlkit.table(is_super_table=key != _ENVIRONMENTS[-1])
                table = table[key]
            if environment not in table:
                table[environment] = tomlkit.array()
            change(table[environment])
            if not table[environment]:
                del table[environment]
            if not table:
                del document[_ENVIRONMENTS[0]][_ENVIRONMENTS[1]][_ENVIRONMENTS[2]]
        return replace(self, text=tomlkit.dumps(document).rstrip("\n") + "\n")

    def write(self) -> None:
        """Replace the file."""
        write_shared(self.path, self.text.replace("\n", self.line_end))


_ENVIRONMENTS = ("tool", "airfoil", "environments")


def _name(line: str) -> str:
    return canonicalize_name(parse(line).name)


def _places(lines: Array, name: str) -> list[int]:
    return [place for place, line in enumerate(lines) if _name(str(line)) == canonicalize_name(name)]


def _append(lines: Array, text: str) -> None:
    """Add an entry as its neighbours stand: on a line of its own, or on theirs."""
    if "\n" in lines.as_string():
        lines.add_line(text, indent=_indent(lines.as_string()))
    else:
        lines.append(text)


def _indent(array: str) -> str:
    found = re.search(r"\n([ \t]+)[\"'#]", array)
    return found[1] if found else "  "
