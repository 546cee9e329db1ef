"""What is kept of a crawled source: each version as it came, its clean rows, copies of models; and what of it is old.

A version is what `crawling` has named. Whatever has another name in these folders is somebody's own, and stays. Must
not know who uses a version: that is told.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_VERSION = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{12}")
_UNFINISHED = re.compile(r"\..*[0-9a-f]{32}\.tmp")
"""As `crawling`, `object_store` and `model_shelf` call what they are still writing."""


@dataclass(frozen=True)
class OldVersions:
    """Versions of a source, and copies of models, that are not among the newest."""

    versions: tuple[str, ...] = ()
    copies: tuple[Path, ...] = ()
    """Folders called after the runs that made the models: those of old versions, and others."""

    def without(self, run_ids: Collection[str]) -> OldVersions:
        """Leave out copies of models that these runs have made, and the versions that they learned from."""
        used = {copy for copy in self.copies if copy.name in run_ids}
        learned = {copy.parent.name for copy in used}
        return OldVersions(
            tuple(version for version in self.versions if version not in learned),
            tuple(copy for copy in self.copies if copy not in used),
        )


@dataclass(frozen=True)
class SourceFolders:
    """Where everything about one source lies."""

    raw: Path
    processed: Path
    model: Path

    def versions(self) -> list[str]:
        """Return the names of all versions, newest first: each begins with its time."""
        found = {path.name.partition(".")[0] for path in _paths(self.raw)}
        found |= {path.name for folder in (self.processed, self.model) for path in _paths(folder)}
        return sorted(filter(_VERSION.fullmatch, found), reverse=True)

    def copies(self) -> list[Path]:
        """Return the copies of models, newest first."""
        folders = [path for path in _paths(self.model) if _VERSION.fullmatch(path.name)]
        found = [copy for folder in folders for copy in _paths(folder) if not copy.name.startswith(".")]
        return sorted(found, key=_changed, reverse=True)

    def old(self, keep: int, *, before: float, needed: Collection[str] = ()) -> OldVersions:
        """Return what is beyond the newest `keep`, untouched since a moment, and of no version that is needed."""
        copies = self.copies()
        versions = tuple(
            version
            for version in self.versions()[keep:]
            if version not in needed and all(_changed(path) < before for path in self._parts(version))
        )
        late = {copy for copy in copies[keep:] if _changed(copy) < before}
        return OldVersions(
            versions, tuple(copy for copy in copies if copy in late or copy.parent.name in versions)
        )

    def remove(self, old: OldVersions) -> None:
        """Remove them; what cannot be removed stays for the next time."""
        for copy in old.copies:
            _remove(copy)
        for version in old.versions:  # the file that came last, so that what is cut short here is found again
            for path in self._parts(version):
                _remove(path)

    def remove_unfinished(self, *, before: float) -> None:
        """Remove what a killed task was writing, when it has not grown since a moment."""
        for folder in (self.raw, self.processed, self.model):
            for path in [*_paths(folder), *(one for below in _paths(folder) for one in _paths(below))]:
                if _UNFINISHED.fullmatch(path.name) and _changed(path) < before:
                    _remove(path)

    def _parts(self, version: str) -> list[Path]:
        """Return what there is of a version, what it came as last."""
        folders = [self.model / version, self.processed / version]
        files = [path for path in _paths(self.raw) if path.name.partition(".")[0] == version]
        return [path for path in (*folders, *files) if path.exists()]


def _paths(folder: Path) -> Iterator[Path]:
    """Return what lies in a folder, if it is one; links lead to what is somebody's own."""
    with suppress(OSError):
        yield from [path for path in folder.iterdir() if not path.is_symlink()]


def _changed(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()
