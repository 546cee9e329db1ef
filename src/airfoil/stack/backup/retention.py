"""Which backups stay: the last few, one a day and a week for some time; and the contents that nothing needs any more.

Choosing is pure. A backup goes manifest first: killed in between, what is left is contents that the next time removes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airfoil.errors import StorageError
from airfoil.stack.backup import catalogue, objects, trees
from airfoil.stack.backup import manifest as manifests
from airfoil.stack.backup.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airfoil.stack.backup.catalogue import Entry
    from airfoil.stack.backup.manifest import Manifest
    from airfoil.stack.backup.place import Place

GRACE_SECONDS = 24 * 3600.0
"""How long a content stays that nothing refers to: a backup may be on its way."""


@dataclass(frozen=True)
class Keep:
    """How many stay."""

    last: int
    daily: int = 0
    weekly: int = 0


@dataclass(frozen=True)
class Pruned:
    """What went."""

    names: tuple[str, ...] = ()
    freed_bytes: int = 0


def chosen(backups: Sequence[Manifest], keep: Keep) -> set[str]:
    """Return which of these backups stay; the newest always does. Of a day or a week it is the newest one."""
    newest_first = sorted(backups, key=lambda one: one.made_at, reverse=True)
    stays = {one.name for one in newest_first[: max(keep.last, 1)]}
    for number, unit in ((keep.daily, "%G-%V-%u"), (keep.weekly, "%G-%V")):
        by_unit: dict[str, str] = {}
        for one in newest_first:
            by_unit.setdefault(one.made_at.strftime(unit), one.name)
        stays |= set(list(by_unit.values())[:number])
    return stays


def prune(place: Place, project: str, keep: Keep, now: float) -> Pruned:
    """Remove the backups of a project that do not stay, and contents of which nobody has need."""
    with place.held():
        entries = catalogue.found_in(place)
        mine = catalogue.readable(entries, project)
        stays = chosen(mine, keep)
        gone = [one.name for one in mine if one.name not in stays]
        for name in gone:
            place.delete(manifests.place_of(name))
        left = [one for one in entries if one.name not in gone]
        return Pruned(tuple(gone), _sweep(place, left, now))


def _sweep(place: Place, backups: Sequence[Entry], now: float) -> int:
    """Remove contents that none of these backups refers to; none at all while it cannot be told which these are."""
    if any(one.manifest is None for one in backups):
        return 0
    try:
        used = used_by(catalogue.readable(backups), Objects(place))
    except StorageError:
        return 0
    freed = 0
    for item in list(place.items(objects.FOLDER)):
        if objects.digest_of(item.name) not in used and item.modified < now - GRACE_SECONDS:
            place.delete(item.name)
            freed += item.bytes
    return freed


def used_by(backups: Iterable[Manifest], kept: Objects) -> set[str]:
    """Return every content that these backups refer to."""
    found: set[str] = set()
    for one in backups:
        found.add(one.secrets.object)
        found.update(copy.stored.object for copy in one.databases)
        for tree in one.trees:
            found.add(tree.listing.object)
            found.update(file.object for file in trees.files_of(tree, kept))
    return found
