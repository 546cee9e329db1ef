"""Many files as one part of a backup: which there are, with the content of each kept once.

What has size and time of the backup before is taken as unchanged and not read again. Must not know what the files are.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from airfoil.errors import NotFoundError, StorageError
from airfoil.stack.backup.manifest import Stored, TreeCopy
from airfoil.stack.backup.place import Item, opened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airfoil.stack.backup.objects import Objects
    from airfoil.stack.backup.place import Place, Source

CACHES = frozenset({"__pycache__", ".git", ".venv", ".ipynb_checkpoints", "node_modules"})
"""Folders of a project that are made anew when they are missed."""


@dataclass(frozen=True)
class FileCopy:
    """One file: its path below the tree, and where its content lies."""

    path: str
    bytes: int
    modified: float
    object: str

    @property
    def stored(self) -> Stored:
        """Its content."""
        return Stored(object=self.object, bytes=self.bytes)


class FolderFiles:
    """Files below some folders of a root, and single files of it; folders named in `without` are left alone."""

    def __init__(
        self, root: Path, inside: Iterable[str] = ("",), without: frozenset[str] = frozenset()
    ) -> None:
        self._root = root
        self._inside = tuple(inside)
        self._without = without

    def items(self, prefix: str = "") -> Iterator[Item]:
        """List them; what is no file is left alone."""
        seen: set[str] = set()
        for one in self._inside:
            start = self._root / prefix / one
            for path in [start] if start.is_file() else self._walk(start):
                name = path.relative_to(self._root).as_posix()
                with contextlib.suppress(FileNotFoundError):
                    found = path.stat()
                    if name not in seen:
                        seen.add(name)
                        yield Item(name, found.st_size, found.st_mtime)

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Open a file."""
        path = self._root / name
        with opened(path, f"There is no {path} any more.") as stream:
            yield stream

    def _walk(self, start: Path) -> Iterator[Path]:
        for folder, folders, names in os.walk(start):
            folders[:] = sorted(one for one in folders if one not in self._without)
            for name in sorted(names):
                path = Path(folder, name)
                if path.is_file():
                    yield path


def copy(part: str, source: Source, objects: Objects, before: Mapping[str, FileCopy]) -> TreeCopy:
    """Keep the content of every file that is not kept yet; what vanishes meanwhile is not in it."""
    files = []
    for item in source.items():
        known = before.get(item.name)
        same = known is not None and (known.bytes, known.modified) == (item.bytes, item.modified)
        if known is not None and same and objects.has(known.object, known.bytes):
            files.append(known)
            continue
        try:
            stored = objects.put(lambda name=item.name: source.open(name), item.name)  # type: ignore[misc]
        except NotFoundError:
            continue
        files.append(FileCopy(item.name, stored.bytes, item.modified, stored.object))
    files.sort(key=lambda one: one.path)
    lines = [json.dumps([one.path, one.bytes, one.modified, one.object]) for one in files]
    listing = objects.put_bytes("".join(f"{line}\n" for line in lines).encode(), packed=True)
    return TreeCopy(part=part, files=len(files), bytes=sum(one.bytes for one in files), listing=listing)


def files_of(tree: TreeCopy, objects: Objects) -> list[FileCopy]:
    """Return which files a backup has of a tree; a listing that was tampered with is refused."""
    shown = f"The list of files of {tree.part}"
    found = []
    for line in objects.read(tree.listing, shown).decode().splitlines():
        try:
            path, size, modified, digest = json.loads(line)
            one = FileCopy(str(path), int(size), float(modified), Stored(object=digest, bytes=size).object)
        except (ValueError, TypeError) as error:
            raise StorageError(f"{shown} is damaged: a line of it is no file.") from error
        parts = PurePosixPath(one.path).parts
        if not parts or one.path.startswith("/") or ".." in parts:
            raise StorageError(f"{shown} is damaged: {one.path!r} leads out of the tree.")
        found.append(one)
    if (len(found), sum(one.bytes for one in found)) != (tree.files, tree.bytes):
        raise StorageError(f"{shown} is damaged: it names {len(found)} files instead of {tree.files}.")
    return found


def lay_out(files: Iterable[FileCopy], objects: Objects, target: Place, shown: str) -> None:
    """Write every file to a place, under its path."""
    for one in files:
        with objects.open(one.stored, f"{shown}: {one.path}") as stream:
            target.put(one.path, stream)
