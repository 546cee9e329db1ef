"""What a bucket lacks of a backup's files, and which it has with another content: told before anything is changed.

A bucket has no rename: what differs is copied aside inside it, and then replaced. Must not delete anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airfoil.errors import NotFoundError
from airfoil.stack.backup import objects, trees

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airfoil.stack.backup.objects import Objects
    from airfoil.stack.backup.place import Place
    from airfoil.stack.backup.trees import FileCopy


@dataclass(frozen=True)
class Comparison:
    """A bucket beside the files that a backup has."""

    place: Place
    missing: tuple[FileCopy, ...]
    differing: tuple[FileCopy, ...]
    """What the bucket has under the same name with another content: newer, most likely."""

    def carry_out(self, kept: Objects, shown: str, aside: str) -> None:
        """Give the bucket what it lacks; what differs is copied to the folder `aside` of it before it is replaced."""
        trees.lay_out(self.missing, kept, self.place, shown)
        for one in self.differing:
            with self.place.open(one.path) as stream:
                self.place.put(f"{aside}/{one.path}", stream)
            trees.lay_out([one], kept, self.place, shown)


def compare(files: Iterable[FileCopy], place: Place) -> Comparison:
    """Hold each file against what the place has; those of the same size are read, because a size proves nothing."""
    there = {item.name: item.bytes for item in place.items()}
    missing, differing = [], []
    for one in files:
        if one.path not in there:
            missing.append(one)
        elif there[one.path] != one.bytes:
            differing.append(one)
        elif (found := _digest(place, one.path)) != one.object:
            (differing if found else missing).append(one)
    return Comparison(place, tuple(missing), tuple(differing))


def _digest(place: Place, name: str) -> str:
    """Return the digest of a file; empty when it is gone since the listing."""
    try:
        with place.open(name) as stream:
            return objects.measured(stream)[0]
    except NotFoundError:
        return ""
