"""What uv says when it refuses, in our words: one sentence that names both sides, and the next move.

Pure but for one look at who of the installed packages needs what. What is not recognised keeps uv's own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from typing import NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from airfoil.errors import (
    AirfoilError,
    ConfigurationError,
    NeighbourError,
    NotFoundError,
    ServiceAnswerError,
    ServiceRefusedError,
    ServiceUnreachableError,
    StorageError,
)
from airfoil.stack.packages import constraints

MOST_LINES = 12
PLATFORM = ("apache-airflow-core", "apache-airflow-task-sdk", "mlflow", "mlflow-skinny", "feast", "airfoil")
"""Whose bounds are named as the reason for a tested version."""
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_BOUNDS = r"(?:[<>=!~]=?=?[^\s,]+(?:,(?=[<>=!~]))?)+"
_NEEDS = re.compile(
    rf"(?P<who>{_NAME})(?P<version>{_BOUNDS})? depends? on (?P<what>{_NAME})(?P<bounds>{_BOUNDS})"
)
_LEADS = re.compile(rf"(?P<who>{_NAME})(?:{_BOUNDS})? depends? on (?P<what>{_NAME})")
_YOU = re.compile(rf"(?:you require|and) (?P<what>{_NAME})(?P<bounds>{_BOUNDS})")
_UNREACHABLE = re.compile(
    r"dns error|tcp connect error|error sending request|Connection refused|timed out|network was disabled"
    r"|network is unreachable",
    re.IGNORECASE,
)
_STATUS = re.compile(r"HTTP status (?:client|server) error \((?P<status>\d{3}[^)]*)\)")
_MISSING = re.compile(rf"Because (?P<name>{_NAME}) was not found in the package registry")
_NO_VERSION = re.compile(rf"there (?:is|are) no versions? of (?P<what>{_NAME}(?:{_BOUNDS})?)")
_PYTHON = re.compile(rf"(?P<who>{_NAME}(?:{_BOUNDS})?) depends on Python(?P<bounds>{_BOUNDS})")
_MISMATCH = re.compile(r"[Hh]ash mismatch for `?(?P<what>[^\s`]+)")
_BUILD = re.compile(rf"[Ff]ailed to (?:download and )?build `?(?P<what>{_NAME}(?:==[^\s`]+)?)")
_FOLDER = re.compile(r"(?:Permission denied|Read-only file system|No space left on device)[^\n]*")
_BOXES = re.compile(r"[\u2500-\u257f\u25b6\u00d7]")
_HOST = re.compile(r"https?://(?:[^/@\s]*@)?(?P<host>[^/\s`)]+)")


class Clash(NamedTuple):
    """A package that needs one of the platform's in another version; `who` is empty when you asked for it yourself."""

    who: str
    version: str
    what: str
    bounds: str

    def tested(self, pins: Mapping[str, Sequence[str]]) -> str:
        """The platform's versions."""
        return " or ".join(dict.fromkeys(pins[canonicalize_name(self.what)]))


def explain(
    said: str, requirements: Sequence[str], pins: Mapping[str, Sequence[str]] | None = None
) -> AirfoilError:
    """Find the sentence for what uv printed while it worked on these requirements."""
    pins = constraints.pins() if pins is None else pins
    # Boxes and line breaks are for people; names carry the Pythons they are for in braces.
    flat = " ".join(re.sub(r"\{[^}]*\}", "", _BOXES.sub(" ", said)).split())
    lines = [line.rstrip() for line in said.splitlines() if line.strip()][:MOST_LINES]
    found = (
        _of_network(flat) or _of_name(flat) or _of_clash(flat, requirements, pins) or _of_build(flat, lines)
    )
    if found is not None:
        return found
    first = re.sub(r"^(error|cause):\s*", "", lines[0].strip()) if lines else "it gave no reason"
    return NeighbourError(
        f"uv could not do it: {first.rstrip('.')}.", "Its own words are above.", details=lines
    )


def _of_network(flat: str) -> AirfoilError | None:
    host = _HOST.search(flat)
    index = f"The package index {host['host']}" if host else "The package index"
    if status := _STATUS.search(flat):
        if status["status"].startswith(("401", "403", "407")):
            return ServiceRefusedError(
                f"{index} refuses us ({status['status']}).", "Check its login, then try again."
            )
        return ServiceAnswerError(f"{index} answers {status['status']}.", "Wait a little, then try again.")
    if _UNREACHABLE.search(flat):
        return ServiceUnreachableError(f"{index} cannot be reached.", "Check the network, then try again.")
    return None


def _of_name(flat: str) -> AirfoilError | None:
    if missing := _MISSING.search(flat):
        return NotFoundError(f"The package index has no package {missing['name']}.", "Check the spelling.")
    if version := _NO_VERSION.search(flat):
        return NotFoundError(f"The package index has no {version['what']}.", "Ask for another version.")
    return None


def _of_clash(
    flat: str, requirements: Sequence[str], pins: Mapping[str, Sequence[str]]
) -> AirfoilError | None:
    clashes = list(_clashes(flat, pins))
    if clashes:
        clash = clashes[-1]  # the last one is about the newest versions
        asked = _asked(clash.who or clash.what, flat, requirements)
        subject = f"{clash.who}{clash.version} needs" if clash.who else "You ask for"
        if clash.who and asked and canonicalize_name(clash.who) != _name(asked):
            subject = f"{clash.who}{clash.version}, which {_name(asked)} needs, itself needs"
        return ConfigurationError(
            f"{subject} {clash.what}{clash.bounds}, but the platform is tested with "
            f"{clash.what} {clash.tested(pins)}{_why(clash)}.",
            f"Keep it apart: `airfoil add --environment {_name(asked)} '{asked}'`.",
        )
    if python := _PYTHON.search(flat):
        return ConfigurationError(
            f"{python['who']} needs Python{python['bounds']}, and the project allows others.",
            "Narrow requires-python in pyproject.toml, or ask for another version.",
        )
    if "No solution found" in flat:
        reason = re.sub(r"^.*?\bBecause\b", "Because", flat)
        return ConfigurationError(
            "These packages do not fit together.", "Ask for other versions.", details=[reason[:1000]]
        )
    return None


def _of_build(flat: str, lines: Sequence[str]) -> AirfoilError | None:
    if other := _MISMATCH.search(flat):
        return ConfigurationError(
            f"{other['what'].rstrip(':')} is not the file that was locked: its digest differs.",
            "Ask who changed it on the index; `airfoil add --upgrade` locks what is there now.",
            details=lines,
        )
    if build := _BUILD.search(flat):
        return NeighbourError(
            f"{build['what']} comes as source only, and could not be built here.",
            "Install what it asks for above, or ask for a version that has a wheel.",
            details=lines,
        )
    if "externally managed" in flat:
        return ConfigurationError(
            "This Python belongs to the system, which lets nobody install packages.",
            "Install Airfoil in a virtual environment: `python3 -m venv .venv`.",
        )
    if folder := _FOLDER.search(flat):
        return StorageError(
            f"uv could not write: {folder[0][:200].rstrip('.')}.", "Mend that, then try again."
        )
    return None


def _clashes(flat: str, pins: Mapping[str, Sequence[str]]) -> Iterator[Clash]:
    """Give whoever needs a version of a platform's package that is not the tested one, in the order of the text."""
    found = [(match.start(), match) for match in (*_NEEDS.finditer(flat), *_YOU.finditer(flat))]
    for _, match in sorted(found, key=lambda one: one[0]):
        groups = match.groupdict()
        name = canonicalize_name(groups["what"])
        if name in pins and _excludes(groups["bounds"], pins[name]):
            yield Clash(
                groups.get("who") or "", groups.get("version") or "", groups["what"], groups["bounds"]
            )


def _excludes(bounds: str, versions: Sequence[str]) -> bool:
    try:
        return not any(SpecifierSet(bounds).contains(version, prereleases=True) for version in versions)
    except InvalidSpecifier:
        return False


def _asked(name: str, flat: str, requirements: Sequence[str]) -> str:
    """The requirement that leads to a package, as it was asked for; the package itself when the way is not told."""
    asked = {_name(line): line for line in requirements}
    parents = {canonicalize_name(one["what"]): one["who"] for one in _LEADS.finditer(flat)}
    seen: set[str] = set()
    at = canonicalize_name(name)
    while at not in asked and at in parents and at not in seen:
        seen.add(at)
        at = canonicalize_name(parents[at])
    return asked.get(at, name)


def _name(line: str) -> str:
    return canonicalize_name(Requirement(line).name)


def _why(clash: Clash) -> str:
    """Name the part of the platform that forbids the other version, where one does."""
    corners = re.findall(r"[0-9][^\s,]*", clash.bounds)
    for distribution in PLATFORM:
        for line in _requires(distribution):
            if canonicalize_name(line.name) == canonicalize_name(clash.what) and line.specifier:
                allowed = [corner for corner in corners if _contains(line.specifier, corner)]
                if not allowed:
                    return f" ({distribution} needs {line.name}{line.specifier})"
    return ""


def _contains(bounds: SpecifierSet, version: str) -> bool:
    try:
        return bounds.contains(version.removesuffix(".*"), prereleases=True)
    except ValueError:
        return True


def _requires(distribution: str) -> Iterator[Requirement]:
    try:
        lines = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement
