"""Copies of a project's databases as they were before an upgrade, in `.airfoil/snapshots/TIME-from-VERSIONS/`.

A copy is written under a temporary name and renamed when complete. Each holds `restore.sh`, which needs no Airfoil: the
release to go back to may not know what a snapshot is. Must not decide when one is due.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit, urlunsplit

from airfoil.errors import redact
from airfoil.stack import restore_script
from airfoil.stack.storage import PRIVATE_FILE_MODE, make_private_folder, storage_error, write_private
from airfoil.stack.versions import DISTRIBUTIONS, Versions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airfoil.stack.project import Project

KEPT = 3
"""How many snapshots stay; making another removes the oldest."""
MANIFEST = "snapshot.json"
_PARTIAL = ".partial-"
_CONNECT_TIMEOUT_SECONDS = "10"


@dataclass(frozen=True)
class Snapshot:
    """One complete snapshot."""

    folder: Path
    versions: Versions
    """What had last run the project."""
    made_at: float = 0.0
    left_out: tuple[tuple[str, str], ...] = ()
    """What it does not hold; why, and how to copy that."""

    @property
    def size_bytes(self) -> int:
        """How much disk it takes."""
        return sum(path.stat().st_size for path in self.folder.iterdir() if path.is_file())

    @property
    def restore(self) -> Path:
        """The script that puts it back."""
        return self.folder / restore_script.NAME


def found_in(project: Project) -> list[Snapshot]:
    """Return the complete snapshots, oldest first; other things in that folder are left out."""
    found = []
    with suppress(OSError):
        for folder in project.snapshots.iterdir():
            if folder.is_symlink() or not folder.is_dir() or folder.name.startswith("."):
                continue
            with suppress(OSError, ValueError, TypeError, AttributeError):
                manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
                versions = {name: str(manifest["versions"].get(name) or "") for name in DISTRIBUTIONS}
                left_out = tuple((str(what), str(why)) for what, why in manifest.get("left_out", ()))
                found.append(
                    Snapshot(folder, Versions(**versions), float(manifest.get("made_at", 0)), left_out)
                )
    return sorted(found, key=lambda one: one.made_at)


def make(
    project: Project, files: Mapping[str, Path], servers: Mapping[str, str], versions: Versions
) -> Snapshot:
    """Copy these SQLite files and databases on servers (name -> address); keep the last few snapshots."""
    make_private_folder(project.snapshots)
    _remove_partial(project)
    made_at = time.time()
    began = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(made_at))
    partial = project.snapshots / f"{_PARTIAL}{began}-{os.getpid()}"
    try:
        make_private_folder(partial)
        for name, path in files.items():
            _copy_database(path, partial / name)
        if project.secrets.exists():  # without its key, connections in the database cannot be read
            write_private(partial / "secrets.json", project.secrets.read_text(encoding="utf-8"))
        dumps: dict[str, str] = {}
        left_out = []
        for title, url in servers.items():
            problem = dump_server(url, partial / f"{title.lower()}.pgdump")
            if problem:
                left_out.append((f"{title}'s database {redact(url)} is not in the snapshot.", problem))
            else:
                dumps[f"{title.lower()}.pgdump"] = _without_password(url)[0]
        write_private(partial / "versions.json", json.dumps(versions.known()) + "\n")
        write_private(partial / restore_script.NAME, restore_script.text(project.state, files, dumps))
        manifest = {"versions": versions.known(), "made_at": made_at, "left_out": left_out}
        write_private(partial / MANIFEST, json.dumps(manifest, indent=1) + "\n")
        _sync(partial)
        folder = _free_name(project.snapshots / f"{began}-from-{versions}")
        partial.rename(folder)
        _sync(project.snapshots)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise storage_error(partial, error) from error
    _remove_oldest(project)
    return Snapshot(folder, versions, made_at, tuple(left_out))


def dump_server(url: str, target: Path) -> str:
    """Dump a PostgreSQL database with `pg_dump`; why it could not be done and what to do, or nothing."""
    address, password = _without_password(url)
    command = f"pg_dump --format=custom --file=FILE '{address}'"
    tool = shutil.which("pg_dump")
    if tool is None:
        return f"`pg_dump` is not installed. Make a copy where it is: `{command}`."
    done = subprocess.run(
        [tool, "--format=custom", "--no-password", f"--file={target}", f"--dbname={address}"],
        env={**os.environ, "PGPASSWORD": password, "PGCONNECT_TIMEOUT": _CONNECT_TIMEOUT_SECONDS},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        umask=0o077,
        check=False,
    )
    if done.returncode == 0:
        return ""
    target.unlink(missing_ok=True)
    reason = next((line for line in done.stderr.splitlines() if line.strip()), "it gave no reason")
    return f"{redact(reason).rstrip('.')}. Make a copy yourself: `{command}`."


def _without_password(url: str) -> tuple[str, str]:
    """Return an address that may stand in an argument list, and the password by itself."""
    parts = urlsplit(url)
    user, at, place = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    scheme = parts.scheme.partition("+")[0]
    return urlunsplit((scheme, f"{name}{at}{place}", parts.path, parts.query, "")), unquote(password)


def _copy_database(source: Path, target: Path) -> None:
    """Copy an SQLite database as of this moment; one that is damaged is copied as it is."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE_MODE))
    try:
        with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
            live.backup(copy)
    except sqlite3.OperationalError as error:
        raise OSError(str(error)) from error
    except sqlite3.DatabaseError:
        shutil.copyfile(source, target)
    _sync(target)


def _free_name(path: Path) -> Path:
    """Return the path, or one with a number when two snapshots were made within a second."""
    number, found = 1, path
    while os.path.lexists(found):
        number += 1
        found = path.with_name(f"{path.name}.{number}")
    return found


def _remove_partial(project: Project) -> None:
    """Remove what killed attempts left; nobody else is at work: `up` holds its lock."""
    for path in project.snapshots.glob(f"{_PARTIAL}*"):
        shutil.rmtree(path, ignore_errors=True)


def _remove_oldest(project: Project) -> None:
    for old in found_in(project)[:-KEPT]:
        shutil.rmtree(old.folder, ignore_errors=True)


def _sync(path: Path) -> None:
    """Make it survive a power cut, where the file system can."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
