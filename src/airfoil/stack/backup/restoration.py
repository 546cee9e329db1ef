"""Puts a backup into a project: staged beside what is there, then put in place by one rename.

Killed before that, the project is as it was; what was there is moved aside, never deleted. Databases on servers are
filled in one transaction each. Must not start anything but the tools' own migrations.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from airfoil.errors import ConfigurationError, NeighbourError
from airfoil.stack import process, services, versions
from airfoil.stack.backup import (
    comparison,
    creation,
    moving,
    postgres,
    queued_tasks,
    schemas,
    sources,
    trees,
)
from airfoil.stack.backup.objects import Objects
from airfoil.stack.backup.place import FolderPlace
from airfoil.stack.backup.sources import ARTIFACTS, PROJECT, TITLES
from airfoil.stack.project import SETTINGS_FILE, Project
from airfoil.stack.storage import make_private_folder, storage_error, write_private, write_shared
from airfoil.stack.versions import Versions

if TYPE_CHECKING:
    from airfoil.settings import Settings
    from airfoil.stack.backup.creation import Progress
    from airfoil.stack.backup.manifest import DatabaseCopy, Manifest
    from airfoil.stack.backup.place import Place

_STAGED = ".airfoil.restoring"
_ASIDE = "replaced"
_MOVED_OVER = ("snapshots", "environments", "packages.json")
"""What belongs to this machine and not to the backup."""


@dataclass(frozen=True)
class Restored:
    """What a restore did."""

    root: Path
    databases: Mapping[str, int]
    """Rows by part."""
    files: int
    kept: tuple[str, ...] = ()
    """Files of the project that were there and differ from the backup's."""
    aside: tuple[str, ...] = ()
    """Where what was there is now."""
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Restoration:
    """One backup to be put into one project."""

    manifest: Manifest
    kept: Objects
    passphrase: str
    root: Path
    load: Callable[[Path], Settings]
    """How the settings of a folder are read."""
    bucket: Callable[[str], Place]
    """How an object store is reached."""
    stamp: str
    """The end of the name of what is moved aside: the time."""
    overwrite: bool = False
    project_files: bool = True
    """Whether the files of a person come back, too."""
    where: Callable[[Project, Settings], sources.Sources] = sources.of
    """Which database each part becomes; another target than this machine's stack answers otherwise."""
    progress: Progress = creation.silent

    def run(self) -> Restored:
        """Put it in place; anything that stands in the way is said before anything is changed."""
        project = Project(self.root)
        refuse_newer(self.manifest)
        _refuse_living(project)
        files = creation.unsealed(self.manifest, self.kept, self.passphrase)
        staging = self.root / _STAGED
        shutil.rmtree(staging, ignore_errors=True)
        asked: set[object] = set()
        if project.toml.exists():
            asked = self._refuse_full(project, self.load(self.root), asked)
        elif not self.overwrite and _has_state(project, ()):
            raise _full(f"{project.state} holds secrets or databases")
        make_private_folder(staging)
        written: list[Path] = []
        outside: list[tuple[Path, Path]] = []
        try:
            kept = self._project_files(files, written)
            settings = self.load(self.root)
            self._refuse_full(project, settings, asked)
            return self._place(project, settings, files, outside, kept)
        except BaseException as error:
            _take_back(written, self.root)
            if isinstance(error, OSError):
                raise storage_error(self.root, error) from error
            raise
        finally:
            for ready in (staging, *(ready for ready, _ in outside)):
                _remove(ready)
            with suppress(OSError):
                self.root.rmdir()  # one that we made for nothing

    def _place(
        self,
        project: Project,
        settings: Settings,
        files: Mapping[str, bytes],
        outside: list[tuple[Path, Path]],
        kept: tuple[str, ...],
    ) -> Restored:
        found = self.where(project, settings)
        staging = self.root / _STAGED
        # Before the first database is touched: a store that refuses us, or a damaged listing, changes nothing.
        artifacts = self._artifact_files(settings)
        bucket = self._compared(settings, artifacts)
        rows: dict[str, int] = {}
        notes: list[str] = []
        for copy in self.manifest.databases:
            target = found.database(copy.part)
            if target is None:
                notes.append(
                    f"{TITLES.get(copy.part, copy.part)} has no place here; the settings name another."
                )
                continue
            with self.progress(f"Restoring {TITLES.get(copy.part, copy.part)}"):
                rows[copy.part] = self._database(project, copy, target, staging, outside)
        aside = self._artifacts(project, settings, staging, outside, artifacts, bucket)
        self._secrets(project, files, staging)
        aside += self._swap(project, staging, outside)
        return Restored(self.root, rows, len(artifacts), kept, tuple(aside), tuple(notes))

    def _database(
        self,
        project: Project,
        copy: DatabaseCopy,
        target: sources.Database,
        staging: Path,
        outside: list[tuple[Path, Path]],
    ) -> int:
        rows = sum(table.rows for table in copy.tables.values())
        shown = TITLES.get(copy.part, copy.part)
        if target.file is not None:
            if copy.kind != "sqlite":
                raise ConfigurationError(
                    f"{shown} comes from PostgreSQL and cannot become an SQLite file.",
                    f"Name a PostgreSQL database under [{copy.part.partition('_')[0]}] in {SETTINGS_FILE}.",
                )
            self.kept.fetch(copy.stored, _staged(project, target.file, staging, outside), shown)
            return rows
        scratch = staging / f"{copy.part}.scratch"
        self.kept.fetch(copy.stored, scratch, shown)
        if copy.part == sources.AIRFLOW:  # in the copy: so it comes in the same transaction as the rows
            queued_tasks.forget_messages(scratch)
        aside = f"{_ASIDE}_{self.stamp}".lower() if self.overwrite else ""
        if copy.kind == "postgresql":
            postgres.restore(scratch, target.url, aside=aside)
        else:
            rows = _move(copy, scratch, target.url, aside)
        scratch.unlink()
        shutil.rmtree(staging / "home", ignore_errors=True)
        return rows

    def _artifact_files(self, settings: Settings) -> list[trees.FileCopy]:
        tree = next((one for one in self.manifest.trees if one.part == ARTIFACTS), None)
        return [] if tree is None or settings.mlflow.url else trees.files_of(tree, self.kept)

    def _compared(self, settings: Settings, files: list[trees.FileCopy]) -> comparison.Comparison | None:
        address = sources.artifacts_bucket(settings)
        if not address or not files:
            return None
        with self.progress(f"Comparing {TITLES[ARTIFACTS]} with {address}"):
            return comparison.compare(files, self.bucket(address))

    def _artifacts(
        self,
        project: Project,
        settings: Settings,
        staging: Path,
        outside: list[tuple[Path, Path]],
        files: list[trees.FileCopy],
        bucket: comparison.Comparison | None,
    ) -> list[str]:
        """Lay out the artifacts; return where those of a bucket are now that are replaced."""
        folder = sources.artifacts_folder(project, settings)
        with self.progress(f"Restoring {TITLES[ARTIFACTS]}"):
            if bucket is not None:
                aside = f"{_ASIDE}-{self.stamp}"
                bucket.carry_out(self.kept, TITLES[ARTIFACTS], aside)
                return (
                    [f"{sources.artifacts_bucket(settings).rstrip('/')}/{aside}"] if bucket.differing else []
                )
            if files and folder is not None:
                target = FolderPlace(_staged(project, folder, staging, outside), durable=False)
                trees.lay_out(files, self.kept, target, TITLES[ARTIFACTS])
                os.sync()
        return []

    def _secrets(self, project: Project, files: Mapping[str, bytes], staging: Path) -> None:
        """Put secrets beside what they open; the versions come last, as the seal."""
        inside = f"{project.state.name}/"
        for path, content in files.items():
            if path.startswith(inside):
                target = staging / Path(path).relative_to(inside)
                make_private_folder(target.parent)
                write_private(target, content.decode())
        known = {name: self.manifest.versions.get(name, "") for name in versions.DISTRIBUTIONS}
        versions.remember(_StagedProject(staging), Versions(**known))

    def _project_files(self, secrets: Mapping[str, bytes], written: list[Path]) -> tuple[str, ...]:
        """Write the files of a person that are missing; name those that are there and differ."""
        differing: list[str] = []
        if not self.project_files:
            return ()
        if SETTINGS_FILE in secrets:
            target = self.root / SETTINGS_FILE
            if not target.exists():
                written.append(target)
                write_shared(target, secrets[SETTINGS_FILE].decode())
            elif target.read_bytes() != secrets[SETTINGS_FILE]:
                differing.append(SETTINGS_FILE)
        tree = next((one for one in self.manifest.trees if one.part == PROJECT), None)
        files = trees.files_of(tree, self.kept) if tree is not None else []
        missing = {one for one in files if not os.path.lexists(self.root / one.path)}
        written += [self.root / one.path for one in missing]
        with self.progress(f"Restoring {TITLES[PROJECT]}"):
            place = FolderPlace(self.root, durable=False, private=False)
            trees.lay_out(missing, self.kept, place, TITLES[PROJECT])
        differing += [
            one.path for one in files if one not in missing and not _same(self.root / one.path, one)
        ]
        return tuple(differing)

    def _refuse_full(self, project: Project, settings: Settings, asked: AbstractSet[object]) -> set[object]:
        """Refuse a project that holds something already, unless told otherwise; return where was looked.

        What was asked before is not asked again: files that came with the backup may only name more.
        """
        found = [one for one in self.where(project, settings).databases if one not in asked]
        folder, bucket = sources.artifacts_folder(project, settings), sources.artifacts_bucket(settings)
        looked = {*asked, *found, folder, bucket}
        if self.overwrite:
            return looked
        files = [one.file for one in found if one.file is not None]
        if _has_state(project, [*files, *([folder] if folder else [])]):
            raise _full(f"{project.root} holds secrets, databases or artifacts")
        for one in found:
            if one.file is None and self.manifest.database(one.part) and not postgres.is_empty(one.url):
                raise _full(f"{TITLES[one.part]} on the server has tables")
        if bucket and bucket not in asked and next(iter(self.bucket(bucket).items()), None) is not None:
            raise _full(f"{bucket} holds artifacts")
        return looked

    def _swap(self, project: Project, staging: Path, outside: list[tuple[Path, Path]]) -> list[str]:
        """Put what is staged in place; what lies outside of .airfoil first, because the rename is the seal."""
        aside = []
        for ready, final in outside:
            if os.path.lexists(final) and (not final.is_dir() or any(final.iterdir())):
                old = final.with_name(f"{final.name}.{_ASIDE}-{self.stamp}")
                final.rename(old)
                aside.append(str(old))
            elif final.is_dir():
                final.rmdir()
            final.parent.mkdir(parents=True, exist_ok=True)
            ready.rename(final)
        if os.path.lexists(project.state):
            for name in _MOVED_OVER:
                if (project.state / name).exists():
                    (project.state / name).rename(staging / name)
            old = project.state.with_name(f"{project.state.name}.{_ASIDE}-{self.stamp}")
            project.state.rename(old)
            aside.append(str(old))
        staging.rename(project.state)
        return aside


@dataclass(frozen=True)
class _StagedProject(Project):
    """A project whose state is the folder itself."""

    @property
    def state(self) -> Path:
        """The folder."""
        return self.root


def refuse_newer(manifest: Manifest) -> None:
    """Refuse what newer versions have written: the installed ones could not read it."""
    wrote = Versions(**{name: manifest.versions.get(name, "") for name in versions.DISTRIBUTIONS})
    newer = wrote.newer_than(versions.installed())
    if newer:
        theirs = " and ".join(f"{name} {version}" for name, (version, _) in newer.items())
        install = " ".join(
            f"'{versions.DISTRIBUTIONS[name]}=={version}'" for name, (version, _) in newer.items()
        )
        raise ConfigurationError(
            f"Backup {manifest.name} was made by {theirs}, which is newer than what is installed.",
            f"Install that first: `uv pip install {install}`.",
        )
    for copy in manifest.databases:
        if copy.part in {sources.AIRFLOW, sources.MLFLOW} and versions.schema_of(copy.part).is_unknown(
            copy.revision
        ):
            raise ConfigurationError(
                f"{TITLES[copy.part]} in backup {manifest.name} is at schema revision {copy.revision}, which the "
                f"installed release does not know: a newer one has written it.",
                "Install the release that wrote it.",
            )


def _refuse_living(project: Project) -> None:
    living = process.marked(services.stack_id(project)) if project.root.exists() else []
    if living:
        raise NeighbourError(
            f"Processes of the platform run in {project.root} ({', '.join(map(str, living[:5]))}).",
            "Stop it first: `airfoil down`.",
        )


def _has_state(project: Project, places: Iterable[Path]) -> bool:
    """Tell whether a project holds anything that a restore would replace."""
    usual = (project.secrets, project.airflow_database, project.mlflow_database, project.artifacts)
    return any(any(path.iterdir()) if path.is_dir() else os.path.lexists(path) for path in (*usual, *places))


def _full(what: str) -> ConfigurationError:
    return ConfigurationError(
        f"{what}; a restore replaces them.",
        "Restore into another folder (`--into DIR`), or add --overwrite: what is there is moved aside.",
    )


def _staged(project: Project, final: Path, staging: Path, outside: list[tuple[Path, Path]]) -> Path:
    """Return where a file or folder waits until everything is there."""
    if final.is_relative_to(project.state):
        ready = staging / final.relative_to(project.state)
    else:
        ready = final.with_name(f".{final.name}.restoring")
        _remove(ready)
        outside.append((ready, final))
        ready.parent.mkdir(parents=True, exist_ok=True)
        return ready
    make_private_folder(ready.parent)
    return ready


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _take_back(written: Iterable[Path], root: Path) -> None:
    """Remove what a restore that failed had written among the files of a person."""
    for path in written:
        with suppress(OSError):
            path.unlink(missing_ok=True)
            for folder in path.relative_to(root).parents:
                (root / folder).rmdir()  # refuses as soon as one is not empty


def _same(path: Path, one: trees.FileCopy) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == one.object
    except OSError:
        return False


def _move(copy: DatabaseCopy, scratch: Path, url: str, aside: str) -> int:
    """Have the tool make its tables on a server, and fill them from an SQLite copy."""
    schemas.refuse_unmovable(copy.part)
    with postgres.connected(url) as connection:
        postgres.make_room(connection, url, aside)
        connection.commit()
    home = scratch.with_name("home")
    schemas.bring_up_to_date(copy.part, scratch, copy.revision, home)
    schemas.make(copy.part, url, home)
    return moving.move(scratch, url)
