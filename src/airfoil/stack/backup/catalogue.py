"""Which backups lie in a place. Only what has a manifest is a backup; a damaged manifest is said, not hidden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airfoil.errors import AirfoilError, NotFoundError
from airfoil.stack.backup import manifest as manifests

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airfoil.stack.backup.manifest import Manifest
    from airfoil.stack.backup.place import Place

LATEST = "latest"


@dataclass(frozen=True)
class Entry:
    """A backup, or what is wrong with it."""

    name: str
    manifest: Manifest | None = None
    problem: AirfoilError | None = None


def found_in(place: Place) -> list[Entry]:
    """Return the backups of a place, oldest first."""
    names = sorted(filter(None, (manifests.name_of(item.name) for item in place.items(manifests.FOLDER))))
    return [_entry(place, name) for name in names]


def whole(place: Place, project: str = "") -> list[Manifest]:
    """Return the backups whose manifests can be read, oldest first; of one project, if named."""
    return readable(found_in(place), project)


def readable(entries: Iterable[Entry], project: str = "") -> list[Manifest]:
    """Return the manifests of these backups that could be read; of one project, if named."""
    known = [one.manifest for one in entries if one.manifest is not None]
    return [one for one in known if project in {"", one.project}]


def named(place: Place, name: str, project: str = "") -> Manifest:
    """Return one backup: by its name, by how it begins, or the latest one (of a project)."""
    entries = found_in(place)
    if name == LATEST:
        mine = [one for one in entries if one.manifest is None or project in {"", one.manifest.project}]
        if not mine:
            raise NotFoundError(f"There is no backup in {place.title}.", "Make one: `airfoil backup create`.")
        return _manifest(mine[-1])
    matching = [one for one in entries if one.name.startswith(name)]
    exact = [one for one in matching if one.name == name]
    if len(exact or matching) != 1:
        what = "Several backups begin with" if matching else "There is no backup"
        raise NotFoundError(f"{what} {name} in {place.title}.", "See `airfoil backup list`.")
    return _manifest((exact or matching)[0])


def _entry(place: Place, name: str) -> Entry:
    try:
        with place.open(manifests.place_of(name)) as stream:
            return Entry(name, manifests.read(stream.read(), name))
    except AirfoilError as error:
        return Entry(name, problem=error)


def _manifest(entry: Entry) -> Manifest:
    if entry.manifest is None:
        raise entry.problem or NotFoundError(f"There is no backup {entry.name}.")
    return entry.manifest
