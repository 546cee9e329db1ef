"""Makes a backup while the platform runs: databases first, then what they refer to, the manifest last of all.

Killed at any moment it leaves contents without a manifest, which is no backup, and which the next one uses again.
"""

from __future__ import annotations

import base64
import io
import json
import secrets
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from airfoil.errors import ConfigurationError, StorageError
from airfoil.stack import versions
from airfoil.stack.backup import (
    catalogue,
    counts,
    note,
    postgres,
    retention,
    scratch,
    sealing,
    sources,
    sqlite_copies,
    trees,
)
from airfoil.stack.backup import manifest as manifests
from airfoil.stack.backup.manifest import DatabaseCopy, Manifest, Stored
from airfoil.stack.backup.objects import Objects
from airfoil.stack.backup.sources import ARTIFACTS, PROJECT, TITLES
from airfoil.stack.storage import storage_error

if TYPE_CHECKING:
    from airfoil.settings import Settings
    from airfoil.stack.backup.manifest import TreeCopy
    from airfoil.stack.backup.place import Place, Source
    from airfoil.stack.backup.sources import Database
    from airfoil.stack.backup.trees import FileCopy
    from airfoil.stack.project import Project

Progress = Callable[[str], AbstractContextManager[None]]


def silent(_what: str) -> AbstractContextManager[None]:
    """Show nothing of what is being done."""
    return nullcontext()


@dataclass(frozen=True)
class Creation:
    """One backup to be made."""

    project: Project
    settings: Settings
    place: Place
    passphrase: str
    artifacts: Source | None = None
    """Where artifacts are, when not in a folder."""
    anew: bool = False
    """Read and write everything again, whatever lies there already; heals what was damaged in the place."""
    cost: sealing.Cost = field(default_factory=sealing.Cost)
    clock: Callable[[], float] = time.time
    progress: Progress = silent

    def run(self) -> Manifest:
        """Make it; what it returns is whole."""
        sealing.check_passphrase(self.passphrase)
        found = sources.of(self.project, self.settings)
        present = [one for one in found.databases if one.exists]
        if not present:
            raise ConfigurationError(
                f"There is nothing to back up in {self.project.root} yet.",
                "Start the platform: `airfoil up`.",
            )
        began = self.clock()
        moment = datetime.fromtimestamp(began, UTC)
        # In the order of names as of time, also when two are taken within a second.
        name = f"{moment:%Y%m%dT%H%M%S}{moment.microsecond // 1000:03d}Z-{secrets.token_hex(2)}"
        with self.place.held(), scratch.folder(self.project.state) as folder:
            before, kept = self._before()
            copies = {one.part: self._database(one, folder, kept) for one in present}
            counted = counts.count({part: folder / f"{part}.db" for part in copies})
            made = Manifest(
                name=name,
                project=self.settings.project.name,
                made_at=moment,
                seconds=0,
                written_bytes=0,
                versions=(versions.last_run(self.project).known() or versions.installed().known()),
                databases=tuple(copies.values()),
                trees=tuple(self._trees(kept, before)),
                secrets=self._secrets(name, kept),
                counts=counted,
                left_out=found.left_out,
            )
            taken = {
                "seconds": round(self.clock() - began, 3),
                "written_bytes": kept.written_bytes,
            }
            made = manifests.sealed(made.model_copy(update=taken))
            # Whoever finds this finds a whole backup: everything it names lies there.
            self.place.put(manifests.place_of(name), io.BytesIO(manifests.written(made).encode()))
        note.write(self.project, name, made.made_at, self.place.title)
        return made

    def _before(self) -> tuple[list[Manifest], Objects]:
        """Return the last backup of this project, for what has not changed since then, and what lies in the place.

        When that backup turns out to be damaged, nothing that lies there is trusted.
        """
        trusted = not self.anew
        before = catalogue.whole(self.place, self.settings.project.name)[-1:] if trusted else []
        try:
            used = retention.used_by(before, Objects(self.place))
        except StorageError:
            before, used, trusted = [], set(), False
        return before, Objects(self.place, used=used, trusted=trusted, clock=self.clock)

    def _database(self, one: Database, folder: Path, kept: Objects) -> DatabaseCopy:
        target, title = folder / f"{one.part}.db", TITLES[one.part]
        with self.progress(f"Copying {title}"):
            if one.file is not None:
                sqlite_copies.copy(one.file, target, title)
            else:
                postgres.dump(one.url, target)
            return DatabaseCopy(
                part=one.part,
                kind="sqlite" if one.file is not None else "postgresql",
                revision=postgres.revision(target),
                stored=kept.put_file(target, packed=True),
                tables=sqlite_copies.facts(target),
            )

    def _trees(self, kept: Objects, before: list[Manifest]) -> list[TreeCopy]:
        """Copy files; artifacts after the database that names them, so that none is missed."""
        folder = sources.artifacts_folder(self.project, self.settings)
        found: dict[str, Source] = {}
        if self.artifacts is not None:
            found[ARTIFACTS] = self.artifacts
        elif folder is not None:
            found[ARTIFACTS] = trees.FolderFiles(folder)
        found[PROJECT] = sources.project_files(self.project, self.settings)
        copies = []
        for part, source in found.items():
            with self.progress(f"Copying {TITLES[part]}"):
                copies.append(trees.copy(part, source, kept, _files(part, before, kept)))
        return copies

    def _secrets(self, name: str, kept: Objects) -> Stored:
        """Seal the secret files."""
        found = {}
        for path, file in sources.secret_files(self.project).items():
            try:
                found[path] = base64.b64encode(file.read_bytes()).decode()
            except OSError as error:
                raise storage_error(file, error) from error
        with self.progress("Sealing the secrets"):
            return kept.put_bytes(sealing.seal(json.dumps(found).encode(), self.passphrase, name, self.cost))


def unsealed(manifest: Manifest, kept: Objects, passphrase: str) -> dict[str, bytes]:
    """Return the secret files of a backup, by their path in the project."""
    sealed = kept.read(manifest.secrets, "The sealed secrets")
    content = sealing.unseal(sealed, passphrase, manifest.name)
    try:
        return {str(path): base64.b64decode(text) for path, text in dict(json.loads(content)).items()}
    except (ValueError, TypeError):
        # `from None`: the decoder's error carries the text, and the text is the secrets.
        raise StorageError("The sealed secrets are damaged: they are no files of ours.") from None


def _files(part: str, before: list[Manifest], kept: Objects) -> dict[str, FileCopy]:
    return {
        file.path: file
        for one in before
        for tree in one.trees
        if tree.part == part
        for file in trees.files_of(tree, kept)
    }
